"""The index of a split: pages, filters, orders and searches give what reading the whole file would give."""

from __future__ import annotations

import random
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.errors import StudioError
from backend.data import row_index
from backend.data.dataset import Row, Template, write_split, write_template
from backend.data.row_filter import RowFilter, Sort, searched
from backend.data.row_index import RowIndex, may_hold, open_index

LABELS = ["red", "green", "blue"]
WORDS = ["Luz", "salón", "KITCHEN", "door", "straße", 'say "hi"', "a\nb", "İstanbul", "back\\slash"]


def made(folder: Path, rows: list[Row]) -> RowIndex:
    folder.mkdir(parents=True, exist_ok=True)
    write_template(folder, Template(answer="label", labels=LABELS))
    write_split(folder, "train", rows)
    return open_index(folder, "train", folder / "cache")


@pytest.fixture
def rows() -> list[Row]:
    chance = random.Random(0)
    return [
        Row(
            id=str(n) if n % 2 else f"row-{n}",
            input=" ".join(chance.choices(WORDS, k=chance.randint(1, 6))),
            output=chance.choice([*LABELS, "purple", None]),
            confidence=chance.choice([None, 0.25, 0.75]),
            tags=["odd"] if n % 5 == 0 else [],
        )
        for n in range(300)
    ]


@pytest.mark.parametrize(
    "wanted",
    [
        *(RowFilter(search=word) for word in [*WORDS, "SALÓN", "STRASSE", 'say "HI"\n', "nowhere", "red"]),
        RowFilter(label="red"),
        RowFilter(label="purple"),
        RowFilter(tag="odd", least=10),
        RowFilter(least=8, most=20),
        RowFilter(ids=("row-2", "3", "none")),
        RowFilter(search="door", label="blue", tag="odd"),
    ],
)
def test_a_filter_finds_what_reading_every_row_finds(tmp_path: Path, rows: list[Row], wanted: RowFilter) -> None:
    index = made(tmp_path, rows)
    positions, whole = index.select(wanted)
    assert whole and list(positions) == [at for at, row in enumerate(rows) if wanted.matches(row)]


def test_rows_are_read_whole_from_any_place(tmp_path: Path, rows: list[Row]) -> None:
    index = made(tmp_path, rows)
    assert (
        len(index) == 300
        and index.rows(range(200, 225)) == rows[200:225]
        and index.rows([299, 0]) == [rows[299], rows[0]]
    )
    assert index.find("row-298") == 298 and index.find("298") is None


def test_orders(tmp_path: Path, rows: list[Row]) -> None:
    index = made(tmp_path, rows)

    def ordered(sort: Sort, descending: bool = False, **about: str) -> list[Row]:
        return index.rows(index.select(RowFilter(**about), sort, descending)[0])

    assert [row.id for row in ordered("id")][:3] == ["1", "3", "5"]  # numbers by their value
    lengths = [len(row.input) for row in ordered("length", True)]
    assert lengths == sorted(lengths, reverse=True)
    sure = [row.confidence for row in ordered("confidence") if row.confidence is not None]
    assert sure == sorted(sure) and ordered("confidence")[-1].confidence is None
    assert [row.output for row in ordered("answer", label="red")] == ["red"] * sum(row.output == "red" for row in rows)
    assert all(sort == "" or len(ordered(sort)) == 300 for sort in get_args(Sort))


def test_the_index_is_made_once_and_not_left_half_made(tmp_path: Path, rows: list[Row]) -> None:
    with pytest.raises(InterruptedError):
        write_template(tmp_path, Template())
        write_split(tmp_path, "train", rows)
        open_index(tmp_path, "train", tmp_path / "cache", stop=lambda: True)
    assert not list((tmp_path / "cache").iterdir())
    first = open_index(tmp_path, "train", tmp_path / "cache")
    assert open_index(tmp_path, "train", tmp_path / "cache") is first
    assert row_index.is_ready(tmp_path, "train", tmp_path / "cache")


def test_a_search_can_be_stopped_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_index, "BLOCK", 10)
    index = made(tmp_path, [Row(id=str(n), input="door") for n in range(100)])
    looks = iter([False, False, True])
    positions, whole = index.select(RowFilter(search="door"), stop=lambda: next(looks))
    assert list(positions) == list(range(20)) and not whole
    monkeypatch.setattr(row_index, "MOST_HITS", 30)
    assert index.select(RowFilter(search="door"))[1] is False


def test_no_rows_and_no_dataset(tmp_path: Path) -> None:
    index = made(tmp_path, [])
    assert (
        len(index) == 0 and list(index.select(RowFilter(search="x"))[0]) == [] and index.length_quantiles([0.5]) == []
    )
    (tmp_path / "test.jsonl").write_text('{"id": "1"}\n', "utf-8")
    for split in ("test", "pool"):
        with pytest.raises(StudioError) as error:
            open_index(tmp_path, split, tmp_path / "cache")
        assert error.value.code == "core.artifact_damaged"


def test_statistics_are_of_all_rows(tmp_path: Path, rows: list[Row]) -> None:
    index = made(tmp_path, rows)
    assert index.label_counts() == {label: sum(row.output == label for row in rows) for label in LABELS}
    assert index.length_quantiles([1.0]) == [max(len(row.input) for row in rows)]
    assert np.load(next((tmp_path / "cache").glob("train-*.npy"))).dtype.names[0] == "offset"


@given(st.text(max_size=20), st.text(max_size=60), st.text(max_size=10))
def test_no_block_with_a_hit_is_passed_over(search: str, text: str, answer: str) -> None:
    row = Row(id="1", input=text, output=answer)
    line = (row.model_dump_json(exclude_defaults=True)).encode()
    if search.casefold() in searched(row):
        assert may_hold(line, search)
