"""Rows of a dataset as token ids for training, and the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import Sampler

from backend.data.encoding import EncodedExamples


class UpdateSampler(Sampler[int]):
    """Random order; within the rows of one optimizer update (`per_update`) the longest come first, so that its batches need
    little padding. Which rows meet in an update is chance alone: updates of rows of like length learn markedly worse (40
    against 64 % after 40 updates, see docs/benchmarks.md). Depends on (seed, epoch) alone, so that a resumed run sees what the
    unbroken one would have seen."""

    def __init__(self, lengths: list[int], per_update: int, seed: int) -> None:
        self.lengths = lengths
        self.per_update = per_update
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = torch.randperm(len(self.lengths), generator=generator).tolist()
        for start in range(0, len(order), self.per_update):
            yield from sorted(order[start : start + self.per_update], key=lambda index: -self.lengths[index])


def as_dataset(examples: EncodedExamples) -> Any:
    """A `datasets.Dataset` in memory; an empty one is None."""
    from datasets import Dataset

    return Dataset.from_list(examples.items) if examples.items else None
