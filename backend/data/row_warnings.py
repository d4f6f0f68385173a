"""Things that no condition forbids and that usually mean trouble, from the facts of the rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from backend.core.errors import Problem
from backend.data.divide import Numbers
from backend.data.row_store import RowStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def find_warnings(store: RowStore, names: list[str] | None) -> list[Problem]:
    """No answers at all or to few rows, few different pairs, one input with several answers. `names`: code of an answer -> its
    label, None for free text."""
    import numpy as np

    warnings = []
    facts = store.facts()
    answered = np.flatnonzero(facts.answers)
    if not len(answered):
        warnings.append(Problem(code="data.no_answers", args={"rows": store.count}, blocking=False))
        return warnings
    unanswered = store.count - len(answered) - len(store.only_rejected)
    if unanswered > len(answered):
        args = {"count": unanswered, "rows": store.count}
        warnings.append(Problem(code="data.few_answers", args=args, blocking=False))
    again = _repeated(facts.keys[answered])
    rows = answered[again]
    answers = np.array(_codes(names))[facts.labels[rows]] if names else facts.answers[rows]
    keys = facts.keys[rows]
    order = np.lexsort((answers, keys))
    keys, answers, rows = keys[order], answers[order], rows[order]
    new_key = np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)]
    new_pair = new_key | np.concatenate([[True], answers[1:] != answers[:-1]])[: len(keys)]
    distinct = len(answered) - len(rows) + int(new_pair.sum())
    if distinct * 2 < len(answered):
        args = {"rows": len(answered), "distinct": distinct}
        warnings.append(Problem(code="data.few_distinct", args=args, blocking=False))
    warnings += _several(store, rows, new_key, new_pair, names)
    return warnings


def label_warnings(store: RowStore, spelling: dict[str, str]) -> list[Problem]:
    """One class, and labels that were written in several ways."""
    counts = store.counts()
    if len(counts) == 1 and store.answered > 1:
        args = {"name": next(iter(counts)).strip()[:60]}
        return [Problem(code="data.one_class", args=args, blocking=False)]
    joined = [label for label, forms in Counter(spelling.values()).items() if forms > 1]
    return [Problem(code="data.labels_joined", args={"count": len(joined)}, blocking=False)] if joined else []


def class_warnings(store: RowStore, numbers: Numbers, labels: list[str], names: list[str] | None) -> list[Problem]:
    """Classes with a single row, and classes that a split lacks."""
    if not labels or names is None:
        return []
    facts = store.facts()
    counts = {split: _counted(facts.labels[part], names) for split, part in numbers.items()}
    rows = sum(counts.values(), Counter[str]())
    warnings = []
    single = [label for label in labels if rows[label] == 1]
    if single:
        warnings.append(_about_classes("data.class_single", single))
    for split, code in (("train", "data.class_not_in_train"), ("test", "data.class_not_in_test")):
        absent = [label for label in labels if not counts[split][label]]
        if absent and counts[split]:
            warnings.append(_about_classes(code, absent))
    return warnings


def _repeated(keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which of them occur more than once. One sort of a copy: millions are looked at in little memory."""
    import numpy as np

    ordered = np.sort(keys)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    del ordered
    if not len(twice):
        return np.zeros(len(keys), bool)
    places = np.searchsorted(twice, keys)
    found: NDArray[np.bool_] = twice[np.minimum(places, len(twice) - 1)] == keys
    return found


def _codes(names: list[str]) -> list[int]:
    """Answers that are one label have one code."""
    first: dict[str, int] = {}
    return [first.setdefault(name, code) for code, name in enumerate(names)]


def _several(
    store: RowStore, rows: np.ndarray, new_key: np.ndarray, new_pair: np.ndarray, names: list[str] | None
) -> list[Problem]:
    """Inputs that occur with more than one answer. `rows` are sorted by input and answer."""
    import numpy as np

    starts = np.flatnonzero(new_key)
    pairs = np.add.reduceat(new_pair.astype(np.int64), starts)
    several = np.flatnonzero(pairs > 1)
    if not len(several):
        return []
    ends = np.append(starts[1:], len(rows))
    first = min(several.tolist(), key=lambda at: int(rows[starts[at] : ends[at]].min()))
    mine = rows[starts[first] : ends[first]]
    args = {"count": len(several), **_first_place(store, mine, names)}
    return [Problem(code="data.contradictions" if names else "data.several_answers", args=args, blocking=False)]


def _first_place(store: RowStore, mine: np.ndarray, names: list[str] | None) -> dict[str, object]:
    """Where the first such input stands and what its answers are."""
    row = store.row(int(mine.min()))
    place = row["id"].lstrip("rvt").partition(".")[0]
    found = set(_named(store.facts().labels[mine], names)) if names else set(_texts(store, mine))
    return {"place": int(place) if place.isdigit() else row["id"], "answers": " / ".join(sorted(found)[:3])[:120]}


def _texts(store: RowStore, mine: np.ndarray) -> list[str]:
    return [str(store.row(int(number)).get("output", "")) for number in mine[:20]]


def _counted(codes: np.ndarray, names: list[str]) -> Counter[str]:
    """Label -> rows; a label may have several codes."""
    import numpy as np

    found: Counter[str] = Counter()
    for code, count in enumerate(np.bincount(codes[codes >= 0]).tolist()):
        if count:
            found[names[code]] += count
    return found


def _named(codes: np.ndarray, names: list[str]) -> list[str]:
    return [names[code] for code in codes if code >= 0]


def _about_classes(code: str, labels: list[str]) -> Problem:
    names = ", ".join(labels[:5]) + (", …" if len(labels) > 5 else "")
    return Problem(code=code, args={"count": len(labels), "names": names}, blocking=False)
