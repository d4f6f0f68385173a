"""A model that answers questions on its stdin, for `backend.checks.asked_model`.

`python -m backend.ml.inference.model_process ORDER.json`
An ONNX model is opened without torch. A failed question is an answer with an `error`; a crash is seen from outside.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.inference.engine import Engine
from backend.inference.protocol import Sampling
from backend.ml.inference.open import open_engine


class ModelWorker:
    """Answers by the name of the question."""

    def __init__(self, view: ArtifactView, bases: dict[str, ArtifactView]) -> None:
        self.engine: Engine = open_engine(view, bases.__getitem__)
        self.runtime: Any = None
        if view.kind is Kind.ONNX:
            import onnxruntime_genai as og

            self.runtime = og.Tokenizer(self.engine.decoder.model)  # type: ignore[attr-defined]

    def answer(self, ids: list[int], max_tokens: int) -> dict[str, Any]:
        begun = time.perf_counter()
        first, said = 0.0, []
        sampling = Sampling(max_new_tokens=max_tokens)
        for token in self.engine.stream_ids(ids, sampling):
            first = first or time.perf_counter() - begun
            said.append(token)
        took = time.perf_counter() - begun
        text = self.engine.encoder.text(said)
        return {
            "ids": said,
            "text": text,
            "ended": len(said) < self.engine.limit(ids, sampling),
            "first_ms": 1000 * (first or took),
            "ms": 1000 * took,
        }

    def logits(self, ids: list[int], file: str) -> dict[str, Any]:
        np.save(file, self.engine.logits(ids))
        return {}

    def tokens(self, text: str) -> dict[str, Any]:
        return {"ids": [int(token) for token in self.runtime.encode(text)]}


def main(order: Path) -> None:
    """Never returns: without the teardown of native libraries, which may crash after the work is done."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def send(reply: dict[str, Any]) -> None:
        channel.write(json.dumps(reply) + "\n")
        channel.flush()

    told = json.loads(order.read_text("utf-8"))
    bases = {key: ArtifactView.model_validate(one) for key, one in told["bases"].items()}
    try:
        worker = ModelWorker(ArtifactView.model_validate(told["view"]), bases)
    except StudioError as error:
        send({"problem": {"code": error.code, "args": error.problems[0].args}})
        os._exit(1)
    send({"runtime": worker.runtime is not None, "context": worker.engine.context})
    for line in sys.stdin:
        question = json.loads(line)
        try:
            reply = getattr(worker, question.pop("op"))(**question)
        except Exception as error:  # the finding of whoever asked
            reply = {"error": f"{type(error).__name__}: {error}"[:300]}
        send(reply)
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
