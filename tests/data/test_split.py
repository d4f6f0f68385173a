"""Nothing of the test is seen in training; classes keep their shares; seed and content decide."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.data.examples import Example
from backend.data.split import quota
from backend.data.split_rows import SplitOptions
from tests.data.split_examples import divide, split

ROW = st.builds(
    Example,
    place=st.integers(1, 10_000),
    input=st.sampled_from([f"input {n}" for n in range(30)]),
    output=st.sampled_from(["a", "b", "c"]),
    group=st.sampled_from(["", "", "g1", "g2", "g3"]),
)


def rows(count: int = 400, labels: int = 4) -> list[Example]:
    return [Example(n, f"input {n}", f"l{n % labels}") for n in range(count)]


@settings(max_examples=80, deadline=None)
@given(st.lists(ROW, max_size=60), st.booleans(), st.integers(0, 5))
def test_no_row_is_lost_and_nothing_leaks(examples: list[Example], labels: bool, seed: int) -> None:
    parts = split(examples, 0.2, 0.2, labels, seed)
    assert Counter(map(id, examples)) == Counter(id(row) for part in parts.values() for row in part)
    for key in (lambda row: row.key, lambda row: row.group or row.key):
        homes = {name: {key(row) for row in part} for name, part in parts.items()}
        assert not homes["train"] & (homes["test"] | homes["validation"]) and not homes["test"] & homes["validation"]


def test_case_and_spaces_do_not_make_a_new_input() -> None:
    twins = [Example(n, text, "a") for n, text in enumerate(["Turn on", "turn  ON ", "other", "more", "words", "here"])]
    parts = split(twins, 0.3, 0.3, True, 1)
    assert any({0, 1} <= {row.place for row in part} for part in parts.values())


def test_shares_are_kept_for_every_class() -> None:
    parts = split(rows(), 0.1, 0.2, True, 0)
    assert {name: len(part) for name, part in parts.items()} == {"train": 280, "validation": 40, "test": 80}
    assert set(Counter(row.output for row in parts["test"]).values()) == {20}


def test_small_classes_reach_every_split_and_single_ones_train() -> None:
    small = [
        *rows(100, 1),
        *(Example(1000 + n, f"small {n}", "small") for n in range(4)),
        Example(2000, "one", "single"),
    ]
    parts = split(small, 0.1, 0.1, True, 0)
    homes = {name: {row.output for row in part} for name, part in parts.items()}
    assert all("small" in found for found in homes.values())
    assert [name for name, found in homes.items() if "single" in found] == ["train"]


def test_many_tiny_classes_still_give_a_test_of_the_right_size() -> None:
    parts = split(rows(300, 100), 0.1, 0.1, True, 0)
    assert 25 <= len(parts["test"]) <= 35 and len({row.output for row in parts["train"]}) == 100


def test_seed_and_content_decide_not_the_order() -> None:
    places = {name: {row.place for row in part} for name, part in split(rows(), 0.1, 0.1, True, 3).items()}
    turned = {name: {row.place for row in part} for name, part in split(rows()[::-1], 0.1, 0.1, True, 3).items()}
    other = {name: {row.place for row in part} for name, part in split(rows(), 0.1, 0.1, True, 4).items()}
    assert places == turned and places["test"] != other["test"]


def test_rows_without_near_duplicates_are_divided_as_ever() -> None:
    """The demo's figures, and those of datasets that people have, rest on these very splits."""
    known = [
        Example(n, f"input {n * 7 % 500}", f"l{n % 7 % 5}", group=f"g{n // 9}" if n % 4 == 0 else "")
        for n in range(600)
    ]
    digests = []
    for labels in (True, False):
        parts = {
            name: sorted(row.place for row in part) for name, part in sorted(split(known, 0.1, 0.2, labels, 3).items())
        }
        digests.append(sha256(repr(parts).encode()).hexdigest()[:16])
    assert digests == ["61ec7497335c2623", "91b05511609785d4"]


def test_a_conversation_and_its_near_copies_stay_on_one_side() -> None:
    turns = [
        Example(n, f"question {n % 4} of ticket {n // 4}", f"answer {n}", [{"role": "user", "content": f"hello {n}"}])
        for n in range(80)
    ]
    names = [f"c{row.place // 4}" for row in turns]
    parts, found = divide(turns, SplitOptions(0.2, 0.2, 0, 0.9), False, conversations=names)
    homes = [{names[row.place] for row in part} for part in parts.values()]
    assert sum(map(len, homes)) == 20 and found.clusters <= 20


def test_a_sample_keeps_every_class_and_its_share() -> None:
    assert quota({"l0": 90, "rare": 10}, 20) == {"l0": 18, "rare": 2}
    assert quota({"l0": 90, "rare": 10}, 2) == {"l0": 1, "rare": 1}


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 50), min_size=1, max_size=8), st.integers(1, 400))
def test_a_sample_has_the_size_that_was_asked(sizes: dict[str, int], count: int) -> None:
    count = min(count, sum(sizes.values()))
    found = quota(sizes, count)
    assert sum(found.values()) == count and all(0 <= found[name] <= size for name, size in sizes.items())
    assert count < len(sizes) or min(found.values()) >= 1
