"""A tiny random model and its INT4 conversion by the quantize stage, made once per test session."""

from __future__ import annotations

from typing import Any

import pytest

from backend.data.rows import DataFolder, write_template
from backend.jobs.context import MemoryContext
from backend.schemas import ArtifactView
from backend.stages.quantize import QuantizeParams, QuantizeResult, run
from tests.helpers import build_tiny_model, model_view, tiny_dataset

_MADE: dict[str, Any] = {}


class Converted:
    """`torch` and `onnx`: views of the same model before and after; `result` and `events` of the stage."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        root = factory.mktemp("converted")
        folder = build_tiny_model(root / "model", hidden=64)
        self.data = tiny_dataset(root / "data")
        write_template(folder, DataFolder(self.data).template)
        self.torch = model_view(folder)
        ctx = MemoryContext(root / "job", [self.torch])
        self.result: QuantizeResult = run(QuantizeParams(model=self.torch.id, block_size=32), ctx)
        self.events = ctx.events
        sealed = next(event for event in ctx.events if event["event"] == "artifact")
        self.onnx: ArtifactView = self.torch.model_copy(
            update={
                "id": self.result.artifact,
                "kind": "onnx",
                "name": sealed["manifest"]["name"],
                "path": ctx.order.artifacts / "onnx" / self.result.artifact,
                "facts": sealed["manifest"]["facts"],
                "parents": sealed["manifest"]["parents"],
                "size_bytes": sealed["manifest"]["size_bytes"],
            }
        )


def converted(factory: pytest.TempPathFactory) -> Converted:
    if "it" not in _MADE:
        _MADE["it"] = Converted(factory)
    made: Converted = _MADE["it"]
    return made
