"""What a division into train, validation and test is told: the rows as numbers, and how large the parts shall be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.data.split_keys import Codes

TRAIN, VALIDATION, TEST = 0, 1, 2
SPLIT_NAMES = ("train", "validation", "test")


@dataclass(frozen=True)
class SplitRows:
    """What is known of n rows. `content`: (n, 2) fingerprints (RowKeys.content); `equal`, `groups`, `contexts`: rows of one
    number belong together, -1 to none; `labels`: places in `label_names`, which is sorted, None for free text; `texts`: all
    that the model reads of each row, asked for when near duplicates are looked for; `times`: any unit, NaN where unknown;
    `given`: a split's number that is not to be changed, -1 where there is none."""

    content: NDArray[np.uint64]
    equal: Codes
    groups: Sequence[Codes] = ()
    contexts: Codes | None = None
    labels: Codes | None = None
    label_names: Sequence[str] = ("",)
    texts: Callable[[], Sequence[str]] | None = None
    times: NDArray[np.float64] | None = None
    given: NDArray[np.int8] | None = None

    def __len__(self) -> int:
        return len(self.equal)


@dataclass(frozen=True)
class SplitOptions:
    """`validation`, `test`: fractions of the rows; `near_duplicates`: the Jaccard index from which on rows stay together, 0
    looks at equal ones only."""

    validation: float
    test: float
    seed: int
    near_duplicates: float = 0.0

    @property
    def shares(self) -> dict[int, float]:
        return {TEST: self.test, VALIDATION: self.validation}
