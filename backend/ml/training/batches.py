"""Rows of a dataset as token ids for training, and the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils.data import Sampler

from backend.data.chat_template import Encoder
from backend.data.dataset import Row, Template

IGNORE = -100
_GROUP = 50  # batches that are sorted by length together: little padding, and still a random order


@dataclass
class Examples:
    """`items`: input_ids and labels, where labels hold the answer with its end of turn and IGNORE elsewhere.
    `shortened`: prompts that lost their beginning; `left_out`: rows whose answer (or steps) alone is too long."""

    items: list[dict[str, list[int]]] = field(default_factory=list)
    shortened: int = 0
    left_out: int = 0

    @property
    def tokens(self) -> int:
        return sum(len(item["input_ids"]) for item in self.items)


def encode_rows(encoder: Encoder, template: Template, rows: Iterable[Row], max_length: int) -> Examples:
    """Rows with an answer, as ids of at most `max_length` tokens. A long prompt loses its beginning, an answer nothing."""
    return _encoded(encoder, template, ((row, row.output) for row in rows), max_length)


def encode_steps(encoder: Encoder, template: Template, rows: Iterable[Row], max_length: int) -> Examples:
    """The rows with an answer and steps as examples of a task of their own, whose answer is the steps; cut as those of
    `encode_rows`."""
    asked = ((row, row.rationale or None) for row in rows if row.output is not None)
    return _encoded(encoder, template.for_steps(), asked, max_length)


def _encoded(encoder: Encoder, template: Template, rows: Iterable[tuple[Row, str | None]], max_length: int) -> Examples:
    """Rows with what is to be learned of each, None for nothing."""
    examples = Examples()
    for row, text in rows:
        if text is None:
            continue
        answer = encoder.answer_ids(text)
        room = max_length - len(answer)
        if room < 1:
            examples.left_out += 1
            continue
        prompt = encoder.prompt_ids(template, row)
        examples.shortened += len(prompt) > room
        prompt = prompt[-room:]
        examples.items.append({"input_ids": prompt + answer, "labels": [IGNORE] * len(prompt) + answer})
    return examples


class LengthSampler(Sampler[int]):
    """Random order in which neighbours have about the same length. It depends on (seed, epoch) alone, so that a resumed
    run sees what the unbroken one would have seen."""

    def __init__(self, lengths: list[int], batch_size: int, seed: int) -> None:
        self.lengths = lengths
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = torch.randperm(len(self.lengths), generator=generator).tolist()
        group = self.batch_size * _GROUP
        batches: list[list[int]] = []
        for start in range(0, len(order), group):
            near = sorted(order[start : start + group], key=lambda index: -self.lengths[index])
            batches += [near[at : at + self.batch_size] for at in range(0, len(near), self.batch_size)]
        ragged = [batches.pop()] if batches and len(batches[-1]) < self.batch_size else []
        shuffled = [batches[index] for index in torch.randperm(len(batches), generator=generator).tolist()]
        for batch in shuffled + ragged:
            yield from batch


def as_dataset(examples: Examples) -> Any:
    """A `datasets.Dataset` in memory; an empty one is None."""
    from datasets import Dataset

    return Dataset.from_list(examples.items) if examples.items else None
