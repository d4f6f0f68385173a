"""Tables in text: separators, headers, names, quotation marks, and what is said of them."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.errors import StudioError
from backend.data.row_errors import RowErrors
from backend.data.sources import blocks
from tests.data.sources.helpers import ROWS, notes, opened, rows

TABLE = "text,label\n" + "".join(f'"{row["text"]}",{row["label"]}\n' for row in ROWS)


def lines(*content: str) -> str:
    return "".join(f"{line}\n" for line in content)


def test_a_first_line_may_say_the_separator(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.csv", "sep=;\n" + TABLE.replace('",', '";').replace("text,", "text;"))
    assert rows(source) == ROWS and source.facts.header_line == 2 and source.facts.delimiter == ";"
    assert next(iter(source.records(RowErrors("a")))).place == 3


@pytest.mark.parametrize(
    "above", ["Report of March\n\n", "Report,\n", "Report of March, second part\n\n", "\n\nReport\n"]
)
def test_titles_above_the_header_are_left_out_and_said(above: str, tmp_path: Path) -> None:
    source = opened(tmp_path / "a.csv", above + TABLE)
    assert rows(source) == ROWS and notes(source) == {"data.header_later"}
    assert source.facts.header_line == above.count("\n") + 1


def test_a_row_in_place_of_the_header_is_a_row(tmp_path: Path) -> None:
    content = lines(
        *(f'{n % 3},"title {n}","the lamp number {n} came late and was of the wrong size, again"' for n in range(9))
    )
    source = opened(tmp_path / "a.csv", content)
    assert source.columns == ["column 1", "column 2", "column 3"] and len(rows(source)) == 9
    assert notes(source) == {"data.header_none"} and source.facts.header_line == 0
    assert next(iter(source.records(RowErrors("a")))).place == 1
    assert len(rows(opened(tmp_path / "a.csv", content, header="yes"))) == 8


def test_a_header_that_can_be_either_is_said(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.csv", lines("blue,red", "green,white", "black,grey"))
    assert source.columns == ["blue", "red"] and notes(source) == {"data.header_unsure"}
    assert len(rows(opened(tmp_path / "a.csv", lines("blue,red", "green,white"), header="no"))) == 2


@pytest.mark.parametrize("names", ["utterance,intent", "Frage,Antwort", "q,a"])
def test_a_header_of_other_words_is_seen_by_the_labels_below(names: str, tmp_path: Path) -> None:
    source = opened(tmp_path / "a.csv", TABLE.replace("text,label", names))
    assert source.columns == names.split(",") and not notes(source)


def test_columns_without_a_name(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.csv", lines(",text,label,,", *(f"{n},lamp {n},odd,," for n in range(5))))
    assert source.columns == ["column 1", "text", "label"]
    assert rows(source)[4] == {"column 1": "4", "text": "lamp 4", "label": "odd"}
    assert notes(source) == {"data.columns_unnamed", "data.columns_empty"}


def test_a_column_without_a_name_is_kept_for_one_late_value(tmp_path: Path) -> None:
    many = [f"lamp {n},odd," for n in range(90_000)]
    source = opened(tmp_path / "a.csv", lines("text,label,", *many, "last,odd,look here"))
    assert source.columns == ["text", "label", "column 3"] and rows(source)[-1]["column 3"] == "look here"


def test_names_that_occur_twice_are_made_distinct(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.csv", lines("id,text,id,id 2,id", "1,a,2,3,4", "5,b,6,7,8"))
    assert len(set(source.columns)) == 5 and source.columns[0] == "id" and "data.columns_twice" in notes(source)
    assert list(rows(source)[0].values()) == ["1", "a", "2", "3", "4"]


def test_spaces_in_names_are_tidied(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.csv", lines(" Customer\u00a0 Text ,label", "a lamp,good", "a desk,bad"))
    assert source.columns == ["Customer Text", "label"]


def test_names_of_rows_before_the_first_named_column(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.csv", lines("text,label", *(f"r{n},lamp {n},odd" for n in range(5))))
    assert source.columns == ["column 1", "text", "label"] and rows(source)[0]["text"] == "lamp 0"


def test_separators_at_the_end_of_rows_add_no_column(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.csv", lines("text,label", *(f"lamp {n},odd," for n in range(5))))
    assert source.columns == ["text", "label"] and len(rows(source)) == 5


def test_decimal_commas_are_said(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.csv", lines("Text;Betrag", "eine Lampe;1.234,50", "ein Tisch;0,75"))
    assert source.facts.decimal_comma and notes(source) == {"data.decimal_comma"}
    assert rows(source)[0]["Betrag"] == "1.234,50"


def test_a_single_column_of_prose_is_not_cut_at_its_commas(tmp_path: Path) -> None:
    said = ["Well, the lamp is fine", "No", "It came late, was wet, and broken", "Good, thanks"]
    assert [row["text"] for row in rows(opened(tmp_path / "a.csv", lines("text", *said)))] == said


def test_missing_words_are_words(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.csv", lines("text,label", "a,NA", "b,None", "c,null", "d,"))
    assert [row["label"] for row in rows(source)] == ["NA", "None", "null", ""]


QUOTED_WORD = lines("text\tlabel", *(f"lamp {n} is fine\todd" for n in range(9)), '"Great" he said, a lamp\teven')
OPEN_AND_CLOSED = lines(
    "text\tlabel", "lamp 0\todd", '"lamp 1\todd', "lamp 2\teven", "lamp 3\todd", 'lamp 4"\teven', *["lamp 5\todd"] * 4
)
NEXT_LINE = lines("text,label", *["a lamp,odd", "a desk,even"] * 9, '"a bed,odd', 'a chair",even')


@pytest.mark.parametrize(("content", "count"), [(QUOTED_WORD, 10), (OPEN_AND_CLOSED, 9), (NEXT_LINE, 20)])
def test_quotes_that_are_characters_swallow_no_rows(content: str, count: int, tmp_path: Path) -> None:
    source = opened(tmp_path / "a.tsv", content)
    found = rows(source)
    assert len(found) == count and notes(source) == {"data.quotes_literal"}
    assert sum('"' in row["text"] for row in found) == content.count('"') - content.count('"Great"')


def test_quotes_can_be_forced(tmp_path: Path) -> None:
    assert len(rows(opened(tmp_path / "a.tsv", OPEN_AND_CLOSED, quotes="yes"))) == 6
    assert rows(opened(tmp_path / "a.csv", 'text,label\n"a",b\n"c",d\n', quotes="no"))[0] == {
        "text": '"a"',
        "label": "b",
    }


def test_a_swallowing_quote_far_below_ends_in_a_sentence_with_its_row(tmp_path: Path) -> None:
    good = [f"the lamp number {n} came late and was too small\todd" for n in range(40_000)]
    content = lines("text\tlabel", *good, '"a lamp\todd', "a desk\todd", 'a bed"\todd')
    source = opened(tmp_path / "a.tsv", content)
    with pytest.raises(StudioError, match=r"row 40,002: an unclosed quotation mark swallows whole rows.*--quotes no"):
        rows(source)


def test_line_breaks_and_doubled_quotes_inside_cells(tmp_path: Path) -> None:
    text = 'Hello,\r\n\r\nthe "blue" lamp, again\nBye'
    out = io.StringIO()
    csv.writer(out).writerows([["text", "label"], *[[text, "odd"]] * 5])
    assert rows(opened(tmp_path / "a.csv", out.getvalue())) == [{"text": text, "label": "odd"}] * 5


def test_backslashes_before_quotes(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.csv", 'text,label\n"he said \\"no\\", twice",odd\n"a lamp, a desk",even\n')
    assert rows(source)[0] == {"text": 'he said "no", twice', "label": "odd"}


def test_spaces_before_quotes(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.csv", 'text, label\n"a lamp, a desk", "odd, but nice"\n"a bed", "even"\n')
    assert rows(source)[0] == {"text": "a lamp, a desk", "label": "odd, but nice"}


def test_an_unknown_separator_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="--delimiter"):
        opened(tmp_path / "a.csv", TABLE, delimiter="ab")
    assert opened(tmp_path / "a.csv", "a^b\n1^2\n", delimiter="^").columns == ["a", "b"]
    assert opened(tmp_path / "a.csv", "a b\t c\n1\t2\n", delimiter="\\t").columns == ["a b", "c"]


def test_thousands_of_columns(tmp_path: Path) -> None:
    names = [f"c{n}" for n in range(5000)]
    body = lines(",".join(names), *[",".join(["1"] * 5000)] * 20)
    source = opened(tmp_path / "a.csv", body)
    assert source.columns == names and len(rows(source)) == 20


CELLS = st.text(st.sampled_from("ab ,;\t|\"\n'é=+-"), max_size=12)
TABLES = st.lists(st.tuples(CELLS, CELLS, CELLS).filter(any), min_size=1, max_size=12)


@settings(max_examples=300, deadline=None)
@given(
    TABLES, st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]), st.sampled_from(["\n", "\r\n"])
)
def test_what_a_writer_wrote_is_read_back_with_its_options(table: Any, quoting: Any, ending: str) -> None:
    """Options say what a few odd rows can't show; blocks and the exact reader agree."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, quoting=quoting, lineterminator=ending)
            writer.writerow(["text", "label", "id"])
            writer.writerows(table)
        source = opened(path, path.read_bytes(), delimiter=",", header="yes", quotes="yes")
        assert [tuple(row.values()) for row in rows(source)] == table


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.sampled_from('ab,"\n\r\té'), max_size=30), max_size=6))
def test_a_block_is_only_taken_where_the_exact_reader_agrees(pieces: list[str]) -> None:
    from backend.data.sources.dialect import Dialect

    block = ("a,b\n" + "\n".join(pieces) + "\n").encode()
    dialect = Dialect(",")
    found = (
        blocks.columns_of(block, dialect, ["a", "b"], [0, 1], range(block.count(b"\n")))
        if blocks.closes(block, dialect)
        else None
    )
    if found is not None:
        exact = list(dialect.reader(io.StringIO(block.decode(), newline="")))
        assert [list(row.values.values()) for row in found.records()] == [cells for cells in exact if any(cells)]


