"""A student learns from a teacher that splits text into other tokens, by TRL's Universal Logit Distillation.

Both read the same prompts and answers, each with its own tokens and marks of a conversation. Where tokens of both end at the
same byte of an answer, their distributions are compared: tokens that both know one by one (JSD), the others by rank (L1).
After Boizard et al. 2024, arXiv 2402.12030 (ULD), and TRL's GOLD, which joins the tokens between two such places by the chain
rule.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that it is experimental: a test holds its values
    from trl.experimental.gold.gold_trainer import ULDLoss
    from trl.experimental.utils import encode_with_byte_offsets

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView
from backend.core.stage import Context
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder
from backend.data.encoding import IGNORE_INDEX, EncodedExamples, encode_rows
from backend.ml.distillation.offline import NO_ROW, RowIndexTrainer
from backend.ml.distillation.online import Teacher, collate, load_teacher
from backend.ml.inference.device import device
from backend.training.methods import MethodParams

Offsets = list[tuple[int, int]]


@dataclass(frozen=True)
class AlignedRow:
    """A row as the teacher reads it: `ids` with the answer from `start` on. `answer`: the student's ids of the answer. Which
    bytes of the answer each token is: `offsets` of the teacher's, `mine` of the student's; an end of turn lies behind the
    last byte."""

    ids: list[int]
    start: int
    offsets: Offsets
    answer: list[int]
    mine: Offsets


class CrossTokenizerTrainer(RowIndexTrainer):
    """RowTrainer whose rows stand in `pairs`."""

    def __init__(
        self, teacher: Teacher, loss: Any, pairs: list[AlignedRow], params: MethodParams, **options: Any
    ) -> None:
        super().__init__(params, **options)
        self.teacher = teacher
        self.loss = loss
        self.pairs = pairs

    def distance(self, logits: Any, rows: list[int]) -> Any:
        """The mean of the rows' losses, as heavy as all positions."""
        pairs = [self.pairs[row] for row in rows]
        batch = collate([pair.ids for pair in pairs], [pair.start for pair in pairs], logits.device)
        scores = self.teacher.answer_logits(batch)
        mine = _uld_inputs(logits, [pair.answer for pair in pairs], [pair.mine for pair in pairs])
        theirs = _uld_inputs(scores, [pair.ids[pair.start :] for pair in pairs], [pair.offsets for pair in pairs])
        names = ("logits", "labels", "input_ids", "byte_offsets")
        given = {f"student_{name}": part for name, part in zip(names, mine, strict=True)}
        given |= {f"teacher_{name}": part for name, part in zip(names, theirs, strict=True)}
        return self.loss(**given) * len(logits)


def uld_loss(student: Path, teacher: Path, temperature: float) -> Any:
    """TRL's loss between the models of two folders, the end of turn included."""
    config: Any = SimpleNamespace(
        uld_crossentropy_weight=0.0,
        uld_distillation_weight=1.0,
        uld_student_temperature=temperature,
        uld_teacher_temperature=temperature,
        uld_skip_student_eos=False,
        uld_skip_teacher_eos=False,
        use_extended_uld=True,
        uld_token_merge_strategy="bayesian",
        uld_use_hybrid_loss=True,
        uld_hybrid_matched_weight=1.0,
        uld_hybrid_unmatched_weight=1.0,
        beta=0.5,
    )
    return ULDLoss(config, Encoder(student).tokenizer, Encoder(teacher).tokenizer, device())


def align_rows(
    student: Path, teacher: Path, data: Path, examples: EncodedExamples, max_length: int
) -> list[AlignedRow]:
    """The train rows as both read them. Gives every item of `examples` its `row`, NO_ROW where an answer can't be laid side
    by side or is too long for the teacher."""
    mine, theirs, folder = Encoder(student), Encoder(teacher), DataFolder(data)
    items, pairs = iter(examples.items), list[AlignedRow]()
    for row in folder.rows("train"):
        if row.output is None or len(answer := mine.row_answer_ids(folder.template, row)) >= max_length:
            continue
        item: dict[str, Any] = next(items)
        read = encode_rows(theirs, folder.template, [row], max_length).items
        places = ([], []) if row.tool_calls else (_offsets(mine, row.output), _offsets(theirs, row.output))
        item["row"] = len(pairs) if read and places[0] and places[1] else NO_ROW
        if read and places[0] and places[1]:
            pairs.append(
                AlignedRow(read[0]["input_ids"], read[0]["labels"].count(IGNORE_INDEX), places[1], answer, places[0])
            )
    return pairs


def make_trainer(
    params: Any, student: ArtifactView, data: ArtifactView, examples: EncodedExamples, ctx: Context
) -> partial[CrossTokenizerTrainer]:
    """Make the trainer of the method `cross_tokenizer`; `params` are those of `distill`. Raises StudioError when the
    teacher does not fit."""
    teacher = load_teacher(params, student, ctx)
    folder = ctx.input(params.teacher).path
    pairs = align_rows(student.path, folder, data.path, examples, params.max_length)
    if not pairs:
        raise StudioError("method.not_bytes", field="teacher", teacher=ctx.input(params.teacher).name)
    rows = len(examples.items)
    ctx.log(f"{len(pairs)} of {rows} rows learn from the teacher's probabilities, the others from their answer alone.")
    return partial(CrossTokenizerTrainer, teacher, uld_loss(student.path, folder, params.temperature), pairs, params)


def _offsets(encoder: Encoder, answer: str) -> Offsets:
    """Of every token of an answer with its end of turn: its first byte and the one behind its last. None of them where the
    end of turn is no token of its own, or the tokenizer changes the text."""
    try:
        [(ids, offsets)] = encode_with_byte_offsets(encoder.tokenizer, [answer])
    except ValueError:  # tokens that overlap
        return []
    whole, end = encoder.answer_ids(answer), len(answer.encode("utf-8"))
    return [*offsets, *[(end, end)] * (len(whole) - len(ids))] if whole[: len(ids)] == ids else []


def _uld_inputs(logits: Any, ids: list[list[int]], offsets: list[Offsets]) -> tuple[Any, ...]:
    """(logits, labels, ids, offsets) as TRL takes them: rows that begin with one token of a prompt, which predicts the
    answer's first."""
    rows = logits.split([len(each) for each in ids])
    answers = [torch.tensor(each, device=logits.device) for each in ids]
    spans = [torch.tensor([(0, 0), *each], device=logits.device) for each in offsets]
    filled = pad_sequence(answers, batch_first=True)
    first = filled.new_zeros(len(answers), 1)
    labels = pad_sequence(answers, batch_first=True, padding_value=IGNORE_INDEX)
    return (
        pad(pad_sequence(list(rows), batch_first=True), (0, 0, 0, 1)),
        torch.cat([first + IGNORE_INDEX, labels], dim=1),
        torch.cat([first, filled], dim=1),
        pad_sequence(spans, batch_first=True),
    )
