"""What belongs together stays together; time, column and near duplicates decide as they should."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from backend.data import assign as module
from backend.data import row_clusters
from backend.data.assign import assign
from backend.data.split_keys import RowKeys, codes_of, equal_form
from backend.data.split_rows import TEST, TRAIN, VALIDATION, SplitOptions, SplitRows

OPTIONS = SplitOptions(0.1, 0.1, 0)


def known(texts: list[str], **more: object) -> SplitRows:
    keys = RowKeys()
    for text in texts:
        keys.add(text)
    return SplitRows(keys.content, keys.equal, texts=lambda: texts, **more)  # type: ignore[arg-type]


def together(codes: np.ndarray, names: list[str]) -> bool:
    homes = defaultdict(set)
    for code, name in zip(codes.tolist(), names, strict=True):
        homes[name].add(code)
    return all(len(found) == 1 for found in homes.values())


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Turn ON, the lamp!", "turn on the   lamp"),
        ("Cafe\u0301 solo", "Café solo"),
        ("ﬁne １２", "fine 12"),
        ("STRASSE", "straße"),
    ],
)
def test_equal_after_normalising(one: str, two: str) -> None:
    assert equal_form(one) == equal_form(two)


def test_other_words_and_other_signs_are_not_equal() -> None:
    texts = ["año", "ano", "👍", "👎", "+ +", "- -", "lamp", "lamps"]
    assert len({equal_form(text) for text in texts}) == len(texts)


def test_equal_rows_groups_and_contexts_stay_on_one_side() -> None:
    groups = [f"g{n // 3}" for n in range(300)]
    contexts = [f"c{n % 100 // 2}" for n in range(300)]
    texts = [f"Question {n % 250}" + "!" * (n % 2) for n in range(300)]
    found = assign(known(texts, groups=[codes_of(groups)]), SplitOptions(0.2, 0.2, 1))
    assert together(found.codes, groups) and together(found.codes, [text.strip("!") for text in texts])
    found = assign(known(texts, contexts=codes_of(contexts)), SplitOptions(0.2, 0.2, 1))
    assert together(found.codes, contexts) and not found.problems and set(found.codes.tolist()) == {0, 1, 2}


def test_a_context_of_most_rows_is_no_context_and_that_is_said() -> None:
    contexts = ["the same instruction"] * 90 + [f"c{n}" for n in range(30)]
    found = assign(known([f"text {n}" for n in range(120)], contexts=codes_of(contexts)), OPTIONS)
    assert np.bincount(found.codes).tolist() == [96, 12, 12]
    assert [problem.code for problem in found.problems] == ["split.contexts_shared"]


def test_twelve_contexts_fill_every_split() -> None:
    contexts = [f"museum {n // 3}" for n in range(36)]
    found = assign(
        known([f"{name}: question {n % 3}" for n, name in enumerate(contexts)], contexts=codes_of(contexts)), OPTIONS
    )
    assert np.bincount(found.codes).tolist() == [30, 3, 3] and together(found.codes, contexts)


def test_a_split_is_not_empty_where_every_class_has_few_groups() -> None:
    groups = [f"g{n // 20}" for n in range(240)]
    labels = np.array([n // 60 for n in range(240)])
    rows = known([f"text {n}" for n in range(240)], groups=[codes_of(groups)], labels=labels, label_names=list("abcd"))
    found = assign(rows, SplitOptions(0.01, 0.01, 0))
    assert np.bincount(found.codes).tolist() == [200, 20, 20] and together(found.codes, groups)


WORDINGS = (
    "please bring the {} to Marnfeld",
    "please bring the {} to Marnfeld now",
    "PLEASE: bring the {} to Marnfeld!",
)
THINGS = [" ".join(f"{thing}{n}" for thing in ("kettle", "radio", "ladder")) for n in range(20)]


def test_wordings_of_one_request_stay_on_one_side() -> None:
    names = [thing for thing in THINGS for _ in WORDINGS]
    texts = [wording.format(thing) for thing in THINGS for wording in WORDINGS]
    loose = assign(known(texts), SplitOptions(0.2, 0.2, 0))
    tight = assign(known(texts), SplitOptions(0.2, 0.2, 0, near_duplicates=0.8))
    assert not together(loose.codes, names) and together(tight.codes, names)
    assert tight.near_checked and not loose.near_checked and not tight.problems


def test_near_duplicates_that_tie_everything_are_said() -> None:
    texts = [f"I waited six weeks and the kettle does not fit, my first purchase here, order {n}" for n in range(200)]
    found = assign(known(texts), SplitOptions(0.1, 0.1, 0, near_duplicates=0.8))
    assert np.bincount(found.codes).tolist() == [160, 20, 20]
    assert [(problem.code, problem.args) for problem in found.problems] == [
        ("split.near_copies", {"count": 20, "rows": 20})
    ]


def test_only_the_class_that_is_all_alike_is_divided_in_spite_of_it() -> None:
    alike = [f"I waited six weeks and the kettle does not fit, my first purchase here, order {n}" for n in range(20)]
    texts = [*alike, *(wording.format(thing) for thing in THINGS for wording in WORDINGS)]
    labels = np.array([0] * 20 + [1] * 60)
    rows = known(texts, labels=labels, label_names=["a", "b"])
    found = assign(rows, SplitOptions(0.1, 0.1, 0, near_duplicates=0.8))
    assert all({0, 1} <= set(labels[found.codes == split].tolist()) for split in (TRAIN, VALIDATION, TEST))
    assert together(found.codes[20:], [thing for thing in THINGS for _ in WORDINGS])
    assert [problem.args["count"] for problem in found.problems] == [int((found.codes[:20] == TEST).sum())]


def test_the_newest_rows_are_the_test() -> None:
    times = np.array([float(n * 7 % 100) for n in range(100)])
    times[3] = np.nan
    found = assign(known([f"text {n}" for n in range(100)], times=times), OPTIONS)
    assert sorted(times[found.codes == TEST]) == list(range(90, 100))
    assert sorted(times[found.codes == VALIDATION]) == list(range(80, 90))
    assert [(problem.code, problem.args["count"]) for problem in found.problems] == [("split.no_time", 1)]


def test_no_group_straddles_the_time_and_what_is_newer_in_training_is_said() -> None:
    times = np.arange(100.0)
    groups = ["loyal" if n % 2 else f"g{n}" for n in range(100)]
    found = assign(known([f"text {n}" for n in range(100)], times=times, groups=[codes_of(groups)]), OPTIONS)
    assert together(found.codes, groups) and (found.codes == TEST).sum() == 10
    assert [problem.code for problem in found.problems] == ["split.later_training"]


def test_a_column_decides_and_its_leaks_are_counted() -> None:
    texts = [f"text {n}" for n in range(90)] + [f"Text {n}!" for n in range(80, 90)]
    given = np.array([0] * 70 + [1] * 10 + [2] * 10 + [0] * 5 + [-1] * 5, np.int8)
    found = assign(known(texts, given=given), OPTIONS)
    assert (found.codes[:95] == given[:95]).all() and (found.codes[95:] == TEST).all()
    assert [(problem.code, problem.args) for problem in found.problems] == [
        ("split.column_leaks", {"count": 5, "same": 5})
    ]


def test_a_split_that_the_column_does_not_name_is_taken_from_training() -> None:
    given = np.array([0] * 80 + [2] * 20, np.int8)
    found = assign(known([f"text {n}" for n in range(100)], given=given), OPTIONS)
    assert (found.codes[80:] == TEST).all() and np.bincount(found.codes[:80], minlength=3).tolist() == [72, 8, 0]


def test_many_rows_are_divided_without_near_duplicates_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (module, row_clusters):
        monkeypatch.setattr(place, "MAX_TEXTS", 50)
    texts = [f"text {n}" for n in range(200)]
    found = assign(known(texts), SplitOptions(0.1, 0.1, 0, near_duplicates=0.8))
    turned = assign(known(texts[::-1]), SplitOptions(0.1, 0.1, 0, near_duplicates=0.8))
    assert np.bincount(found.codes).tolist() == [160, 20, 20] and (found.codes == turned.codes[::-1]).all()
    assert not found.near_checked and [problem.code for problem in found.problems] == ["split.near_not_checked"]


def test_keys_of_many_rows_need_their_text_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.data.split_keys.MAX_TEXTS", 3)
    keys = RowKeys()
    for text in ("one", "two", "ONE", "three", "four"):
        keys.add(text)
    assert keys.content.shape == (5, 2) and len(np.unique(keys.content[:, 0])) == 4
    assert keys.equal[0] == keys.equal[2] and (keys.contexts == -1).all()


def test_what_a_column_leaves_free_is_divided_class_by_class() -> None:
    labels = np.arange(1000) % 5
    given = np.zeros(1000, np.int8)
    given[np.random.default_rng(0).permutation(1000)[:700]] = TEST
    rows = known([f"text {n}" for n in range(1000)], labels=labels, label_names=list("abcde"), given=given)
    found = assign(rows, SplitOptions(0.1, 0.1, 0)).codes
    counts = np.bincount(labels[found == VALIDATION])
    assert counts.sum() == 30 and np.ptp(counts) == 0
