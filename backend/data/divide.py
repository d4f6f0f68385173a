"""Which rows of a store go into which split: what the source says, by time, or at random; and how many of them are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import Problem, StudioError
from backend.data.assign import assign, random_order
from backend.data.dataset import REJECTED, SPLITS
from backend.data.near_clusters import MAX_TEXTS
from backend.data.params import DatasetParams
from backend.data.row_store import Facts, RowStore
from backend.data.split import quota
from backend.data.split_rows import SPLIT_NAMES, SplitOptions, SplitRows

MIN_ROWS = 10
_POOL = SPLITS.index("pool")

RowNumbers = NDArray[np.int32]
"""Numbers of rows in the store."""
Numbers = dict[str, RowNumbers]
"""Split -> its rows in the order in which they are written."""


@dataclass
class Division:
    """Where the rows of a store go. `names`: code of an answer -> its label, None for free text; `own_export`: the splits of
    the source are taken as they are; `dropped`: reason -> rows; `said`: what is to be said of it, nothing of it blocking."""

    store: RowStore
    params: DatasetParams
    names: list[str] | None
    seed: int
    own_export: bool
    dropped: Counter[str]
    said: list[Problem]

    def __post_init__(self) -> None:
        self.facts: Facts = self.store.facts()
        self.labels, self.label_names = _label_codes(self.facts, self.names)

    def divide(self, each: Callable[[float], None] = lambda done: None) -> Numbers:
        """Raises StudioError when a split that is asked for stays empty."""
        kept, rejected = self._kept()
        if self.own_export and (self.facts.splits >= 0).any():
            told = np.maximum(self.facts.splits[kept], 0)
            return {name: kept[told == at] for at, name in enumerate(SPLITS)} | {REJECTED: rejected}
        given, own = self._from_files(kept)
        numbers = given | self._own(own, given, each)
        return {name: self._ordered(part) for name, part in numbers.items()} | {REJECTED: rejected}

    def _kept(self) -> tuple[RowNumbers, RowNumbers]:
        """(the rows to divide, those with a rejected answer alone)."""
        facts = self.facts
        rejected = np.array(self.store.only_rejected, dtype=np.int32)
        rows = np.arange(self.store.count, dtype=np.int32)
        rows = np.setdiff1d(rows, rejected) if len(rejected) else rows
        if self.params.duplicates == "drop":
            answers = self.labels if self.names else facts.answers
            columns = [facts.keys[rows], answers[rows], facts.rejected[rows], facts.origins[rows]]
            order = np.lexsort([rows, *columns])
            new = np.concatenate(
                [[True], np.any([column[order][1:] != column[order][:-1] for column in columns], axis=0)]
            )
            first = np.sort(rows[order[new]])
            if len(first) < len(rows):
                self.dropped["duplicate"] = len(rows) - len(first)
            rows = first
        return rows, rejected

    def _from_files(self, kept: RowNumbers) -> tuple[Numbers, RowNumbers]:
        """(validation and test rows from files of their own, the rows of the source). The test wins, then the validation: the
        same input is taken out of what is used before them. Raises StudioError where no row of a file has an answer."""
        facts = self.facts
        given: Numbers = {}
        seen = np.empty(0, dtype=np.int64)
        repeated = 0
        for name in ("test", "validation"):
            mine = kept[facts.origins[kept] == SPLITS.index(name)]
            if not len(mine):
                continue
            clean = mine[~np.isin(facts.keys[mine], seen)]
            seen = np.concatenate([seen, facts.keys[clean]])
            answered = clean[facts.answers[clean] != 0]
            repeated += len(mine) - len(clean)
            if len(answered) < len(clean):
                self.dropped["no_answer"] += len(clean) - len(answered)
            if not len(answered):
                raise StudioError("data.given_split_empty", field=f"{name}_source", split=name)
            given[name] = answered
        own = kept[facts.origins[kept] == 0]
        clean = own[~np.isin(facts.keys[own], seen)]
        repeated += len(own) - len(clean)
        if repeated:
            self.dropped["also_in_test"] = repeated
            self.said.append(Problem(code="data.also_in_test", args={"count": repeated}, blocking=False))
        return given, clean

    def _own(self, rows: RowNumbers, given: Numbers, each: Callable[[float], None]) -> Numbers:
        params, facts = self.params, self.facts
        answered = facts.answers[rows] != 0
        classes = int(np.count_nonzero(np.bincount(self.labels[rows][answered]))) if self.names else 0
        by_column = facts.splits[rows] > 0
        named = {SPLITS[code] for code in np.unique(facts.splits[rows][by_column]).tolist()} | set(given)
        check_sizes(params, int(answered.sum()), classes, named)
        rows, _ = self._sampled(rows, params.max_rows)
        pool = rows[(facts.answers[rows] == 0) | (facts.splits[rows] == _POOL)]
        labelled = np.setdiff1d(rows, pool) if len(pool) else np.sort(rows)
        unmeasured = pool[(facts.splits[pool] > 0) & (facts.splits[pool] < _POOL)]
        if len(unmeasured):
            self.dropped["no_answer"] += len(unmeasured)
            pool = np.setdiff1d(pool, unmeasured)
        found = self._assigned(labelled, given, each)
        shares = {name: getattr(params, name) for name in ("validation", "test") if name not in given}
        empty = [name for name, share in shares.items() if share and len(labelled) and not len(found[name])]
        if empty:
            raise StudioError("data.split_empty", field=empty[0], split=empty[0], rows=len(labelled))
        found["train"], hidden = self._sampled(found["train"], params.labelled_rows)
        found["pool"], left = self._sampled(np.concatenate([hidden, pool]), params.pool_rows)
        if len(left):
            self.dropped["pool_cap"] = len(left)
        return {name: part for name, part in found.items() if name not in given}

    def _assigned(self, rows: RowNumbers, given: Numbers, each: Callable[[float], None]) -> Numbers:
        """The one place where rows with answers are divided."""
        if not len(rows):
            return dict.fromkeys(SPLIT_NAMES, rows)
        facts, params, keys = self.facts, self.params, self.store.keys
        shares = {name: 0.0 if name in given else getattr(params, name) for name in ("validation", "test")}
        whole = len(rows) == self.store.count
        at: Any = slice(None) if whole else rows  # millions of rows are not copied
        contexts = keys.contexts[at]
        known = SplitRows(
            content=keys.content[at],
            equal=keys.equal if whole else _codes(keys.equal[at]),
            groups=_groups(facts.groups[at]),
            contexts=contexts if (contexts >= 0).any() else None,
            labels=self.labels[at] if self.names else None,
            label_names=self.label_names,
            texts=(lambda: self.store.texts(rows.tolist())) if self.store.path else None,
            times=facts.times[at] if params.split_by == "time" else None,
            given=facts.splits[at],
        )
        near = 0.0 if params.source.startswith("demo:") else params.near_duplicates  # it is divided by template
        options = SplitOptions(shares["validation"], shares["test"], self.seed, near)
        found = assign(known, options, each)
        self.said += found.problems
        return {name: rows[found.codes == code] for code, name in enumerate(SPLIT_NAMES)}

    def _sampled(self, rows: RowNumbers, count: int) -> tuple[RowNumbers, RowNumbers]:
        """(chosen, left): `count` rows, of each class as many as its share, at least one when `count` allows; 0: all."""
        if not 0 < count < len(rows):
            return rows, rows[:0]
        ordered = self._ordered(rows)
        codes = np.where(self.facts.answers[ordered] == 0, -1, self.labels[ordered] if self.names else 0)
        names = {code: self.label_names[code] if code >= 0 and self.names else "" for code in np.unique(codes).tolist()}
        members = {name: np.flatnonzero(codes == code) for code, name in sorted(names.items(), reverse=True)}
        places = quota({name: len(part) for name, part in members.items()}, count)
        chosen = np.zeros(len(ordered), bool)
        for name, part in members.items():
            chosen[part[: places[name]]] = True
        return ordered[chosen], ordered[~chosen]

    def _ordered(self, rows: RowNumbers) -> RowNumbers:
        """An order that follows from seed and content alone."""
        rows, large = np.sort(rows), self.store.count > MAX_TEXTS
        return rows[random_order(self.seed, self.store.keys.content[rows], large)]


def check_sizes(params: DatasetParams, labelled: int, classes: int, given: set[str]) -> None:
    """Raises StudioError when the answered rows can't fill the splits that are asked for and not `given`."""
    for name in ("max_rows", "labelled_rows"):
        rows = getattr(params, name)
        if rows and rows < classes:
            raise StudioError("data.fewer_rows_than_classes", field=name, rows=rows, classes=classes)
    divided = [name for name in ("validation", "test") if getattr(params, name) and name not in given]
    labelled = min(labelled, params.max_rows or labelled)
    if divided and 0 < labelled < MIN_ROWS:
        raise StudioError("data.too_few_rows", rows=labelled, least=MIN_ROWS)


def _label_codes(facts: Facts, names: list[str] | None) -> tuple[NDArray[np.int32], list[str]]:
    """(label of each row as a place in the sorted labels, these labels)."""
    if not names:
        return facts.labels, [""]
    ordered = sorted(set(names))
    places = {name: at for at, name in enumerate(ordered)}
    table = np.array([places[name] for name in names], dtype=np.int32)
    return np.where(facts.labels >= 0, table[np.maximum(facts.labels, 0)], facts.labels).astype(np.int32), ordered


def _codes(values: NDArray[Any]) -> NDArray[np.int32]:
    return np.unique(values, return_inverse=True)[1].astype(np.int32)


def _groups(values: NDArray[np.int64]) -> list[NDArray[np.int32]]:
    """The codes of the groups, none where no row has one."""
    if not values.any():
        return []
    codes = _codes(values)
    codes[values == 0] = -1
    return [codes]
