"""A program in a process of its own, for what takes much memory or may crash: it ends with its caller, a cancel kills it at
once, and the end of its log says why it failed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from backend.core.artifacts import write_json
from backend.core.errors import StudioError
from backend.core.paths import ROOT
from backend.core.programs import command
from backend.process.parent_death import parent_bound_command

POLL_SECONDS = 0.1
"""Seconds between two looks at the process."""
_MAX_REASON_CHARS = 300


class Program:
    """`argv` in the folder `cwd`, as a context that kills it; what it prints goes to `log`. With `pipes` its stdin and stdout
    are pipes and only its stderr goes there. `env`: the whole environment, that of this process by default."""

    def __init__(
        self,
        argv: Sequence[str],
        log: Path,
        cwd: Path = ROOT,
        env: Mapping[str, str] | None = None,
        pipes: bool = False,
    ) -> None:
        self.log = log
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                [*parent_bound_command(), *argv],
                cwd=cwd,
                env=env,
                stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipes else stream,
                stderr=stream,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()

    def poll(self, tick: Callable[[], None]) -> Iterator[None]:
        """Several times a second until it has ended, and once more then. What `tick` raises ends the wait."""
        while True:
            try:
                self.process.wait(POLL_SECONDS)
                break
            except subprocess.TimeoutExpired:
                tick()
                yield
        yield

    def wait(self, tick: Callable[[], None]) -> int:
        """Its exit status."""
        for _ in self.poll(tick):
            continue
        return self.process.wait()

    def lines(self) -> list[str]:
        """What its log holds, without empty lines."""
        return [line.strip() for line in self.log.read_text("utf-8", errors="replace").splitlines() if line.strip()]

    def reason(self) -> str:
        """Why it failed: the last line of its log that names an error, else the last one."""
        lines = self.lines()
        errors = [line for line in lines if "Error" in line or "ERROR" in line]
        return (errors or lines or ["it ended without a word"])[-1][:_MAX_REASON_CHARS]


def run_json(program: str, question: dict[str, Any], work: Path, tick: Callable[[], None], code: str) -> dict[str, Any]:
    """What `python -m program QUESTION.json ANSWER.json` writes into its second file; the files and its log lie in `work`.
    Raises StudioError(code) with status and reason when it ends without an answer."""
    asked, answer = work / "question.json", work / "answer.json"
    answer.unlink(missing_ok=True)
    write_json(asked, question)
    with Program(command(program, asked, answer), work / "ask.log") as running:
        status = running.wait(tick)
    if not answer.is_file():
        raise StudioError(code, status=status, reason=running.reason())
    found: dict[str, Any] = json.loads(answer.read_text("utf-8"))
    return found
