"""Which rows have to stay on one side of a split: the clusters, as narrow as needed to have something to divide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import Problem
from backend.data.near_clusters import MAX_TEXTS, TooLarge, merged, near_clusters
from backend.data.split_keys import Codes
from backend.data.split_rows import SplitOptions, SplitRows


@dataclass
class Clusters:
    """`codes`: the cluster of each row, 0, 1, 2 ...; `near_checked`: whether near duplicates were looked for; `wide`: the
    clusters with all near duplicates, where `codes` had to be narrower, else None."""

    codes: Codes
    near_checked: bool = False
    wide: Codes | None = None
    problems: list[Problem] = field(default_factory=list)


def cluster_rows(rows: SplitRows, options: SplitOptions, each: Callable[[float], None]) -> Clusters:
    codes = rows.equal
    for group in rows.groups:
        codes = joined(codes, group)
    found = Clusters(codes)
    if rows.contexts is not None:
        wide = joined(codes, rows.contexts)
        if too_wide(rows, options, codes, wide).any():
            args = {"share": round(100 * int(np.bincount(wide).max()) / len(rows))}
            found.problems.append(Problem(code="split.contexts_shared", args=args, blocking=False))
        else:
            found.codes = wide
    if rows.texts is not None and options.near_duplicates:
        _join_near(rows, options, found, each)
    return found


def joined(codes: Codes, other: Codes) -> Codes:
    """The clusters after rows of one number in `other` have become one; -1 is no number."""
    named = np.flatnonzero(other >= 0)
    _, first, back = np.unique(other[named], return_index=True, return_inverse=True)
    mates = named[first][back]
    apart = mates != named
    return merged(codes, named[apart], mates[apart])


def too_wide(rows: SplitRows, options: SplitOptions, narrow: Codes, wide: Codes) -> NDArray[np.bool_]:
    """For each cluster of `wide` whether it has to be narrower: it holds more than half of all rows, or its class (all rows,
    for free text) has too few clusters for every split, and had enough of the narrow ones."""
    sizes, parts = np.bincount(wide), _parts(narrow, wide)
    found = sizes * 2 > len(rows)
    labels = np.zeros(len(rows), np.int32) if rows.labels is None else rows.labels
    needed = 1 + sum(share > 0 for share in options.shares.values())
    for label in np.unique(labels):
        mine = np.unique(wide[labels == label])
        if len(mine) < needed and len(np.unique(narrow[labels == label])) > needed:
            found[mine] = True
    return found & (parts > 1)


def _parts(narrow: Codes, wide: Codes) -> NDArray[np.int64]:
    """How many narrow clusters each wide one is made of."""
    _, first = np.unique(narrow, return_index=True)
    return np.bincount(wide[first], minlength=int(wide.max(initial=-1)) + 1)


def _join_near(rows: SplitRows, options: SplitOptions, found: Clusters, each: Callable[[float], None]) -> None:
    """Near duplicates join what they connect; clusters that become too wide try a higher threshold, then none."""
    assert rows.texts is not None
    narrow, threshold = found.codes, options.near_duplicates
    try:
        if int(rows.equal.max(initial=-1)) >= MAX_TEXTS:
            raise TooLarge
        texts = rows.texts()
        wide = joined(narrow, near_clusters(texts, threshold, each))
        found.near_checked = True
        found.codes = wide
        for stricter in ((1 + threshold) / 2, None):
            wrong = too_wide(rows, options, narrow, found.codes)
            if not wrong.any():
                return
            found.wide = wide
            found.codes = _narrower(found.codes, narrow, wrong, texts, stricter)
    except TooLarge:
        args = {"rows": len(rows), "limit": MAX_TEXTS}
        found.problems.append(Problem(code="split.near_not_checked", args=args, blocking=False))


def _narrower(codes: Codes, narrow: Codes, wrong: NDArray[np.bool_], texts: Any, threshold: float | None) -> Codes:
    """`codes` with the clusters that are `wrong` made of the narrow ones again, joined where texts reach `threshold`."""
    inside = np.flatnonzero(wrong[codes])
    parts = np.unique(narrow[inside], return_inverse=True)[1].astype(np.int32)
    if threshold is not None:
        parts = joined(parts, near_clusters([texts[row] for row in inside.tolist()], threshold))
    found = codes.copy()
    found[inside] = parts + int(codes.max()) + 1
    return np.unique(found, return_inverse=True)[1].astype(np.int32)
