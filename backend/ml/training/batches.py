"""Rows of a dataset as token ids for training, and the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import Sampler

from backend.data.encoding import EncodedExamples

_GROUP = 50  # batches that are sorted by length together: little padding, and still a random order


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


def as_dataset(examples: EncodedExamples) -> Any:
    """A `datasets.Dataset` in memory; an empty one is None."""
    from datasets import Dataset

    return Dataset.from_list(examples.items) if examples.items else None
