"""A student learns from a capture: a mixture of the divergence from the teacher and the answer itself.

The teacher is not loaded. Rows whose tokens the student has otherwise than the teacher had learn from the answer alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from backend.core.artifacts import verify
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView
from backend.core.stage import Context
from backend.data.chat_template import Encoder
from backend.data.encoding import IGNORE_INDEX, EncodedExamples
from backend.ml.distillation.divergence import Target, divergence
from backend.ml.distillation.shards import Array, read_shard, unpack
from backend.ml.training.trainer import ExtraColumnTrainer
from backend.training.captures import LogitParams, fingerprint, require_matching_inputs

MIN_MATCHED_SHARE = 0.95
"""Share of the rows that must have the teacher's tokens; with fewer the tokenizers do not fit."""
NO_ROW = -1


class LoadedCapture:
    """A finished capture in memory, packed as it is on disk. `ids` maps the teacher's ids to the student's, -1 where the
    student lacks the token."""

    def __init__(self, folder: Path, temperatures: list[float], temperature: float, ids: Array) -> None:
        self.shards = [read_shard(file) for file in sorted(folder.glob("shard-*.safetensors"))]
        self.temperature = temperature
        self.column = temperatures.index(temperature)
        self.ids = torch.from_numpy(ids)
        self.rows: dict[int, int] = {}
        self.places: list[tuple[int, slice]] = []
        for number, shard in enumerate(self.shards):
            ends = np.cumsum(shard["lengths"], dtype=np.int64).tolist()
            for mark, start, end in zip(shard["marks"].tolist(), [0, *ends[:-1]], ends, strict=True):
                self.rows[mark] = len(self.places)
                self.places.append((number, slice(start, end)))

    def target(self, rows: list[int]) -> Target:
        """What the teacher held for likely at the positions of these rows, one row after the other."""
        blocks = [unpack(self.shards[number], positions) for number, positions in map(self.places.__getitem__, rows)]
        ids, values, norms, tails = (
            torch.from_numpy(np.concatenate([getattr(block, name) for block in blocks]))
            for name in ("ids", "values", "log_norm", "log_tail")
        )
        log_p = values / self.temperature - norms[:, self.column, None]
        return Target(self.ids[ids], log_p, tails[:, self.column])


class RowIndexTrainer(ExtraColumnTrainer):
    """A trainer whose rows carry `row`, the place of what a teacher knows of them. Validation rows have none: their loss
    is that of the answer, as with every other method."""

    extra_column = "row"

    def __init__(self, params: LogitParams, **options: Any) -> None:
        super().__init__(**options)
        self.params = params

    def total_loss(self, logits: Any, labels: Any, inputs: dict[str, Any]) -> Any:
        """Sum over positions of kl_weight x distance + (1 - kl_weight) x negative log-likelihood; the latter alone where
        nothing is known of the row."""
        if "row" not in inputs:
            return super().total_loss(logits, labels, inputs)
        rows = inputs["row"]
        sizes = (inputs["labels"] != IGNORE_INDEX).sum(dim=1)
        known = (rows != NO_ROW).repeat_interleave(sizes)
        answers = functional.cross_entropy(logits, labels, reduction="none")
        if not known.any():
            return answers.sum()
        apart = self.distance(logits[known], rows[rows != NO_ROW].tolist())
        weight = self.params.kl_weight
        return answers[~known].sum() + (1 - weight) * answers[known].sum() + weight * apart

    def distance(self, logits: Any, rows: list[int]) -> Any:
        """Sum over the positions of the answers of `rows`, one row after the other, of how far the student is from the
        teacher."""
        raise NotImplementedError


class OfflineLogitTrainer(RowIndexTrainer):
    """RowTrainer of a capture."""

    def __init__(self, capture: LoadedCapture, params: LogitParams, **options: Any) -> None:
        super().__init__(params, **options)
        self.capture = capture

    def distance(self, logits: Any, rows: list[int]) -> Any:
        target = Target(*(part.to(logits.device) for part in self.capture.target(rows)))
        return divergence(logits, target, self.params.divergence, self.params.temperature).sum()


def make_trainer(
    params: LogitParams, student: ArtifactView, data: ArtifactView, examples: EncodedExamples, ctx: Context
) -> Callable[..., OfflineLogitTrainer]:
    """Make the trainer of the capture that `params` names, and give every item of `examples` its `row` there.

    Raises StudioError for a damaged capture, other data, another template, or a tokenizer that does not fit.
    """
    view = ctx.input(params.capture)
    teacher = ctx.input(view.facts["teacher"])
    ctx.progress(0, 1, "opening the capture")
    verify(view.path)
    require_matching_inputs(view, student, data, teacher)
    vocabulary = (Encoder(teacher.path).vocabulary(), Encoder(student.path).vocabulary())
    to_student, to_teacher = id_maps(*vocabulary, view.facts["vocabulary"], student.facts["vocabulary"])
    capture = LoadedCapture(view.path, view.facts["temperatures"], params.temperature, to_student)
    matched = match_rows(examples, capture.rows, to_teacher)
    rows = len(examples.items)
    if matched < MIN_MATCHED_SHARE * rows:
        raise StudioError("capture.tokenizer", field="capture", matched=matched, rows=rows)
    ctx.log(f"{matched} of {rows} rows learn from the teacher's probabilities, the others from their answer alone.")
    return partial(OfflineLogitTrainer, capture, params)


def id_maps(teacher: dict[str, int], student: dict[str, int], rows: int, student_rows: int) -> tuple[Array, Array]:
    """(teacher's id -> student's, student's id -> teacher's), -1 where the other lacks the token. `teacher`, `student`: token
    -> id; `rows`, `student_rows`: of their output heads, which may be longer than their vocabularies."""
    to_student, to_teacher = np.full(rows, -1, dtype=np.int64), np.full(student_rows, -1, dtype=np.int64)
    if teacher == student:
        shared = np.arange(min(rows, student_rows))
        to_student[shared] = to_teacher[shared] = shared
        return to_student, to_teacher
    for token, mine in student.items():
        theirs = teacher.get(token)
        if theirs is not None and theirs < rows and mine < student_rows:
            to_student[theirs], to_teacher[mine] = mine, theirs
    return to_student, to_teacher


def match_rows(examples: EncodedExamples, rows: dict[int, int], to_teacher: Array) -> int:
    """Give every item its `row` in the capture, -1 when the teacher read other tokens; returns how many have one."""
    for item in examples.items:
        ids = to_teacher[item["input_ids"]].tolist()
        mark = None if NO_ROW in ids else fingerprint(ids, item["labels"].count(IGNORE_INDEX))
        item["row"] = rows.get(mark, NO_ROW) if mark is not None else NO_ROW  # type: ignore[assignment]
    return sum(item["row"] != NO_ROW for item in examples.items)  # type: ignore[comparison-overlap]
