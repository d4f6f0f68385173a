"""Divides examples into train, validation and test, and samples them: `backend.data.assign` for lists of examples."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backend.data.assign import Assignment, Each, assign
from backend.data.examples import Example
from backend.data.split_keys import RowKeys, codes_of, context_text
from backend.data.split_rows import SPLIT_NAMES, SplitOptions, SplitRows

Splits = dict[str, list[Example]]


def shuffled(rows: Sequence[Example], seed: int) -> list[Example]:
    """The rows in an order that follows from seed and content alone."""
    return sorted(rows, key=lambda row: (_rank(seed, row.key), row.output or "", row.place))


def split(rows: list[Example], validation: float, test: float, labels: bool, seed: int) -> Splits:
    """`validation` and `test` are fractions of the rows. With `labels` each class is divided by itself. Equal inputs, groups
    and shared contexts stay together; `divide` keeps near duplicates together, too."""
    return divide(rows, SplitOptions(validation, test, seed), labels)[0]


def divide(
    rows: list[Example],
    options: SplitOptions,
    labels: bool,
    *,
    contexts: Sequence[str] = (),
    conversations: Sequence[str] = (),
    times: NDArray[np.float64] | None = None,
    given: NDArray[np.int8] | None = None,
    each: Each = lambda done: None,
) -> tuple[Splits, Assignment]:
    """(the examples by split, how that came about). For each example, where it is known: `contexts`, the text that others may
    share, "" for none (its earlier turns when left out); `conversations`, a name; `times` and `given` as in SplitRows."""
    keys = RowKeys()
    for at, row in enumerate(rows):
        earlier = context_text(row.context)
        keys.add(f"{earlier}\n{row.input}", row.key, contexts[at] if contexts else earlier)
    names = sorted({row.output or "" for row in rows}) if labels else [""]
    places = {name: at for at, name in enumerate(names)}
    known = SplitRows(
        content=keys.content,
        equal=keys.equal,
        groups=[codes_of([row.group for row in rows]), codes_of(conversations)][: 1 + bool(conversations)],
        contexts=keys.contexts,
        labels=np.array([places[row.output or ""] for row in rows], np.int64) if labels else None,
        label_names=names,
        texts=lambda: [f"{context_text(row.context)}\n{row.input}" for row in rows],
        times=times,
        given=given,
    )
    found = assign(known, options, each)
    splits: Splits = {"train": [], "validation": [], "test": []}
    for row, code in zip(rows, found.codes.tolist(), strict=True):
        splits[SPLIT_NAMES[code]].append(row)
    return splits, found


def sample(rows: list[Example], count: int, labels: bool, seed: int) -> tuple[list[Example], list[Example]]:
    """(chosen, left): `count` rows, of each class as many as its share, at least one when `count` allows; 0: all."""
    if not 0 < count < len(rows):
        return rows, []
    ordered = shuffled(rows, seed)
    groups: dict[str, list[Example]] = defaultdict(list)
    for row in ordered:
        groups[(row.output or "") if labels else ""].append(row)
    places = quota({label: len(members) for label, members in groups.items()}, count)
    chosen = {id(row) for label, members in groups.items() for row in members[: places[label]]}
    return [row for row in ordered if id(row) in chosen], [row for row in ordered if id(row) not in chosen]


def quota(sizes: dict[str, int], count: int) -> dict[str, int]:
    """`count` places shared out by size (largest remainder), each class at least one while places last."""
    total = sum(sizes.values())
    exact = {label: count * size / total for label, size in sizes.items()}
    quota = {label: min(sizes[label], max(1, math.floor(share))) for label, share in exact.items()}
    by_rest = sorted(sizes, key=lambda label: (math.floor(exact[label]) - exact[label], label))
    while (missing := count - sum(quota.values())) > 0:
        for label in [label for label in by_rest if quota[label] < sizes[label]][:missing]:
            quota[label] += 1
    by_size = sorted(sizes, key=lambda label: (-quota[label], label))
    while (extra := sum(quota.values()) - count) > 0:
        largest = [label for label in by_size if quota[label] > 1] or by_size
        for label in [label for label in largest if quota[label] > 0][:extra]:
            quota[label] -= 1
    return quota


def _rank(seed: int, text: str) -> str:
    return hashlib.blake2b(f"{seed}\x1f{text}".encode(), digest_size=16).hexdigest()
