"""A model in a process of its own that is asked one thing at a time: what crashes it ends that process and is a finding.

The process is `backend.ml.inference.model_process`; one JSON line each way.
"""

from __future__ import annotations

import json
import os
import select
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
from pydantic import BaseModel

from backend.core.errors import StudioError
from backend.core.programs import Programs, command
from backend.core.schemas import ArtifactView
from backend.process.program import POLL_SECONDS, Program


class Died(Exception):
    """The process ended; says how."""


class Refused(Exception):
    """The model gave no answer, the process lives on; says why."""


class TimedAnswer(BaseModel):
    """An answer: its ids without the end of turn, its text, whether an end of turn came, milliseconds to the first token and
    to the end."""

    ids: list[int]
    text: str
    ended: bool
    first_ms: float
    ms: float


class AskedModel:
    """`view`: a model, adapter or ONNX folder; `bases`: what an adapter stands on, by id. `tick` is called several times a
    second and may raise, which ends the process. Use it as a context."""

    def __init__(
        self, view: ArtifactView, bases: dict[str, ArtifactView], scratch: Path, tick: Callable[[], None]
    ) -> None:
        self.tick = tick
        order = {"view": view.model_dump(mode="json")}
        order |= {"bases": {key: one.model_dump(mode="json") for key, one in bases.items()}}
        file = scratch / "asked_model.json"
        file.write_text(json.dumps(order), encoding="utf-8")
        self.program = Program(command(Programs.ASKED_MODEL, file), scratch / "asked_model.log", pipes=True)
        self.process = self.program.process
        self._held = b""

    def __enter__(self) -> AskedModel:
        return self

    def __exit__(self, *_: object) -> None:
        self.program.__exit__()

    def loaded(self) -> dict[str, Any]:
        """Wait for the model: the tokens of its `context`, and whether it has a tokenizer of the `runtime`'s own."""
        return self._reply()

    def answer(self, ids: Sequence[int], max_tokens: int) -> TimedAnswer:
        """Greedy, at most `max_tokens` tokens."""
        return TimedAnswer.model_validate(self._ask(op="answer", ids=list(ids), max_tokens=max_tokens))

    def logits(self, ids: Sequence[int], file: Path) -> None:
        """Write all positions' logits to `file`, as numpy saves a (positions, vocabulary) array of float32."""
        self._ask(op="logits", ids=list(ids), file=str(file))

    def runtime_ids(self, text: str) -> list[int]:
        """The tokens of `text` by the runtime's own tokenizer, which a package's script uses."""
        ids: list[int] = self._ask(op="tokens", text=text)["ids"]
        return ids

    def memory(self) -> int:
        """Bytes that the process holds now."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def _ask(self, **question: Any) -> dict[str, Any]:
        assert self.process.stdin
        try:
            self.process.stdin.write(json.dumps(question).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self._died() from None
        return self._reply()

    def _reply(self) -> dict[str, Any]:
        assert self.process.stdout
        pipe = self.process.stdout.fileno()
        while b"\n" not in self._held:
            self.tick()
            if select.select([pipe], [], [], POLL_SECONDS)[0]:
                chunk = os.read(pipe, 1 << 16)
                if not chunk:
                    raise self._died()
                self._held += chunk
        line, self._held = self._held.split(b"\n", 1)
        reply: dict[str, Any] = json.loads(line)
        if "problem" in reply:
            raise StudioError(reply["problem"]["code"], **reply["problem"]["args"])
        if "error" in reply:
            raise Refused(reply["error"])
        return reply

    def _died(self) -> Died:
        return Died(f"{self.process.wait()}: {self.program.reason()}")
