"""The real Foundry Local runtime, in a process of its own (`foundry_child`), offline, killed with its caller."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from backend.core.artifacts import write_json
from backend.core.errors import StudioError
from backend.core.programs import Programs, source_file
from backend.data.dataset import Message
from backend.process.program import Program

PYTHON_VARIABLE = "SLMOPS_FOUNDRY_PYTHON"
"""Names the Python that has foundry-local-sdk, where the studio's own has not."""
_MODULE = "foundry_local_sdk"
_DEAD_PROXY = "http://127.0.0.1:9"
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR", "OMP_NUM_THREADS", "FOUNDRY_LOCAL_LIB_DIR")
_TAIL = 15


def foundry_python() -> str | None:
    """The Python that has the Foundry Local SDK, as far as can be told without starting it; None when there is none."""
    named = os.environ.get(PYTHON_VARIABLE)
    if named:
        return shutil.which(named)
    return sys.executable if find_spec(_MODULE) else None


def ask_foundry(
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
    command = foundry_python()
    if command is None:
        raise StudioError("foundry.missing")
    question, answers = work / "question.json", work / "answers.jsonl"
    place = work / "foundry"
    place.mkdir(parents=True, exist_ok=True)
    answers.unlink(missing_ok=True)
    asked = {"folder": str(folder), "model_id": model_id, "place": str(place), "prompts": list(prompts)}
    write_json(question, asked | {"max_new_tokens": max_new_tokens})
    argv = [command, "-I", str(source_file(Programs.FOUNDRY)), str(question), str(answers)]
    received = 0
    with Program(argv, work / "foundry.log", env=_environment(place)) as program:
        for line in _lines(program, answers, tick):
            received += 1
            yield line
    status = program.process.returncode
    if status or received < len(prompts) + 2:
        for said in program.lines()[-_TAIL:]:
            log(said)
        reason = program.reason()
        if f"No module named '{_MODULE}'" in reason:
            raise StudioError("foundry.sdk", python=command, reason=reason)
        raise StudioError("foundry.stopped", status=status, reason=reason)


def _lines(program: Program, file: Path, tick: Callable[[], None]) -> Iterator[dict[str, Any]]:
    """The lines that `program` writes into `file`, until it ends."""
    read = 0
    for _ in program.poll(tick):
        whole = file.read_bytes()[read:] if file.is_file() else b""
        whole = whole[: whole.rfind(b"\n") + 1]
        read += len(whole)
        yield from map(json.loads, whole.splitlines())


def _environment(place: Path) -> dict[str, str]:
    """No secrets, no home of the user's, and no way out: the runtime's catalogue and telemetry find nobody."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    closed = dict.fromkeys(
        ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), _DEAD_PROXY
    )
    return kept | closed | {"HOME": str(place), "no_proxy": "", "NO_PROXY": ""}
