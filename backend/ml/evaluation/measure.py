"""Measures models in processes of their own (see `measure_child`) and keeps what it found: asked again, it reads."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from backend.core.artifacts import folder_bytes, write_json
from backend.core.errors import StudioError
from backend.core.programs import Programs
from backend.core.progress import Progress
from backend.core.schemas import ArtifactView, Kind
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder, gold_rows
from backend.inference.long_rows import told
from backend.models import costs
from backend.process.program import run_json

ORIGINAL = "original"
"""The name of the torch weights that all others are compared with; they are measured first."""


class Evaluator:
    """`work`: where results are kept; `data`: the dataset that is asked; `model`: what `ORIGINAL` and the other folders were
    made from; `log`: told which rows are left out because they don't fit its context; `too_long`: the
    largest share of these in a split."""

    def __init__(
        self,
        work: Path,
        data: ArtifactView,
        model: ArtifactView,
        progress: Progress,
        log: Callable[[str, str], None] = lambda text, level: None,
    ) -> None:
        self.work, self.data, self.model, self.progress, self._log = work, data, model, progress, log
        self.too_long = 0.0
        self._asked: dict[str, list[str]] = {}

    def measure(self, folder: Path, name: str, split: str, rows: int) -> dict[str, float]:
        """Cost, quality, distance from the original and bytes of the model in `folder`; `name` is ORIGINAL for torch weights.
        Raises StudioError when its process dies."""
        file = self.work / f"measured-{split}-{name}.json"
        if not file.is_file():
            self.progress.add(0, "measuring")
            kind = Kind.ONNX if (folder / "genai_config.json").is_file() else Kind.MODEL
            view = self.model.model_copy(update={"kind": kind, "path": folder, "facts": costs.merged(self.model.facts)})
            asked = {"view": view.model_dump(mode="json"), "data": str(self.data.path), "split": split}
            asked |= {"original": str(self.work / f"chances-{split}.npy")}
            begun = time.monotonic()
            about = {**asked, "rows": self._rows(folder, split, rows), "keep": name == ORIGINAL}
            found = run_json(Programs.MEASURE, about, self.work, self.progress, "quant.measure_stopped")
            found |= {"size_bytes": folder_bytes(folder), "seconds": time.monotonic() - begun}
            write_json(file, found)
        metrics: dict[str, float] = json.loads(file.read_text("utf-8"))
        return metrics

    def _rows(self, folder: Path, split: str, most: int) -> list[str]:
        """The ids of the first `most` rows that are asked: equal for all models, which share tokenizer and context."""
        if split not in self._asked:
            encoder, template = Encoder(folder), DataFolder(self.data.path).template
            context = self.model.facts["context"]
            rows = gold_rows(self.data, split, most)
            lengths = [len(encoder.prompt_ids(template, row)) + len(encoder.gold_ids(template, row)) for row in rows]
            long = [row.id for row, length in zip(rows, lengths, strict=True) if length > context]
            if len(long) == len(rows):
                raise StudioError("good.all_too_long", count=len(rows), model=self.model.name, context=context)
            if long:
                self._log(f"{told(long, len(rows), context)} They are left out.", "warning")
                self.too_long = max(self.too_long, len(long) / len(rows))
            self._asked[split] = [row.id for row in rows if row.id not in long]
        return self._asked[split]
