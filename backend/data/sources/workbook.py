"""Sheets of Excel and OpenDocument workbooks: values as they are shown to a program, formulas as what they gave."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

from backend.core.errors import Problem, StudioError
from backend.data.row_errors import Record, RowErrors
from backend.data.sources.layout import find_layout
from backend.data.sources.options import ReadOptions, SourceFacts
from backend.data.sources.text_file import InputFile

UNPACKED_LIMIT = 2 << 30
"""Bytes of a sheet's XML. A sheet is held in memory whole, and no spreadsheet of a million rows is larger."""
_SAMPLE = 1000
_COVER = 3
"""Rows with several cells that a sheet without a table may have."""
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


class WorkbookSource:
    """One sheet of a workbook. Raises StudioError where several hold rows and none is named, or it can't be read."""

    def __init__(self, file: InputFile, options: ReadOptions, facts: SourceFacts) -> None:
        self.path, self.facts, self._file = file.path, facts, file
        _refuse_bomb(file)
        facts.sheet, self._sheet = self._find_sheet(options.sheet or options.records)
        self._total = self._sheet.end[0] + 1 if self._sheet.end else 0
        filled = [(place, list(map(_shown, cells))) for place, cells in islice(self._rows(), _SAMPLE)]
        if not filled:
            raise StudioError("data.empty", file=file.name)
        width = max(_width(cells) for _, cells in filled)
        filled = [(place, cells[:width]) for place, cells in filled]
        layout = find_layout(filled, width, options.header, file.name)
        facts.header_line = layout.line
        self._start = filled[layout.start][0]
        self._keep = [index for index in range(width) if index not in layout.unnamed or self._is_filled(index)]
        self.columns = [layout.names[index] for index in self._keep]
        facts.notes += layout.notes
        unnamed = [layout.names[index] for index in layout.unnamed if index in self._keep]
        if unnamed and layout.header >= 0:
            args = {"file": file.name, "names": ", ".join(unnamed)}
            facts.notes.append(Problem(code="data.columns_unnamed", args=args, blocking=False))

    def records(self, row_errors: RowErrors) -> Iterator[Record]:
        """All rows below the header that hold anything; an empty cell is missing."""
        columns, keep = self.columns, self._keep
        for place, cells in self._rows():
            if place >= self._start:
                values = [_value(cells[index]) if index < len(cells) else None for index in keep]
                if any(value is not None for value in values):
                    yield Record(place, dict(zip(columns, values, strict=True)))

    def count(self) -> int:
        return max(1, self._total - self._start + 1)

    def _is_filled(self, index: int) -> bool:
        below = (cells for place, cells in self._rows() if place >= self._start)
        return any(index < len(cells) and cells[index] not in ("", None) for cells in below)

    def _rows(self) -> Iterator[tuple[int, list[Any]]]:
        """Rows that hold anything, with their numbers in the sheet."""
        for place, cells in enumerate(self._sheet.iter_rows(), 1):
            if any(cell not in ("", None) for cell in cells):
                yield place, cells

    def _find_sheet(self, wanted: str) -> tuple[str, Any]:
        """The name and the sheet, which is held as long as the source: reading one again takes as long as all else."""
        workbook = self._workbook()
        names: list[str] = list(workbook.sheet_names)
        if wanted:
            if wanted not in names:
                raise StudioError(
                    "data.sheet_missing", field="records", file=self._file.name, name=wanted, sheets=", ".join(names)
                )
            return wanted, self._open_sheet(workbook, wanted)
        opened = ((name, self._open_sheet(workbook, name)) for name in names)
        filled = {name: sheet for name, sheet in opened if sheet.end}
        if not filled:
            raise StudioError("data.empty", file=self._file.name)
        tables = [name for name, sheet in filled.items() if _is_table(sheet)]
        if len(filled) > 1 and len(tables) != 1:
            choices = list(filled)[:20]
            about = {"file": self._file.name, "sheets": ", ".join(choices), "choices": choices}
            raise StudioError("data.sheets_several", field="records", **about)
        if len(filled) > 1:
            others = ", ".join(name for name in filled if name not in tables)
            about = {"file": self._file.name, "name": tables[0], "sheets": others}
            self.facts.notes.append(Problem(code="data.sheet_taken", args=about, blocking=False))
        taken = tables[0] if tables else next(iter(filled))
        return taken, filled[taken]

    def _open_sheet(self, workbook: Any, name: str) -> Any:
        """The library reads a sheet when it opens it."""
        import python_calamine as calamine

        try:
            return workbook.get_sheet_by_name(name)
        except calamine.CalamineError as error:
            raise StudioError("data.workbook_damaged", file=self._file.name) from error

    def _workbook(self) -> Any:
        import python_calamine as calamine

        try:
            with self._file.path.open("rb") as stream:  # by content; a path would be judged by its extension
                return calamine.CalamineWorkbook.from_filelike(stream)
        except calamine.PasswordError:
            raise StudioError("data.encrypted", file=self._file.name) from None
        except Exception as error:  # the library raises whatever its parser met
            if _is_encrypted(self._file):
                raise StudioError("data.encrypted", file=self._file.name) from None
            raise StudioError("data.workbook_damaged", file=self._file.name) from error


def _is_table(sheet: Any) -> bool:
    """Whether a sheet has several rows of several cells; a cover or a page of notes has not."""
    wide = (sum(cell not in ("", None) for cell in cells) > 1 for cells in islice(sheet.iter_rows(), _SAMPLE))
    return sum(wide) > _COVER


def _value(cell: Any) -> Any:
    if cell == "":
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell) if isinstance(cell, timedelta) else cell


def _shown(cell: Any) -> str:
    value = _value(cell)
    return "" if value is None else str(value)


def _width(cells: Sequence[str]) -> int:
    return max((index + 1 for index, cell in enumerate(cells) if cell), default=0)


def _is_encrypted(file: InputFile) -> bool:
    with file.path.open("rb") as stream:
        return _ENCRYPTED in stream.read(1 << 20)


def _refuse_bomb(file: InputFile) -> None:
    try:
        with zipfile.ZipFile(file.path) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        return
    if unpacked > UNPACKED_LIMIT:
        raise StudioError("data.packed_large", file=file.name, limit=f"{UNPACKED_LIMIT / 1e9:.1f} GB")
