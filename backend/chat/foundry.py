"""The real Foundry Local runtime, in a process of its own (`backend.chat.foundry_child`), offline, killed with its caller."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from backend.artifacts import write_json
from backend.data.rows import Message
from backend.errors import StudioError
from backend.jobs.supervise import tethered
from backend.paths import ROOT

VARIABLE = "SLMOPS_FOUNDRY_PYTHON"
"""Names the Python that has foundry-local-sdk, where the studio's own has not."""
_MODULE = "foundry_local_sdk"
_CHILD = Path(__file__).with_name("foundry_child.py")
_NOWHERE = "http://127.0.0.1:9"
_KEPT = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR", "OMP_NUM_THREADS", "FOUNDRY_LOCAL_LIB_DIR")
_TICK, _TAIL = 0.1, 15


def python() -> str | None:
    """The Python that has the Foundry Local SDK, as far as can be told without starting it; None when there is none."""
    named = os.environ.get(VARIABLE)
    if named:
        return shutil.which(named)
    return sys.executable if find_spec(_MODULE) else None


def ask(
    folder: Path,
    model_id: str,
    prompts: Sequence[list[Message]],
    max_new_tokens: int,
    work: Path,
    tick: Callable[[], None],
    log: Callable[[str], None],
) -> Generator[dict[str, Any]]:
    """What `foundry_child` says, as it comes: load_seconds and sdk; text, prompt_tokens, tokens, seconds for each prompt;
    peak_memory_bytes. `work` takes the runtime's files; `tick` is called several times a second, and what it raises ends the
    runtime. Raises StudioError when the runtime stops early; its last words go to `log`."""
    command = python()
    if command is None:
        raise StudioError("foundry.missing")
    question, answers, stderr = work / "question.json", work / "answers.jsonl", work / "foundry.log"
    place = work / "foundry"
    place.mkdir(parents=True, exist_ok=True)
    answers.unlink(missing_ok=True)
    asked = {"folder": str(folder), "model_id": model_id, "place": str(place), "prompts": list(prompts)}
    write_json(question, asked | {"max_new_tokens": max_new_tokens})
    with stderr.open("wb") as stream:
        child = subprocess.Popen(
            [*tethered(), command, "-I", str(_CHILD), str(question), str(answers)],
            cwd=ROOT,
            env=_environment(place),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )
        heard = 0
        with closing(_lines(child, answers, tick)) as lines:
            for line in lines:
                heard += 1
                yield line
    if child.returncode or heard < len(prompts) + 2:
        words = [line for line in stderr.read_text("utf-8", "replace").splitlines() if line.strip()]
        for said in words[-_TAIL:]:
            log(said)
        reason = words[-1].strip()[:300] if words else "it ended without a word."
        if f"No module named '{_MODULE}'" in reason:
            raise StudioError("foundry.sdk", python=command, reason=reason)
        raise StudioError("foundry.stopped", status=child.returncode, reason=reason)


def _lines(child: subprocess.Popen[bytes], file: Path, tick: Callable[[], None]) -> Generator[dict[str, Any]]:
    """The lines that `child` writes into `file`, until it ends; it ends when this does."""
    read = 0
    try:
        running = True
        while running:
            try:
                child.wait(_TICK)
                running = False
            except subprocess.TimeoutExpired:
                tick()
            whole = file.read_bytes()[read:] if file.is_file() else b""
            whole = whole[: whole.rfind(b"\n") + 1]
            read += len(whole)
            yield from map(json.loads, whole.splitlines())
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def _environment(place: Path) -> dict[str, str]:
    """No secrets, no home of the user's, and no way out: the runtime's catalogue and telemetry find nobody."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    closed = dict.fromkeys(
        ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), _NOWHERE
    )
    return kept | closed | {"HOME": str(place), "no_proxy": "", "NO_PROXY": ""}
