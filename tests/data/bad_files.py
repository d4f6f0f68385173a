"""Writes every kind of bad source file into a folder: `python -m tests.data.bad_files` prints the sentence for each."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

GOOD = [{"text": f"example number {n}", "label": "odd" if n % 2 else "even"} for n in range(40)]


@dataclass(frozen=True)
class BadFile:
    """`name` of the file, how it is written, and the `code` and the words (places) that its sentence must hold."""

    name: str
    write: Callable[[Path], Any]
    code: str
    words: tuple[str, ...] = ()
    params: dict[str, Any] = field(default_factory=dict)


def csv_text(rows: list[dict[str, str]] = GOOD, mark: str = ",") -> str:
    return "\n".join([mark.join(rows[0]), *(mark.join(row.values()) for row in rows)]) + "\n"


def json_lines(rows: list[Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def with_line(number: int, line: str, text: str | None = None) -> str:
    """The good CSV (or `text`) with line `number`, counted from 1, replaced."""
    lines = (text or csv_text()).splitlines()
    lines[number - 1] = line
    return "\n".join(lines) + "\n"


def parquet(path: Path, rows: list[dict[str, Any]] = GOOD) -> None:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)


def _text(text: str, encoding: str = "utf-8") -> Callable[[Path], Any]:
    return lambda path: path.write_bytes(text.encode(encoding))


def _bytes(content: bytes) -> Callable[[Path], Any]:
    return lambda path: path.write_bytes(content)


def _cut_parquet(path: Path) -> None:
    parquet(path)
    path.write_bytes(path.read_bytes()[:-200])


def _workbook(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")


def _many_lines(path: Path) -> None:
    lines = [json.dumps({"text": f"row {n}", "label": "a" if n % 2 else "b"}) for n in range(1, 100_001)]
    lines[54_320] = '{"text": "row 54321", "label": }'
    path.write_text("\n".join(lines), encoding="utf-8")


_CHAT = [
    {"messages": [{"role": "user", "content": f"q {n}"}, {"role": "assistant", "content": f"a {n}"}]} for n in range(20)
]
_ACCENTED = csv_text().replace("number", "número").encode()


def _quoted(number: int, line: str) -> str:
    """A CSV whose quotes are needed, with line `number` replaced."""
    return with_line(number, line, csv_text([{"text": f'"example, {n}"', "label": '"odd"'} for n in range(40)]))


BAD: tuple[BadFile, ...] = (
    BadFile("missing.csv", lambda path: None, "data.missing", ("missing.csv",)),
    BadFile("folder.csv", lambda path: path.mkdir(), "data.folder_empty", ("folder.csv",)),
    BadFile("empty.csv", _text(""), "data.empty", ("empty.csv",)),
    BadFile("blank.jsonl", _text("\n  \n"), "data.empty", ("blank.jsonl",)),
    BadFile("mark_only.csv", _bytes(b"\xff\xfe"), "data.empty", ("mark_only.csv",)),
    BadFile("header.csv", _text("text,label\n"), "data.header_only", ("header.csv",)),
    BadFile("header.parquet", lambda path: parquet_empty(path), "data.header_only", ("header.parquet",)),
    BadFile("empty_list.json", _text("[]"), "data.header_only", ("empty_list.json",)),
    BadFile("sheet.csv", _workbook, "data.workbook_damaged", ("workbook", "sheet.csv")),
    BadFile("sheet.xlsx", _workbook, "data.workbook_damaged", ("workbook", "sheet.xlsx")),
    BadFile("paper.csv", _bytes(b"%PDF-1.7\n%\xe2\xe3\n1 0 obj"), "data.binary", ("PDF",)),
    BadFile("noise.csv", _bytes(bytes(range(256)) * 64), "data.binary", ("noise.csv",)),
    BadFile("utf16_cut.csv", _bytes(csv_text().encode("utf-16")[:-1]), "data.encoding_broken", ("UTF-16", "row 41")),
    BadFile(
        "latin.csv",
        _bytes(_ACCENTED + b"num\xe9ro,odd\n"),
        "data.encoding",
        ("row 42", "UTF-8", f"byte {len(_ACCENTED) + 3}"),
    ),
    BadFile("nul.csv", _text(with_line(5, "exam\0ple,odd")), "data.characters", ("row 5",)),
    BadFile("open_quote.csv", _text(_quoted(7, '"example","odd')), "data.quote", ("row 7",)),
    BadFile("stray_quote.csv", _text(_quoted(9, '"example" nine,"odd"')), "data.quote", ("row 9",)),
    BadFile(
        "ragged.csv", _text(with_line(12, "a,b,c", with_line(4, "a"))), "data.ragged", ("2 rows don", "4 → 1", "12 → 3")
    ),
    BadFile("object.json", _text('{"text": "a", "label": "b"}'), "data.json_no_list", ("text, label",)),
    BadFile("number.json", _text("42"), "data.json_not_list", ("number",)),
    BadFile("broken.json", _text('[\n{"text": "a"},\n{"text": }\n]'), "data.json", ("line 3", "column 10")),
    BadFile("cut.json", _text(json.dumps(GOOD, indent=1)[:-300]), "data.json", ("cut.json",)),
    BadFile("strings.json", _text('["a", "b"]'), "data.json_item", ("1 → text",)),
    BadFile("one_in_100000.jsonl", _many_lines, "data.json_line", ("one_in_100000.jsonl", "1 line is", "54321 →")),
    BadFile("cut.parquet", _cut_parquet, "data.columnar_damaged", ("cut.parquet",)),
    BadFile("rows.csv", _text(csv_text()), "data.column_missing", ("“intent”", "text, label"), {"output": "intent"}),
    BadFile("no_input.csv", _text(with_line(8, " ,odd")), "data.input_empty", ("row 8",)),
    BadFile(
        "nested.jsonl",
        _text(json_lines([*GOOD, {"text": ["x"], "label": "odd"}])),
        "data.not_text",
        ("41 → list (text)",),
    ),
    BadFile(
        "roles.jsonl",
        _text(json_lines([*_CHAT, {"messages": [{"role": "assistant", "content": "hello"}]}])),
        "data.chat_roles",
        ("21 → assistant message first (1)",),
    ),
    BadFile("shape.jsonl", _text(json_lines([*_CHAT, {"messages": "hello"}])), "data.chat_shape", ("21 → not a list",)),
    BadFile("few.csv", _text(csv_text(GOOD[:6])), "data.too_few_rows", ("6 rows have", "10")),
    BadFile(
        "classes.csv",
        _text(csv_text([{"text": f"t{n}", "label": f"l{n}"} for n in range(30)])),
        "data.more_classes_than_rows",
        ("30 labelled rows", "30 distinct"),
        {"answer": "label", "output": "label"},
    ),
    BadFile(
        "sample.csv",
        _text(csv_text()),
        "data.fewer_rows_than_classes",
        ("Fewer rows (1)", "classes (2)"),
        {"max_rows": 1},
    ),
    BadFile(
        "lonely.csv",
        _text(csv_text([row | {"who": "same"} for row in GOOD])),
        "data.split_empty",
        ("validation",),
        {"group": "who"},
    ),
)


def parquet_empty(path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table({"text": pyarrow.array([], pyarrow.string())}), path)


def sentences(folder: Path) -> list[tuple[str, str, str]]:
    """(file, code, sentence) of every bad file, as a run of the dataset stage says it."""
    from backend.core.errors import StudioError
    from backend.data.prepare import prepare
    from backend.stages.dataset import STAGE

    found = []
    for bad in BAD:
        path = folder / bad.name
        bad.write(path)
        try:
            prepare(STAGE.parse({"source": str(path), **bad.params}), 0, folder)
            found.append((bad.name, "", "no error"))
        except StudioError as error:
            found.append((bad.name, error.code, error.text()))
    return found


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        for name, _, sentence in sentences(Path(scratch)):
            print(f"{name:22} {sentence}")
