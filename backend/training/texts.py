"""The rows of a dataset without an answer as running text for continued pre-training. No torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from math import exp, log
from pathlib import Path
from typing import Any

from backend.core.errors import Problem, StudioError
from backend.core.schemas import ArtifactView
from backend.core.stage import ArtifactInfo, Context
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder
from backend.data.encoding import EncodedExamples, pack
from backend.models import costs
from backend.training.params import TrainingParams, Workload, workload

LEAST_BLOCKS = 10
"""Blocks below which there is too little text to learn from and to validate on."""
_HELD_OUT = 0.05
"""Share of the blocks that validate where the dataset has no text for it."""
TOKEN_BYTES = 100
"""Memory of a token of text while a training holds it: its id and label in lists and in the trainer's table."""


class _Documents:
    """The token ids of the documents of some splits, counted as they are read."""

    def __init__(self, encoder: Encoder, folder: DataFolder, *splits: str) -> None:
        self._encoder, self._rows = encoder, chain.from_iterable(map(folder.rows, splits))
        self.lengths: list[int] = []
        self.answered = 0

    def __iter__(self) -> Iterator[list[int]]:
        for row in self._rows:
            if row.output is not None or row.context:
                self.answered += 1
                continue
            ids = self._encoder.document_ids(row.input)
            self.lengths.append(len(ids))
            yield ids


def load_texts(
    params: TrainingParams, model: Path, data: ArtifactView, ctx: Context
) -> tuple[EncodedExamples, EncodedExamples]:
    """(blocks to train on, blocks to validate): the texts of the train and unlabelled rows, and those of the validation rows or
    else the last of the former blocks. Raises StudioError where there is no text, or not enough."""
    folder, encoder, length = DataFolder(data.path), Encoder(model), params.max_length
    documents = _Documents(encoder, folder, "train", "pool")
    train, left = pack(documents, length)
    if not documents.lengths:
        raise StudioError("text.none", data=data.name, field="data")
    if len(train.items) < LEAST_BLOCKS:
        args = {"data": data.name, "tokens": sum(documents.lengths), "least": LEAST_BLOCKS, "max_length": length}
        raise StudioError("text.few", field="max_length", **args)
    _log(documents, left, length, ctx)
    held_out, _ = pack(_Documents(encoder, folder, "validation"), length)
    if held_out.items or not params.evaluate_rows:
        held_out.items = held_out.items[: params.evaluate_rows]
    else:
        count = held_out_blocks(len(train.items), params.evaluate_rows)
        ctx.log(
            f"No text for validation: the last {count} of {len(train.items)} blocks are held out, and never trained on.",
            "warning",
        )
        train.items, held_out.items = train.items[:-count], train.items[-count:]
    counts = f"{len(train.items)} blocks of {length} tokens to train on, {len(held_out.items)} to validate"
    ctx.log(f"{counts}. A block holds the end of one text and the beginning of the next, with the end token between.")
    return train, held_out


def held_out_blocks(blocks: int, most: int) -> int:
    """How many of the blocks validate where there is no other text for it."""
    return min(most, max(1, round(_HELD_OUT * blocks)))


def check_texts(params: TrainingParams, data: ArtifactInfo, ref: str) -> list[Problem]:
    """Whether a dataset has text without answers, and enough of it, as far as its facts tell."""
    texts, answered, _ = _rows(data)
    if not texts:
        return [_problem("text.none", "data", data=ref)]
    found = []
    if answered:
        found.append(_problem("text.answered", "data", blocking=False, data=ref, count=answered))
    tokens = _tokens(data, texts)
    if tokens < LEAST_BLOCKS * params.max_length:
        args = {"data": ref, "tokens": round(tokens), "least": LEAST_BLOCKS, "max_length": params.max_length}
        found.append(_problem("text.few_expected", "max_length", blocking=False, **args))
    return found


def text_workload(params: TrainingParams, data: ArtifactInfo) -> Workload:
    """The amount of training on a dataset's text: every row is a full block, all of whose tokens are learned."""
    texts, _, validation = _rows(data)
    blocks = max(LEAST_BLOCKS, int(_tokens(data, texts) // params.max_length))
    held_out = int(_tokens(data, validation) // params.max_length)
    if not held_out and params.evaluate_rows:
        held_out = held_out_blocks(blocks, params.evaluate_rows)
        blocks -= held_out
    facts = {**data.facts, "rows": {"train": blocks, "validation": held_out}}
    shape, length = workload(params, facts), float(params.max_length)
    rows = shape.rows + held_out / 3  # evaluated before, too
    return replace(shape, rows=rows, tokens=length, answers=length, longest=length)


def text_metrics(loss: float, before: float, held_out: EncodedExamples, model: Path) -> dict[str, float]:
    """What the validation loss means: perplexity of a token, and bits for each byte of the text, which can be compared between
    models with different tokenizers."""
    ids = [each for item in held_out.items for each in item["input_ids"]]
    written = max(1, len(Encoder(model).text(ids).encode()))
    bits = loss / log(2) * len(ids) / written
    told = {"eval_loss_before": before, "eval_loss": loss}
    return {**told, "eval_perplexity": exp(min(700.0, loss)), "eval_bits_per_byte": bits}


def no_gain(loss: float, before: float) -> list[Problem]:
    """A finding where the validation text is no likelier than before."""
    args = {"loss": round(loss, 3), "before": round(before, 3)}
    return [Problem(code="text.no_gain", args=args)] if loss >= before else []


def _rows(data: ArtifactInfo) -> tuple[int, int, int]:
    """(texts to train on, rows with an answer to train on, texts to validate). Facts tell of all splits together whether rows
    have answers."""
    rows = {split: int(count) for split, count in data.facts["rows"].items()}
    train, pool, validation = (rows.get(split, 0) for split in ("train", "pool", "validation"))
    return (pool, train, 0) if data.facts.get("answer_chars") else (train + pool, 0, validation)


def _tokens(data: ArtifactInfo, rows: int) -> float:
    """Of so many texts, each with its end token."""
    return rows * costs.answer_tokens({"answer_chars": data.facts["prompt_chars"]})


def _log(documents: _Documents, left: int, length: int, ctx: Context) -> None:
    lengths = documents.lengths
    longer = sum(each > length for each in lengths)
    ctx.log(f"{len(lengths)} texts with {sum(lengths)} tokens; {longer} are longer than a block and go on in the next.")
    if documents.answered:
        ctx.log(f"{documents.answered} rows have an answer or are conversations: they were left out.", "warning")
    if left:
        ctx.log(f"The last {left} tokens fill no block and were left out.")


def _problem(code: str, field: str, *, blocking: bool = True, **args: Any) -> Problem:
    return Problem(code=code, args=args, field=field, blocking=blocking)
