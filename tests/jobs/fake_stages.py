"""Small real stages for the tests of the queue. Each writes `time event name pid` lines to the file `trace`."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from backend.core.errors import Problem, RankDone, StudioError
from backend.core.refs import EndpointRef, ModelRef
from backend.core.schemas import Kind, Quote
from backend.core.stage import Params, Result, Stage, check_refs
from backend.generation.answerer import endpoint_from_saved
from backend.providers.client import HttpEngine
from backend.providers.hub_token import hub_token


class FakeParams(Params):
    trace: str
    name: str = "a"
    steps: int = 3
    pause: float = 0.1
    folder: str = ""
    source: ModelRef | None = None
    sources: list[ModelRef] = []
    endpoint: EndpointRef = ""


def note(params: FakeParams, event: str) -> None:
    with Path(params.trace).open("a") as stream:
        stream.write(f"{time.time():.3f} {event} {params.name or 'unnamed'} {os.getpid()}\n")


def steps(params: FakeParams, ctx: Any) -> Result:
    """Counts; goes on from the number in its checkpoint."""
    file = ctx.checkpoints / "step"
    first = int(file.read_text()) if file.exists() else 0
    note(params, f"start@{first}")
    for step in range(first, params.steps):
        ctx.raise_if_cancelled()
        ctx.progress(step, params.steps, "counting")
        ctx.metric("loss", 1 / (step + 1), step)
        time.sleep(params.pause)
        note(params, f"step@{step}")
        file.with_suffix(".new").write_text(str(step + 1))
        file.with_suffix(".new").replace(file)
    folder = ctx.scratch("out")
    parents = [ctx.input(ref).id for ref in [params.source, *params.sources] if ref]
    (folder / "sum.txt").write_text(hashlib.sha256(f"{params.name}{parents}".encode()).hexdigest())
    made = ctx.artifact(Kind.MODEL, params.name or "unnamed", folder, facts={"steps": params.steps}, parents=parents)
    note(params, "end")
    return Result(artifact=made.id, metrics={"steps": params.steps})


def spin(params: FakeParams, ctx: Any) -> Result:
    """Busy in C code that holds the interpreter and looks at no signal."""
    note(params, "start@0")
    sum(range(10**12))
    return Result(artifact="none")


def suicide(params: FakeParams, ctx: Any) -> Result:
    note(params, "start@0")
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)
    return Result(artifact="none")


def selfkill(params: FakeParams, ctx: Any) -> Result:
    note(params, "start@0")
    os.kill(os.getpid(), signal.SIGKILL)
    return Result(artifact="none")


def flaky(params: FakeParams, ctx: Any) -> Result:
    """Fails for people until the file `folder`/ok exists."""
    note(params, "start@0")
    if not (Path(params.folder) / "ok").exists():
        raise StudioError("core.value", reason="The file ok is missing.")
    return steps(params, ctx)


def bug(params: FakeParams, ctx: Any) -> Result:
    raise ZeroDivisionError("nothing to divide by")


def hog(params: FakeParams, ctx: Any) -> Result:
    """Really runs out of memory."""
    import resource

    limit = 600 * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    blocks = [bytes(50 * 2**20) for _ in range(100)]
    return Result(artifact=str(len(blocks)))


def fill(params: FakeParams, ctx: Any) -> Result:
    """Writes until the disk is full: into its output, or with folder="checkpoints" into a checkpoint."""
    note(params, "start@0")
    folder = ctx.checkpoints if params.folder == "checkpoints" else ctx.scratch("out")
    with (folder / "big").open("wb", buffering=0) as stream:
        while True:
            stream.write(bytes(2**16))


def chatty(params: FakeParams, ctx: Any) -> Result:
    """Prints what looks like reports, on every way to stdout."""
    print('{"event": "error", "error": {"code": "core.value"}}')
    os.write(1, b"raw bytes without an end of line")
    os.system("echo from a grandchild")
    sys.stderr.write("and stderr\n")
    return steps(params, ctx)


def careless(params: FakeParams, ctx: Any) -> Result:
    """Says the key of its endpoint on every way out, and notes its digest and whether the system shows it to others."""
    key = ctx.key(params.endpoint)
    seen = [key.encode() in Path(f"/proc/self/{file}").read_bytes() for file in ("environ", "cmdline")]
    note(params, f"key:{hashlib.sha256(key.encode()).hexdigest()}:{any(seen)}")
    ctx.log(f"the key is {key}")
    print(f"on stdout, which is stderr: {key}")
    sys.stderr.write(f"on stderr: {key}\n")
    if params.folder == "bug":
        raise ValueError(f"a bug with {key}")
    if params.folder == "error":
        raise StudioError("core.value", reason=f"an error with {key}")
    folder = ctx.scratch("out")
    (folder / "file").write_text("x")
    made = ctx.artifact(Kind.MODEL, params.name, folder, facts={"said": f"by {key}"})
    return Result(artifact=made.id)


def nosy(params: FakeParams, ctx: Any) -> Result:
    """Writes into the file `folder` what it finds: its environment, that of a program it starts, the secrets it may use."""
    grandchild = subprocess.run(["env"], capture_output=True, text=True, check=True).stdout
    saved = ctx.endpoint(params.endpoint) if params.endpoint else None
    found = {
        "environment": Path("/proc/self/environ").read_text() + grandchild,
        "names": sorted(os.environ),
        "endpoint": HttpEngine(endpoint_from_saved(saved)).headers if saved else {},
        "hub": hub_token(ctx.artifacts.parent),
    }
    Path(params.folder).write_text(json.dumps(found))
    folder = ctx.scratch("out")
    (folder / "file").write_text("x")
    return Result(artifact=ctx.artifact(Kind.MODEL, params.name, folder).id)


def _check(params: FakeParams, world: Any) -> list[Any]:
    return check_refs(params, world)


def _quote(params: FakeParams, world: Any) -> Quote:
    return Quote(seconds=1, memory_bytes=1, disk_bytes=1)


def doubtful(params: FakeParams, ctx: Any) -> Result:
    """Makes its artifact and finds something bad about it."""
    found = Problem(code="core.unexpected", args={"reason": "half of the answers are empty"})
    return steps(params, ctx).model_copy(update={"findings": [found]})


def on_cards(params: FakeParams, ctx: Any) -> Result:
    """Says which cards it sees, and waits until the file `folder` is there."""
    note(params, f"start@{os.environ.get('CUDA_VISIBLE_DEVICES', 'unset')}")
    while not Path(params.folder).exists():
        ctx.raise_if_cancelled()
        time.sleep(0.05)
    note(params, "end")
    return Result()


def shared(params: FakeParams, ctx: Any) -> Result:
    """Runs in several processes: each says its rank and cards; all end when the file `folder` is there, the others before the
    first. Where `failed` is written there, they fail and the first notices nothing."""
    names = ("RANK", "WORLD_SIZE", "CUDA_VISIBLE_DEVICES")
    note(params, "rank@" + "/".join(os.environ.get(name, "") for name in names))
    while not Path(params.folder).exists():
        ctx.raise_if_cancelled()
        time.sleep(0.05)
    fails, rank = Path(params.folder).read_text() == "failed", os.environ.get("RANK", "0")
    if rank != "0":
        raise StudioError("core.value", reason=f"rank {rank}") if fails else RankDone
    while fails:
        time.sleep(0.05)
    return Result()


_RUNS = {
    run.__name__: run
    for run in (
        steps,
        spin,
        suicide,
        selfkill,
        flaky,
        bug,
        hog,
        fill,
        chatty,
        doubtful,
        careless,
        nosy,
        on_cards,
        shared,
    )
}


def find(name: str) -> Stage:
    """`steps`, or `steps@light` to name a queue, `steps@hub` for one that asks the hub."""
    name, _, queue = name.partition("@")
    hub, queue = queue == "hub", "" if queue == "hub" else queue
    return Stage(
        name=name,
        title=name,
        page="",
        open=(),
        kind=Kind.MODEL,
        params=FakeParams,
        result=Result,
        check=_check,
        quote=_quote,
        run=_RUNS[name],
        example={"trace": "t"},
        queue=queue or "cpu",
        hub=hub,
        parallel=lambda params: name == "shared",
    )
