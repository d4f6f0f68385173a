"""The single answers of one model, or of two on the same rows: filtered, searched, a page at a time, never all in memory.

A file of answers is read once for an index (where a row begins, whether it is right); its texts are read when they are shown.
"""

from __future__ import annotations

import csv
import io
import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from pathlib import Path
from typing import Any, Literal

from backend.core.csv_cells import escape_formula
from backend.core.errors import StudioError
from backend.core.schemas import View
from backend.stats.paired import mcnemar_p

Show = Literal["all", "differ", "first_wrong", "second_wrong"]
FILE = "answers.jsonl"
CONFUSION = "confusion.json"


class AnswerRow(View):
    """One row with the answers of one or two models; `second` is None when there is one model. `fields`: the columns of the
    source that travel with the row, such as an id or a slice."""

    id: str
    input: str
    expected: str
    first: str
    first_right: bool
    second: str | None = None
    second_right: bool | None = None
    fields: dict[str, str] = {}


class PairedCounts(View):
    """Two models on the same rows: how many both, only one or none got right. `p`: exact McNemar test, two-sided."""

    both: int
    only_first: int
    only_second: int
    neither: int

    @property
    def n(self) -> int:
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def p(self) -> float:
        """How likely a difference at least this large is when both are equally good."""
        return mcnemar_p(self.only_first, self.only_second)


class Confusion(View):
    """`counts[i][j]`: rows of label i that were answered with j."""

    labels: list[str]
    counts: list[list[int]]

    def mistakes(self, most: int = 5) -> list[tuple[str, str, int]]:
        """(right label, given label, rows), the most frequent first."""
        found = [
            (self.labels[i], self.labels[j], count)
            for i, row in enumerate(self.counts)
            for j, count in enumerate(row)
            if i != j and count
        ]
        return sorted(found, key=lambda item: -item[2])[:most]


def confusion(folder: Path) -> Confusion | None:
    """None for answers in free text."""
    file = folder / CONFUSION
    return Confusion.model_validate_json(file.read_text("utf-8")) if file.is_file() else None


@dataclass(frozen=True)
class _Index:
    path: Path
    places: dict[str, int]
    """Row id -> number of the line."""
    starts: array[int]
    right: bytearray
    answers: array[int]
    """A hash of each answer: enough to see whether two differ."""

    def read(self, ids: list[str]) -> Iterator[dict[str, Any]]:
        with self.path.open("rb") as stream:
            for id_ in ids:
                stream.seek(self.starts[self.places[id_]])
                yield json.loads(stream.readline())


@lru_cache(maxsize=16)
def _index(path: Path) -> _Index:
    """Raises StudioError when the file is gone."""
    index = _Index(path, {}, array("q"), bytearray(), array("q"))
    if not path.is_file():
        raise StudioError("core.artifact_damaged", ref=path.parent.name, file=path.name)
    at = 0
    with path.open("rb") as stream:
        for number, raw in enumerate(stream):
            line = json.loads(raw)
            index.places[line["id"]] = number
            index.starts.append(at)
            index.right.append(line["correct"])
            index.answers.append(hash(line["answer"].strip()))
            at += len(raw)
    return index


class Answers:
    """`Answers(folder)` or `Answers(folder, other)` over the folders of evaluations; only rows that both have count.
    Raises StudioError when a file is missing."""

    def __init__(self, first: Path, second: Path | None = None) -> None:
        self._first = _index(first / FILE)
        self._second = _index(second / FILE) if second else None
        shared = self._second.places if self._second else self._first.places
        self._ids = [id_ for id_ in self._first.places if id_ in shared]

    def paired(self) -> PairedCounts:
        """Raises ValueError when there is only one model."""
        if self._second is None:
            raise ValueError("two models are needed")
        counts = [0, 0, 0, 0]
        for id_ in self._ids:
            counts[2 * (not self._right(self._first, id_)) + (not self._right(self._second, id_))] += 1
        return PairedCounts(both=counts[0], only_first=counts[1], only_second=counts[2], neither=counts[3])

    def rows(self, show: Show = "all", search: str = "") -> list[str]:
        """Ids of the rows that fit, in the order of the file; `search` in any text of the row, whatever the case."""
        ids = [id_ for id_ in self._ids if self._fits(id_, show)]
        wanted = search.strip().casefold()
        if not wanted:
            return ids
        return [row.id for row in self._read(ids) if wanted in "\n".join(_texts(row)).casefold()]

    def page(self, ids: list[str], number: int, size: int = 20) -> list[AnswerRow]:
        """Page `number` (from 1) of these rows."""
        return list(self._read(ids[(number - 1) * size : number * size]))

    def csv(self, ids: list[str], header: list[str]) -> str:
        """These rows as CSV: id, input, expected, then answer and 0 or 1 per model, then the columns that travel with the rows.
        A text that a spreadsheet would take for a formula gets an apostrophe."""
        rows = list(self._read(ids))
        names = list(dict.fromkeys(name for row in rows for name in row.fields))
        lines: list[list[Any]] = []
        for row in rows:
            line = [row.id, row.input, row.expected, row.first, int(row.first_right)]
            line += [] if row.second is None else [row.second, int(bool(row.second_right))]
            lines.append([*line, *(row.fields.get(name, "") for name in names)])
        return table_csv([*header, *names], lines)

    def _fits(self, id_: str, show: Show) -> bool:
        if show == "first_wrong":
            return not self._right(self._first, id_)
        if self._second is None or show == "all":
            return True
        if show == "second_wrong":
            return not self._right(self._second, id_)
        return self._answer(self._first, id_) != self._answer(self._second, id_)

    def _right(self, index: _Index, id_: str) -> bool:
        return bool(index.right[index.places[id_]])

    def _answer(self, index: _Index, id_: str) -> int:
        return index.answers[index.places[id_]]

    def _read(self, ids: list[str]) -> Iterator[AnswerRow]:
        others = self._second.read(ids) if self._second else repeat(None, len(ids))
        for line, other in zip(self._first.read(ids), others, strict=True):
            yield AnswerRow(
                id=line["id"],
                input=line["input"],
                expected=line["expected"],
                first=line["answer"],
                first_right=line["correct"],
                second=other["answer"] if other else None,
                second_right=other["correct"] if other else None,
                fields=line.get("fields", {}),
            )


def table_csv(header: list[str], lines: list[list[Any]]) -> str:
    """CSV with a byte order mark, so that spreadsheets read it as UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([escape_formula(cell) for cell in header])
    writer.writerows([escape_formula(cell) for cell in line] for line in lines)
    return "\ufeff" + out.getvalue()


def _texts(row: AnswerRow) -> list[str]:
    return [row.input, row.expected, row.first, row.second or ""]
