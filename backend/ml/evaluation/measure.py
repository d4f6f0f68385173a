"""Measures models in processes of their own (see `measure_child`) and keeps what it found: asked again, it reads."""

from __future__ import annotations

import json
import time
from pathlib import Path

from backend.core.artifacts import folder_bytes, write_json
from backend.core.programs import Programs
from backend.core.progress import Progress
from backend.core.schemas import ArtifactView, Kind
from backend.models import costs
from backend.process.program import run_json

ORIGINAL = "original"
"""The name of the torch weights that all others are compared with; they are measured first."""


class Evaluator:
    """`work`: where results are kept; `data`: the dataset that is asked; `model`: what `ORIGINAL` and the ONNX folders were
    made from."""

    def __init__(self, work: Path, data: ArtifactView, model: ArtifactView, progress: Progress) -> None:
        self.work, self.data, self.model, self.progress = work, data, model, progress

    def measure(self, folder: Path, name: str, split: str, rows: int) -> dict[str, float]:
        """Cost, quality, distance from the original and bytes of the model in `folder`; `name` is ORIGINAL for torch weights.
        Raises StudioError when its process dies."""
        file = self.work / f"measured-{split}-{name}.json"
        if not file.is_file():
            self.progress.add(0, "measuring")
            kind = Kind.MODEL if name == ORIGINAL else Kind.ONNX
            view = self.model.model_copy(update={"kind": kind, "path": folder, "facts": costs.merged(self.model.facts)})
            asked = {"view": view.model_dump(mode="json"), "data": str(self.data.path), "split": split, "rows": rows}
            asked |= {"original": str(self.work / f"chances-{split}.npy"), "keep": name == ORIGINAL}
            begun = time.monotonic()
            found = run_json(Programs.MEASURE, asked, self.work, self.progress, "quant.measure_stopped")
            found |= {"size_bytes": folder_bytes(folder), "seconds": time.monotonic() - begun}
            write_json(file, found)
        metrics: dict[str, float] = json.loads(file.read_text("utf-8"))
        return metrics
