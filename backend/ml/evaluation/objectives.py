"""How the trials of a search are compared.

`ByLoss`: the lowest validation loss that the stage's own training measured. `BySize`: the fewest bytes among those that keep a
share of the original's quality on validation rows, each measured in a process of its own; where none does, the best quality.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from backend.core.errors import StudioError
from backend.core.progress import Progress
from backend.core.schemas import ArtifactView, Kind
from backend.core.stage import Context
from backend.data.dataset import DataFolder, gold_answer
from backend.ml.compression.olive_export import merged_model_folder
from backend.ml.evaluation.measure import ORIGINAL, Evaluator
from backend.models import costs
from backend.stats.metrics import headline
from backend.training.search_space import TEST_ROWS, Outcome


class ByLoss:
    """`given`: inputs that a trial has in place of those with these ids."""

    metric = "eval_loss"
    original: Mapping[str, float] = {}
    given: tuple[ArtifactView, ...] = ()
    too_long = 0.0

    def judge(self, folder: Path, metrics: Mapping[str, float], number: int) -> Outcome:
        """Of the trial of this number, which left `folder` and these metrics."""
        return Outcome(metrics[self.metric], metrics[self.metric])

    def test(self, folder: Path, name: str) -> dict[str, dict[str, float]]:
        """The original and the best on test rows, which chose nothing; empty where nothing can be compared."""
        return {}


class BySize(ByLoss):
    """`keep`: the share of the quality; `rows`: validation rows; `total`: how many trials there are. An adapter is merged once,
    for all of them. Raises StudioError where no row has an answer to compare with."""

    def __init__(
        self, ctx: Context, model: ArtifactView, data: ArtifactView, keep: float, rows: int, total: int
    ) -> None:
        if not _can_score(data, "validation"):
            raise StudioError("chat.no_truth", ref=data.name, split="validation")
        self.data, self.keep, self.rows = data, keep, rows
        self.progress = Progress(ctx, total, "reading the model")
        self.source = merged_model_folder(model, ctx.input, ctx.scratch("merged"))
        about = {"kind": Kind.MODEL, "path": self.source, "facts": costs.merged(model.facts)}
        self.given = (model.model_copy(update=about),)
        self.evaluator = Evaluator(ctx.dir, data, model, self.progress, ctx.log)
        self.original = self.evaluator.measure(self.source, ORIGINAL, "validation", rows)
        self.metric = headline(self.original)

    @property
    def too_long(self) -> float:  # type: ignore[override]
        return self.evaluator.too_long

    def judge(self, folder: Path, metrics: Mapping[str, float], number: int) -> Outcome:
        self.progress.done = number + 1.0
        found = self.evaluator.measure(folder, f"trial-{number:03d}", "validation", self.rows)
        lacks = max(0.0, self.keep * self.original[self.metric] - found[self.metric])
        return Outcome(found["size_bytes"], -found[self.metric], lacks, found)

    def test(self, folder: Path, name: str) -> dict[str, dict[str, float]]:
        if not _can_score(self.data, "test"):
            return {}
        original = self.evaluator.measure(self.source, ORIGINAL, "test", TEST_ROWS)
        return {"original": original, "choice": self.evaluator.measure(folder, name, "test", TEST_ROWS)}


def _can_score(data: ArtifactView, split: str) -> bool:
    return any(gold_answer(row) is not None for row in DataFolder(data.path).rows(split))
