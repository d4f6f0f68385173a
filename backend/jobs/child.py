"""One stage in a process of its own: `python -m backend.jobs.child <pid of the worker>`.

Reads its job spec as the first line of stdin and its secrets as the second (the bytes after them are the worker's lease),
reports JSON lines on what was stdout, and sends everything that libraries print to the job's log. No key is in a
report or in what is printed. Here is where torch lives and dies.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from typing import Any, TextIO, cast

from backend.core.artifacts import write_json
from backend.core.errors import Cancelled, Problem, RankDone, StudioError
from backend.core.schemas import Kind
from backend.core.stage import AnyStage
from backend.jobs import ranks
from backend.jobs.context import Access, JobSpec, StageContext
from backend.models import recheck
from backend.process.explain import explain, of_problem, sentence
from backend.process.guards import LEASE_SECONDS, LockBusy, die_with_parent, file_lock, watch_lease
from backend.process.memory import peak_memory
from backend.providers import variables
from backend.providers.keys import SHORTEST_MASKED, masked, masker
from backend.stages import stage
from backend.training.processes import rank

DONE = "done.json"
OUT = "out"
_LOG_LIMIT = 8000
_LOCK_TIMEOUT = 8.0


class EventChannel:
    """The way back to the worker. Takes over the descriptor of stdout, so that no library can print into it. `mask` hides keys
    in all that is sent."""

    def __init__(self, mask: Callable[[str], str] = str) -> None:
        self._mask = mask
        self._stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
        self._lock = threading.Lock()
        self.artifacts: list[dict[str, Any]] = []
        os.dup2(2, 1)

    def masked(self, event: dict[str, Any]) -> dict[str, Any]:
        return {name: masked(value, self._mask) for name, value in event.items()}

    def send(self, event: dict[str, Any]) -> None:
        if event["event"] == "artifact":
            self.artifacts.append(event)
        if event["event"] == "log":
            event = {**event, "text": event["text"][:_LOG_LIMIT]}
        event = self.masked(event)
        with self._lock:
            self._stream.write(json.dumps(event, default=str) + "\n")
            self._stream.flush()


class MaskedStream:
    """A stream of text that hides keys."""

    def __init__(self, stream: TextIO, mask: Callable[[str], str]) -> None:
        self._stream, self._mask = stream, mask

    def write(self, text: str) -> int:
        return self._stream.write(self._mask(text))

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def main(find: Callable[[str], AnyStage] = stage) -> None:
    """Run the stage that stdin orders; `find` looks a stage up by name. Never returns."""
    cancelled = threading.Event()
    signal.signal(signal.SIGTERM, signal.SIG_IGN if rank() else lambda *_: cancelled.set())
    die_with_parent(int(sys.argv[1]))
    line, told = sys.stdin.buffer.readline(), sys.stdin.buffer.readline()
    if not told.endswith(b"\n"):
        os._exit(1)
    order, access = JobSpec.model_validate_json(line), Access.model_validate_json(told)
    variables.tell(access.variables)
    mask = masker(secrets(access))
    channel = EventChannel(mask)
    sys.stdout = cast(TextIO, MaskedStream(sys.stdout, mask))
    sys.stderr = cast(TextIO, MaskedStream(sys.stderr, mask))
    threading.Thread(target=watch_lease, args=(0, None if rank() else LEASE_SECONDS), daemon=True).start()
    if rank():
        _follow(order, access, channel, find)
    channel.send(_run_safely(order, access, channel, cancelled, find))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # leaves out the teardown of native libraries, which may hang or crash after the work is done


def secrets(access: Access) -> list[str]:
    """What this job was told, typed or from variables, and is long enough to be masked everywhere."""
    found = [*access.keys.values(), *access.variables.values()]
    return [key.strip() for key in found if len(key.strip()) >= SHORTEST_MASKED]


def _follow(order: JobSpec, access: Access, channel: EventChannel, find: Callable[[str], AnyStage]) -> None:
    """Be a rank beside the first, which reports for all, and whose death is ours. Never returns."""
    found = find(order.stage)
    try:
        found.run(found.parse(order.params), StageContext(order, lambda _: None, keys=access.keys))
    except RankDone:
        os._exit(0)
    except BaseException as error:
        channel.send(_failure(error, order, channel))
    os._exit(1)


def _run_safely(
    order: JobSpec,
    access: Access,
    channel: EventChannel,
    cancelled: threading.Event,
    find: Callable[[str], AnyStage],
) -> dict[str, Any]:
    """Do the work; whatever happens becomes the last event."""

    def fail(said: ranks.Events) -> None:
        for event in said:
            channel.send(event)
        os._exit(0)

    try:
        with file_lock(order.dir / "lock", _LOCK_TIMEOUT), ranks.followers(order, access, fail):
            return _run_stage(order, access.keys, channel, cancelled, find)
    except Cancelled:
        return {"event": "cancelled", "peak": peak_memory()}
    except LockBusy:
        return _failure(StudioError("jobs.still_running"), order, channel)
    except BaseException as error:
        return _failure(error, order, channel)


def _run_stage(
    order: JobSpec,
    keys: dict[str, str],
    channel: EventChannel,
    cancelled: threading.Event,
    find: Callable[[str], AnyStage],
) -> dict[str, Any]:
    found = find(order.stage)
    ctx = StageContext(order, channel.send, cancelled.is_set, keys)
    _check_models(order, ctx, channel)
    result = found.run(found.parse(order.params), ctx)
    event = channel.masked({"event": "result", "result": result.model_dump(mode="json"), "peak": peak_memory()})
    # A worker that dies before it has recorded this finds the file and does not run the stage again.
    write_json(order.dir / DONE, {**event, "artifacts": channel.artifacts})
    return event


def _check_models(order: JobSpec, ctx: StageContext, channel: EventChannel) -> None:
    """Models among the inputs that came in before weights were checked are checked now, once. Raises StudioError for one that
    can't be used."""
    named = [order.inputs[id_] for id_ in dict.fromkeys(order.names.values()) if id_ in order.inputs]
    bases = [order.inputs[base] for each in named if (base := each.facts.get("base")) in order.inputs]
    for view in [each for each in [*bases, *named] if recheck.is_due(each)]:
        ctx.log(f"Checking the weights of {view.name}, which an earlier version imported.")
        order.dir.mkdir(parents=True, exist_ok=True)
        base = ctx.input(view.facts["base"]) if view.kind is Kind.ADAPTER else None
        facts = recheck.findings(view, base, order.dir)
        channel.send({"event": "facts", "artifact": view.id, "facts": facts})
        if problems := facts.get("problems"):
            raise StudioError.of([Problem.model_validate(each) for each in problems])


def _failure(error: BaseException, order: JobSpec, channel: EventChannel) -> dict[str, Any]:
    told = explain(error, order.artifacts.parent)
    if told.code == "core.disk_full":
        shutil.rmtree(order.dir / OUT, ignore_errors=True)  # the studio needs a little room to write down the failure
    if isinstance(error, StudioError):
        for problem in error.problems[1:]:
            channel.send({"event": "log", "level": "error", "text": sentence(of_problem(problem))})
    else:
        trace = "".join(traceback.format_exception(error))
        channel.send({"event": "log", "level": "error", "text": trace[-_LOG_LIMIT:]})
    return {"event": "error", "error": told.model_dump(), "peak": peak_memory()}


if __name__ == "__main__":
    main()
