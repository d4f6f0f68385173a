"""Lists of examples divided by `backend.data.assign`, as the import does it with the numbers of its rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.data.assign import Assignment, assign
from backend.data.examples import Example
from backend.data.split_keys import RowKeys, codes_of, context_text
from backend.data.split_rows import SPLIT_NAMES, SplitOptions, SplitRows

Splits = dict[str, list[Example]]


def split(rows: list[Example], validation: float, test: float, labels: bool, seed: int) -> Splits:
    return divide(rows, SplitOptions(validation, test, seed), labels)[0]


def divide(
    rows: list[Example], options: SplitOptions, labels: bool, conversations: Sequence[str] = ()
) -> tuple[Splits, Assignment]:
    keys = RowKeys()
    for row in rows:
        earlier = context_text(row.context)
        keys.add(f"{earlier}\n{row.input}", row.key, earlier)
    names = sorted({row.output or "" for row in rows}) if labels else [""]
    places = {name: at for at, name in enumerate(names)}
    known = SplitRows(
        content=keys.content,
        equal=keys.equal,
        groups=[codes_of([row.group for row in rows]), codes_of(conversations)][: 1 + bool(conversations)],
        contexts=keys.contexts,
        labels=np.array([places[row.output or ""] for row in rows], np.int32) if labels else None,
        label_names=names,
        texts=lambda: [f"{context_text(row.context)}\n{row.input}" for row in rows],
    )
    found = assign(known, options)
    splits: Splits = {"train": [], "validation": [], "test": []}
    for row, code in zip(rows, found.codes.tolist(), strict=True):
        splits[SPLIT_NAMES[code]].append(row)
    return splits, found