def test_rows_that_end_early_are_row_errors_and_no_single_column(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.csv", lines("version,name,made,ended", *["1,a,2", "2,b", "3,c,4,5", "4,d,6"] * 5))
    assert source.columns == ["version", "name", "made", "ended"] and len(rows(source, {"data.ragged": 15})) == 5


@pytest.mark.parametrize("content", ["1,5;2,5\n", "a, b;c\n", "Hi, a; b\tyes, c; d\n"])
def test_the_rarer_separator_is_taken_where_two_fit(content: str, tmp_path: Path) -> None:
    assert len(opened(tmp_path / "a.csv", content * 9, header="no").columns) == 2


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.data.sources.text_file.LINE_LIMIT", 1 << 20)
    for name in ("a.csv", "a.jsonl", "a.txt"):
        with pytest.raises(StudioError, match="a line of more than 1 MB"):
            opened(tmp_path / name, "text\n" + "x" * (5 << 20) + "\n")


def test_a_cell_larger_than_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.data.sources.blocks.SIZE", 50)
    content = lines(
        "text,label", *["a lamp,odd"] * 9, f"{'x' * 200},even", *["a desk,odd"] * 9, '"a\nb",c', "d,e,f", "g,h"
    )
    source = opened(tmp_path / "a.csv", content)
    places = [record.place for record in source.records(RowErrors("a"))]
    assert places == [*range(2, 22), 24] and rows(source, {"data.ragged": 1})[19] == {"text": "a\nb", "label": "c"}
