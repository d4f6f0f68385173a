"""Which rows of a store go into which split: what the source says, by time, or at random; and how many of them are kept."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from backend.core.errors import Problem, StudioError
from backend.data.dataset import SPLITS
from backend.data.examples import Example
from backend.data.row_store import Facts, RowStore
from backend.data.split import sample, shuffled, split

if TYPE_CHECKING:
    import numpy as np

    from backend.data.params import DatasetParams

MIN_ROWS = 10
REJECTED = "rejected"
"""Rows that hold nothing but a worse answer: kept for preference training, in a file that is no split."""
_LARGE_GROUP = 0.3
Numbers = dict[str, list[int]]
"""Split -> numbers of its rows in the store, in the order in which they are written."""


def divide(
    store: RowStore, params: DatasetParams, names: list[str] | None, own_export: bool, seed: int, dropped: Counter[str]
) -> tuple[Numbers, list[Problem]]:
    """(rows of each split, what is to be said). `names`: code of an answer -> its label, None for free text. Raises StudioError
    when a split that is asked for stays empty."""
    facts, warnings = store.facts(), []
    kept, rejected = _kept(store, facts, params, dropped)
    if store.context_groups and (percent := _large_group(facts)):
        warnings.append(Problem(code="data.large_group", args={"percent": percent}, blocking=False))
    given, own = _given(facts, kept, dropped, own_export)
    if dropped["also_in_test"]:
        args = {"count": dropped["also_in_test"]}
        warnings.append(Problem(code="data.also_in_test", args=args, blocking=False))
    if own_export and (facts.splits >= 0).any():
        return {name: sorted(numbers) for name, numbers in given.items()} | {"train": own, REJECTED: rejected}, warnings
    numbers = _own(_light(facts, own, names), facts, given, params, names is not None, seed, dropped)
    ordered = {name: _order(_light(facts, part, names), seed) for name, part in given.items()}
    return numbers | ordered | {REJECTED: rejected}, warnings


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


def _kept(store: RowStore, facts: Facts, params: DatasetParams, dropped: Counter[str]) -> tuple[np.ndarray, list[int]]:
    """(numbers of the rows to divide, of those with a rejected answer alone)."""
    import numpy as np

    numbers = np.arange(store.count)
    rejected = list(store.only_rejected)
    if rejected:
        numbers = np.setdiff1d(numbers, rejected)
    if params.duplicates == "drop":
        columns = [facts.keys[numbers, 0], facts.keys[numbers, 1], facts.answers[numbers], facts.origins[numbers]]
        _, first = np.unique(
            np.stack([column.astype("int64", copy=False) for column in columns]), axis=1, return_index=True
        )
        if len(first) < len(numbers):
            dropped["duplicate"] = len(numbers) - len(first)
        numbers = numbers[np.sort(first)]
    return numbers, rejected


def _given(
    facts: Facts, kept: np.ndarray, dropped: Counter[str], own_export: bool
) -> tuple[dict[str, list[int]], list[int]]:
    """(splits that the source or files of their own give, the rows to divide). Validation and test win: the same input is
    taken out of what is used before them. Raises StudioError where none of such a split's rows has an answer."""
    import numpy as np

    told = np.where(facts.origins > 0, facts.origins, facts.splits)[kept]
    by_name = {name: kept[told == at] for at, name in enumerate(SPLITS) if name != "train"}
    given = {name: numbers for name, numbers in by_name.items() if len(numbers)}
    own = np.setdiff1d(kept, np.concatenate([*given.values(), np.empty(0, dtype=kept.dtype)]))
    if own_export:
        return {name: numbers.tolist() for name, numbers in given.items()}, own.tolist()
    return _without_leaks(facts, given, own, dropped)


