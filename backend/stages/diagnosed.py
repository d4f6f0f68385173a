"""A training as its result tells of it, and small trainings with the same settings on a few of its rows."""

from __future__ import annotations

import gc
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backend.core.artifacts import read_manifest, write_json
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, View
from backend.core.stage import AnyStage, ArtifactInfo, Context, Report
from backend.data.dataset import DataFolder, Row, write_split
from backend.data.facts import data_facts
from backend.models.architectures import CONFIG_OF
from backend.stages import distill, finetune, from_checkpoint
from backend.training.methods import METHODS
from backend.training.params import TrainingParams

STAGES: dict[str, tuple[AnyStage, str]] = {
    finetune.STAGE.name: (finetune.STAGE, "model"),
    distill.STAGE.name: (distill.STAGE, "student"),
}
"""The trainings that can be tried again: stage, and its field for the model."""
_PLAIN_METHODS = {method.name for method in METHODS if not method.module}
_ONCE = {"patience": 0, "min_improvement": 0.0, "keep": "last", "best_by": "loss", "checkpoints_kept": 0}
"""Values of a small training that only its last loss counts of."""


@dataclass(frozen=True)
class Training:
    """`params`: as they were, the learning rate maybe blank; `base`, `data`: what it began with; `updates`: how many it made,
    0 where that is not known."""

    stage: AnyStage
    params: Any
    base: str
    data: str
    updates: int = 0

    @property
    def rank(self) -> int:
        """Of its adapter; 0 of a training in full."""
        adapter = not self.params.full if self.stage is finetune.STAGE else self.params.adapter
        return int(self.params.rank) if adapter else 0

    def resolved(self, facts: Mapping[str, Any]) -> Training:
        """With the learning rate that it had for the model with these facts."""
        return replace(self, params=self.params.resolved(facts))

    def changed(self, **values: Any) -> Training:
        """With other values, of the same inputs."""
        refs = {STAGES[self.stage.name][1]: self.base, "data": self.data}
        return replace(self, params=self.params.model_copy(update={**_ONCE, **values, **refs}))

    def ranked(self, rank: int) -> Training:
        """With this rank, the adapter's output as strong as before."""
        alpha = self.params.alpha * rank // max(1, self.params.rank)
        return self.changed(rank=rank, alpha=max(1, alpha))


def training_of(known: ArtifactInfo) -> Training | None:
    """What left this artifact; None where it can't be tried again, or nobody can tell. One that is still to be made is taken
    for a fine-tuning with the default values."""
    facts = known.facts
    if known.pending:
        base, data = facts.get(CONFIG_OF), facts.get("data")
        return Training(finetune.STAGE, finetune.FinetuneParams(), base, data) if base and data else None
    try:
        manifest = read_manifest(Path(known.path or ""))
        found = _stage_of(manifest.stage or "", manifest.params)
    except StudioError:
        return None
    bases = [parent for parent in manifest.parents if parent != facts.get("data")]
    if found is None or len(bases) != 1:
        return None
    updates = int(facts.get("training", {}).get("steps", 0))
    return Training(*found, base=bases[0], data=str(facts["data"]), updates=updates)


def _stage_of(name: str, params: dict[str, Any]) -> tuple[AnyStage, TrainingParams] | None:
    """Raises StudioError for parameters of another version."""
    if name == from_checkpoint.STAGE.name:
        taken: from_checkpoint.FromCheckpointParams = from_checkpoint.STAGE.parse(params)
        name, params = taken.training, taken.trained().model_dump(mode="json")
    if name not in STAGES:
        return None
    stage = STAGES[name][0]
    parsed = stage.parse(params)
    plain = stage is finetune.STAGE or parsed.method in _PLAIN_METHODS
    return (stage, parsed) if plain else None


def spread(folder: DataFolder, count: int, key: Callable[[Row], str]) -> list[Row]:
    """At most `count` training rows with answers, from all over the file, of those with equal keys the first."""
    found: dict[str, Row] = {}
    every = max(1, folder.count("train") // max(1, count))
    for step in dict.fromkeys((every, 1)):
        for row in folder.rows("train", step):
            if len(found) < count and row.output is not None:
                found.setdefault(key(row), row)
    return list(found.values())


def subset(data: ArtifactView, rows: Sequence[Row], measured: int, folder: Path) -> ArtifactView:
    """A dataset of these rows, which trains on all and evaluates the first `measured`, in the place of `data`."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copyfile(data.path / "template.json", folder / "template.json")
    write_split(folder, "train", rows)
    write_split(folder, "validation", rows[:measured])
    return data.model_copy(update={"path": folder, "facts": {**data.facts, **data_facts(folder)}})


class Tried(View):
    """A small training. `start`: the loss of its first batch; `losses`: (update, loss on its rows), None for no number."""

    start: float | None = None
    losses: list[tuple[int, float | None]] = []

    @property
    def last(self) -> float:
        found = self.losses[-1][1] if self.losses else None
        return math.inf if found is None else found

    def reached(self, loss: float) -> int:
        """The update from which the loss was that low; 0: never."""
        return next((update for update, found in self.losses if found is not None and found <= loss), 0)


class _Enough(Exception):
    """All that was to be measured of a small training is."""


def try_out(training: Training, data: ArtifactView, ctx: Context, name: str, enough: float, report: Report) -> Tried:
    """Train on the rows of `data`, which also measure, until the loss is `enough` or the updates are made; nothing is left but
    what was measured. What an earlier attempt measured is read. `report` hears of its progress. Raises Cancelled."""
    file = ctx.dir / f"{name}.json"
    if file.is_file():
        return Tried.model_validate_json(file.read_text("utf-8"))
    folder = ctx.dir / name
    shutil.rmtree(folder, ignore_errors=True)
    start: list[float] = []
    losses: list[tuple[int, float | None]] = []

    def hears(event: dict[str, Any]) -> None:
        if event["event"] == "progress":
            report(event)
        elif event["event"] == "metric" and event["name"] == "loss" and not start:
            start.append(event["value"])
        elif event["event"] == "metric" and event["name"] == "eval_loss":
            value = event["value"]
            losses.append((round(event["step"]), value if math.isfinite(value) else None))
            if value <= enough or event["step"] >= training.params.max_steps:
                raise _Enough

    try:
        training.stage.run(training.params, ctx.within(folder, hears, [data]))
    except _Enough:
        pass
    except StudioError as error:
        if error.code != "train.diverged":
            raise
        losses.append((training.params.max_steps, None))
    finally:
        gc.collect()  # a trainer holds itself, and so its model, until it is collected
        shutil.rmtree(folder, ignore_errors=True)
    found = Tried(start=start[0] if start else None, losses=losses)
    write_json(file, found.model_dump(mode="json"))
    return found
