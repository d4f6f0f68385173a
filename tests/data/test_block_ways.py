"""Whatever a file holds: read in blocks of columns it gives what it gives row by row."""

from __future__ import annotations

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.errors import StudioError
from backend.data.examples import Example
from backend.data.params import DatasetParams
from backend.data.prepare import Loaded, load
from backend.data.row_store import RowStore
from backend.data.sources import blocks, column_block, delimited
from backend.data.split_keys import digest, digests
from backend.data.text_forms import MARK, block_forms

_SIGNS = (
    "a b A ß ẞ İ ı ſ ŉ ǰ ΐ ﬁ ² ½ Ⅷ １ Ω Å é e\u0301 \u0301 \u0345 ς Σ 中 ا \u200d 👍🏽 🇪🇸 ¿ ñ Ñ µ ª ÿ Ÿ \u212b "
    "\u1e9b\u0323 \u0131 가 \u1100\u1161 \t \x02 \x0b \x0c \x1c \x1e \x7f \x85 \xa0 \xad \u180e \u200b \u2028 "
    "\u3000 \ufeff \ufffd _ - . , ; | ' \\ / 0 Total text label"
)
_ODD = _SIGNS.split(" ")
_WORDS = st.lists(st.sampled_from([*_ODD, " ", "  "]), max_size=6).map("".join)
_CELLS = st.one_of(_WORDS, st.sampled_from(["", " ", "x", "1", "1,5", "text", "label"]), st.text(max_size=8))
_INNER = st.sampled_from(["", "", "", "", '"', '""', "\n", "\r\n", "\r", '","', "\n,"])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(alphabet=st.sampled_from("".join(_ODD) + " "), min_size=1, max_size=9), min_size=1))
def test_forms_of_texts_together_are_those_of_each(texts: list[str]) -> None:
    array = pyarrow.array(texts)
    forms, words = block_forms(array)
    assert forms == [Example(1, text).form.encode() for text in texts]
    assert digests(array, words).tolist() == [digest(text) for text in texts]


def test_forms_of_every_character_that_has_several() -> None:
    codes = (*range(0x3400), *range(0xA000, 0xAC00), *range(0xF900, 0x20000), *range(0xE0000, 0xE0200))
    signs = [chr(code) for code in codes if chr(code) != MARK]
    for texts in (signs, [f"A{sign}e" for sign in signs], [f"{sign}\u0301 ." for sign in signs], signs[:256]):
        array = pyarrow.array(texts)
        forms, words = block_forms(array)
        assert forms == [Example(1, text).form.encode() for text in texts]
        assert digests(array, words).tolist() == [digest(text) for text in texts]


@st.composite
def _tables(draw: st.DrawFn) -> tuple[bytes, str, int]:
    """(file, encoding, bytes of a block): most cells quoted as they should be, some lines not."""
    mark = draw(st.sampled_from([",", ";", "\t"]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    wide, clean = draw(st.integers(2, 4)), draw(st.booleans())

    def written(cell: str, inner: str) -> str:
        cell += inner
        if clean:
            cell = re.sub("[\n\r]", " ", cell) + "x"
        elif draw(st.integers(0, 30)) == 0:
            return cell
        return f'"{cell.replace(chr(34), chr(34) * 2)}"' if set(cell) & {mark, '"', "\n", "\r"} or inner else cell

    lines = [mark.join(["text", "label", "note", "more"][:wide])]
    for _ in range(draw(st.integers(1, 14))):
        cells = [written(draw(_CELLS), draw(_INNER)) for _ in range(wide)]
        lines.append(mark.join(cells if clean else cells[: draw(st.sampled_from([wide] * 12 + [1, 2, 3]))]))
    text = end.join(lines) + draw(st.sampled_from([end, "", end * 2]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]))
    return text.encode(encoding, "replace"), encoding, draw(st.sampled_from([32, 60, 150, 1 << 20]))


def _outcome(params: DatasetParams, folder: Path) -> Any:
    loaded = Loaded(RowStore(folder / "rows.jsonl"))
    try:
        load(params, 0, loaded)
    except StudioError as error:
        return [problem.model_dump() for problem in error.problems]
    store, facts = loaded.store, loaded.store.facts()
    assert loaded.reading is not None
    return (
        [orjson.loads(line) for line in store.lines(range(store.count))],
        [each.tolist() for each in (facts.keys, facts.answers, facts.labels, facts.splits, facts.origins)],
        [each.tolist() for each in (store.keys.equal, store.keys.contexts, store.keys.content)],
        (store.labels, store.count, store.answered, store.prompt_chars, store.answer_chars),
        [(counted.counts, counted.places) for counted in (*loaded.row_errors, *loaded.notes)],
        loaded.reading.model_dump(),
    )


@settings(max_examples=150, deadline=None)
@given(_tables(), st.booleans())
def test_tables_are_the_same_in_blocks_and_row_by_row(table: tuple[bytes, str, int], carried: bool) -> None:
    content, encoding, size = table
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder, "rows.csv")
        path.write_bytes(content)
        params = DatasetParams(
            source=str(path), input="text", output="label", encoding=encoding, on_bad_row="skip", answer="text",
            keep_columns=["note"] if carried else [],
        )  # fmt: skip
        patch.setattr(blocks, "SIZE", size)
        together = _outcome(params, Path(folder))
        patch.setattr(delimited, "suits_blocks", lambda *about: False)
        patch.setattr("backend.data.mapping.mapper.Mapper.plain_columns", lambda self: None)
        assert together == _outcome(params, Path(folder))


_VALUES = st.one_of(_CELLS, st.sampled_from([None, True, 3, -1, 2.0, 1.5, [], ["a"], ["a", "b"], {"a": 1}, 10**30]))
_KINDS = st.sampled_from(
    [
        _VALUES,
        _WORDS.map("{}y".format),
        st.integers(),
        st.sampled_from([1, True]),
        st.sampled_from(["a", None, "", " "]),
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(_KINDS, _KINDS).flatmap(lambda kinds: st.lists(st.tuples(_VALUES, *kinds), min_size=1, max_size=12)),
    st.booleans(),
    st.booleans(),
)
def test_records_are_the_same_in_batches_and_row_by_row(
    values: list[tuple[Any, Any, Any]], plain: bool, carried: bool
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder, "source.jsonl")
        rows = [{"text": f"{a}x" if plain else a, "label": b, "note": c} for a, b, c in values]
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
        params = DatasetParams(
            source=str(path), input="text", output="label", on_bad_row="skip", keep_columns=["note"] if carried else []
        )
        patch.setattr(column_block.batched, "__defaults__", (3,))
        together = _outcome(params, Path(folder))
        patch.setattr("backend.data.mapping.mapper.Mapper.plain_columns", lambda self: None)
        assert together == _outcome(params, Path(folder))
