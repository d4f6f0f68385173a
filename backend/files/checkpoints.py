"""Checkpoints of a training on the disk: which are whole, which stay when the job has ended, what each of them is. No torch.

The newest two hold all that resuming needs. Others hold weights and the trainer's log, no optimizer and nothing pickled.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

from backend.core.artifacts import folder_bytes, write_json
from backend.core.schemas import View

COMPLETE = "complete.json"
"""The sizes of all files of a checkpoint, written last."""
FOLDER = "checkpoints"
"""In a job's working folder (`Context.checkpoints`)."""
_KEPT = "kept.json"
_STATE = "trainer_state.json"
RESUMING = (".pt", ".pth")
"""Files of optimizer, schedule and random numbers."""
RESUMABLE = 2
"""So many can be resumed from: a kill may hit the newest while it is written."""
SCORES = ("eval_loss", "eval_accuracy", "eval_token_f1")


class Checkpoint(View):
    """One checkpoint. `train_loss`: the mean since the evaluation before; `scores`: of its own evaluation, empty of one that
    was written for resuming alone. `best`: of all evaluations until now; `taken`: the model of the job has its weights."""

    step: int
    epoch: float
    train_loss: float | None
    scores: dict[str, float]
    saved: datetime
    size_bytes: int
    best: bool
    taken: bool = False


def steps_in(folder: Path) -> dict[int, Path]:
    """The checkpoints in `folder` whose weights are whole, by step, the oldest first."""
    found = {int(each.name.rpartition("-")[2]): each for each in folder.glob("checkpoint-*") if is_complete(each)}
    return dict(sorted(found.items()))


def is_complete(checkpoint: Path, resumable: bool = False) -> bool:
    """Whether it was written to its end; `resumable`: with all that resuming needs."""
    marker = checkpoint / COMPLETE
    if not marker.is_file():
        return False
    sizes: dict[str, int] = json.loads(marker.read_text("utf-8"))
    return all(
        (checkpoint / name).is_file() and (checkpoint / name).stat().st_size == size
        for name, size in sizes.items()
        if resumable or not name.endswith(RESUMING)
    )


def retain(folder: Path, evaluated: Collection[int], best: int | None, count: int) -> None:
    """Once a checkpoint was written: of those in `folder` keep the newest `count` of the steps `evaluated`, the `best` and what
    resuming needs; the rest goes."""
    found = steps_in(folder)
    kept = {*[step for step in found if step in evaluated][-count:], best}
    write_json(folder / _KEPT, [path.name for step, path in found.items() if step in kept])
    for step, path in list(found.items())[:-RESUMABLE]:
        if step in kept:
            _thin(path)
        else:
            shutil.rmtree(path)


def superfluous(work: Path) -> list[Path]:
    """What a job that has succeeded no longer needs of its working folder: all of it but the checkpoints that it keeps."""
    marker = work / FOLDER / _KEPT
    if not marker.is_file():
        return [work]
    kept = {*json.loads(marker.read_text("utf-8")), _KEPT}
    found = [path for path in work.iterdir() if path.name != FOLDER]
    for path in (work / FOLDER).iterdir():
        if path.name not in kept:
            found.append(path)
        elif path.is_dir():
            found += _resuming(path)
    return found


def list_checkpoints(work: Path, taken: float | None = None) -> list[Checkpoint]:
    """Those of a job's working folder, the oldest first. `taken`: the step whose weights its model has."""
    found = steps_in(work / FOLDER)
    states = {step: json.loads((path / _STATE).read_text("utf-8")) for step, path in found.items()}
    best = states[max(states)].get("best_global_step") if states else None
    return [_described(step, found[step], states[step], best, taken) for step in found]


def _described(step: int, path: Path, state: dict[str, Any], best: int | None, taken: float | None) -> Checkpoint:
    log: list[dict[str, Any]] = state["log_history"]
    evaluations = [entry for entry in log if "eval_loss" in entry]
    own = next((entry for entry in evaluations if entry["step"] == step), {})
    before = max((entry["step"] for entry in evaluations if entry["step"] < step), default=0)
    losses = [entry["loss"] for entry in log if "loss" in entry and before < entry["step"] <= step]
    return Checkpoint(
        step=step,
        epoch=state["epoch"] or 0.0,
        train_loss=fmean(losses) if losses else None,
        scores={name: float(own[name]) for name in SCORES if name in own},
        saved=datetime.fromtimestamp((path / _STATE).stat().st_mtime, UTC),
        size_bytes=folder_bytes(path),
        best=step == best,
        taken=step == taken,
    )


def _resuming(checkpoint: Path) -> list[Path]:
    return [path for path in checkpoint.iterdir() if path.name.endswith(RESUMING)]


def _thin(checkpoint: Path) -> None:
    for path in _resuming(checkpoint):
        path.unlink()