def _without_leaks(
    facts: Facts, given: dict[str, np.ndarray], own: np.ndarray, dropped: Counter[str]
) -> tuple[dict[str, list[int]], list[int]]:
    import numpy as np

    parts: dict[str, list[int]] = {}
    seen = np.empty(0, dtype=facts.keys.dtype)
    pool = given.pop("pool", np.empty(0, dtype=own.dtype))
    for name in ("test", "validation"):
        if name not in given:
            continue
        clean = given[name][~np.isin(facts.keys[given[name], 0], seen)]
        dropped["also_in_test"] += len(given[name]) - len(clean)
        seen = np.concatenate([seen, facts.keys[clean, 0]])
        answered = clean[facts.answers[clean] != 0]
        if len(answered) < len(clean):
            dropped["no_answer"] += len(clean) - len(answered)
        if not len(answered):
            raise StudioError("data.given_split_empty", field=f"{name}_source", split=name)
        parts[name] = answered.tolist()
    clean = own[~np.isin(facts.keys[own, 0], seen)]
    dropped["also_in_test"] += len(own) - len(clean)
    if len(pool):
        parts["pool"] = pool[~np.isin(facts.keys[pool, 0], seen)].tolist()
    for reason in [reason for reason, count in dropped.items() if not count]:
        del dropped[reason]
    return parts, clean.tolist()


def _large_group(facts: Facts) -> int:
    """Percent of the rows in the largest group where that is too large to stay in one split; its rows then lose their
    group. 0 where none is."""
    import numpy as np

    values, counts = np.unique(facts.groups[facts.groups != 0], return_counts=True)
    large = values[counts > max(_LARGE_GROUP * len(facts.groups), 2)]
    if not len(large):
        return 0
    percent = round(100 * int(counts.max()) / len(facts.groups))
    facts.groups = np.where(np.isin(facts.groups, large), 0, facts.groups)
    return percent


def _light(facts: Facts, numbers: list[int], names: list[str] | None) -> list[Example]:
    """Rows as the split sees them: `place` is the number in the store."""
    keys = facts.keys[numbers].tobytes()
    labels, groups, answers = (
        facts.labels[numbers].tolist(),
        facts.groups[numbers].tolist(),
        facts.answers[numbers].tolist(),
    )
    found = []
    for at, number in enumerate(numbers):
        output = None if not answers[at] else names[labels[at]] if names else ""
        key = keys[16 * at : 16 * at + 16].hex()
        found.append(Example(number, "", output, group=str(groups[at] or ""), _key=key))
    return found


def _own(
    rows: list[Example],
    facts: Facts,
    given: dict[str, list[int]],
    params: DatasetParams,
    labels: bool,
    seed: int,
    dropped: Counter[str],
) -> Numbers:
    """The one place where rows are divided at random or by time."""
    classes = len({row.output for row in rows}) if labels else 0
    check_sizes(params, sum(row.output is not None for row in rows), classes, set(given))
    rows, _ = sample(rows, params.max_rows, labels, seed)
    labelled = [row for row in rows if row.output is not None]
    pool = [row for row in rows if row.output is None]
    shares = {name: 0.0 if name in given else getattr(params, name) for name in ("validation", "test")}
    if params.split_by == "time":
        splits = _by_time(labelled, facts, shares)
    else:
        splits = split(labelled, shares["validation"], shares["test"], labels, seed)
    empty = [name for name, share in shares.items() if share and labelled and not splits[name]]
    if empty:
        raise StudioError("data.split_empty", field=empty[0], split=empty[0], rows=len(labelled))
    splits["train"], hidden = sample(splits["train"], params.labelled_rows, labels, seed)
    pool += _light(facts, given.pop("pool", []), None)
    splits["pool"], left = sample(hidden + pool, params.pool_rows, labels, seed)
    if left:
        dropped["pool_cap"] = len(left)
    return {name: _order(part, seed) for name, part in splits.items()}


def _by_time(rows: list[Example], facts: Facts, shares: dict[str, float]) -> dict[str, list[Example]]:
    """The newest rows are the test, those before them the validation. Rows with one input are as new as the newest of them."""
    newest: dict[str, float] = {}
    for row in rows:
        newest[row.key] = max(newest.get(row.key, float("-inf")), float(facts.times[row.place]))
    ordered = sorted(rows, key=lambda row: (newest[row.key], row.key))
    test = len(rows) - round(len(rows) * shares["test"])
    validation = test - round(len(rows) * shares["validation"])
    test, validation = (_between_keys(ordered, at) for at in (test, validation))
    return {"train": ordered[:validation], "validation": ordered[validation:test], "test": ordered[test:]}


def _between_keys(rows: list[Example], at: int) -> int:
    while 0 < at < len(rows) and rows[at].key == rows[at - 1].key:
        at -= 1
    return at


def _order(rows: list[Example], seed: int) -> list[int]:
    return [row.place for row in shuffled(rows, seed)]
