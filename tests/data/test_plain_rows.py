"""Rows taken many at a time give what they give one by one."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest

from backend.data.examples import Example
from backend.data.params import DatasetParams
from backend.data.plain_rows import PlainColumns, PlainRows, plain_rows
from backend.data.prepare import Loaded, load, prepare
from backend.data.row_errors import Record
from backend.data.row_store import RowStore
from backend.data.split_keys import digest, digests
from backend.data.text_forms import block_forms

_LETTERS = "abcAÉéñß.,¿ _-12²½ﬁ\u0301\u00a0\u2028ا中\t!?İ"


def _texts(count: int, letters: str = _LETTERS) -> list[str]:
    chance = random.Random(3)
    made = ("".join(chance.choice(letters) for _ in range(chance.randint(1, 12))) for _ in range(count))
    return [text for text in made if text.strip()]


@pytest.mark.parametrize("letters", [_LETTERS, "abC.,! _1\t"])
def test_texts_together_have_the_digests_of_each(letters: str) -> None:
    texts = _texts(3000, letters)
    array = pyarrow.array(texts)
    forms, words = block_forms(array)
    assert digests(array, words).tolist() == [digest(text) for text in texts]
    assert forms == [Example(1, text).form.encode() for text in texts]


def _write(path: Path, rows: list[dict[str, object]]) -> DatasetParams:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return DatasetParams(source=str(path), input="text", output="label", on_bad_row="skip")


@pytest.mark.parametrize("odd", [None, {"text": " ", "label": "a"}, {"text": "no answer", "label": None}])
def test_a_store_is_the_same_row_by_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: dict[str, object] | None
) -> None:
    rows: list[dict[str, object]] = [
        {"id": number, "text": f"{text} {number}", "label": "ab"[number % 2]} for number, text in enumerate(_texts(300))
    ]
    params = _write(tmp_path / "rows.jsonl", rows + ([odd] if odd else []))
    found = []
    for way in ("together", "one by one"):
        if way == "one by one":
            monkeypatch.setattr("backend.data.mapping.mapper.Mapper.plain_columns", lambda self: None)
        store = load(params, 0, Loaded(RowStore(tmp_path / way))).store
        facts = store.facts()
        numbers: list[Any] = [
            facts.labels,
            facts.answers,
            facts.keys,
            facts.groups,
            facts.splits,
            facts.origins,
            facts.times,
        ]
        sums = store.labels, store.count, store.answered, store.prompt_chars, store.answer_chars
        keys = store.keys.equal, store.keys.contexts, store.keys.content
        lines = list(store.lines(range(store.count)))
        found.append(([each.tolist() for each in (*numbers, *keys)], sums, lines))
    assert found[0] == found[1]
    assert len(found[0][2]) == len(rows) + (odd is not None and odd["text"] != " ")


def test_what_a_row_error_may_come_of_is_left_to_the_exact_way() -> None:
    columns = PlainColumns("t", "a")
    usable = [Record(1, {"t": "hello", "a": "x"})]
    assert plain_rows(usable, columns) is not None
    for values in ({"t": "\0", "a": "x"}, {"t": "\ud800", "a": "x"}, {"t": "y", "a": "  "}, {"t": ["y"], "a": "x"}):
        assert plain_rows([*usable, Record(2, values)], columns) is None


def test_many_rows_are_divided_by_content_alone(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"text": f"question {number} é", "label": "ab"[number % 2]} for number in range(101_000)
    ]
    sides = []
    for number, order in enumerate((rows, rows[::-1])):
        (tmp_path / str(number)).mkdir()
        prepared = prepare(_write(tmp_path / f"{number}.jsonl", order), 0, tmp_path / str(number))
        sides.append({row["input"] for row in prepared.rows("test")})
    assert sides[0] == sides[1]
    assert np.isclose(len(sides[0]), 10_100, rtol=0.01)


def test_lines_of_a_table_are_what_the_exact_way_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{text} {at}" for at, text in enumerate(_texts(400, 'ab"\\/é\t\x02\x7f，😀 ,;'))]
    cells = [f'"{text.replace(chr(34), chr(34) * 2)}"' for text in texts]
    rows = [f"{cell},{'ab'[at % 2]},{'' if at % 3 else 'web'},{at}\n" for at, cell in enumerate(cells)]
    (tmp_path / "rows.csv").write_text("".join(["text,label,source,id\n", *rows]), "utf-8")
    found = []
    added: list[int] = []
    add_plain = RowStore.add_plain

    def counted(self: RowStore, rows: PlainRows, origin: str) -> None:
        added.append(len(rows.places))
        add_plain(self, rows, origin)

    monkeypatch.setattr(RowStore, "add_plain", counted)
    for way in ("together", "one by one"):
        if way == "one by one":
            monkeypatch.setattr("backend.data.mapping.mapper.Mapper.plain_columns", lambda self: None)
        (tmp_path / way).mkdir()
        params = DatasetParams(
            source=str(tmp_path / "rows.csv"), input="text", output="label", keep_columns=["source", "id"]
        )
        prepared = prepare(params, 0, tmp_path / way)
        found.append({split: b"".join(prepared.blocks(split)) for split in ("train", "validation", "test")})
    assert found[0] == found[1]
    assert sum(added) == len(texts)
    assert b'"fields":{"source":"web","id":"0"}' in b"".join(found[0].values())
