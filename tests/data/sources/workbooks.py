"""Writes small workbooks, since nothing that is installed does."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape


class Date(NamedTuple):
    """Days since 30 December 1899, shown as a date."""

    days: float


class Formula(NamedTuple):
    text: str
    value: float


Sheets = dict[str, list[list[Any]]]
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/package/2006/relationships"
_LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def xlsx(path: Path, sheets: Sheets) -> Path:
    names = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, 1))
    links = "".join(
        f'<Relationship Id="r{n}" Type="{_LINK}/worksheet" Target="worksheets/s{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    styles = f'<Relationship Id="styles" Type="{_LINK}/styles" Target="styles.xml"/>'
    types = "".join(
        f'<Override PartName="/xl/worksheets/s{n}.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        'spreadsheetml.worksheet+xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/xl/workbook.xml" '
            'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
            + types
            + "</Types>",
        )
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINK}"><sheets>{names}</sheets></workbook>'
        )
        first = f'<Relationship Id="r" Type="{_LINK}/officeDocument" Target="xl/workbook.xml"/>'
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{_LINKS}">{first}</Relationships>')
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_LINKS}">{links}{styles}</Relationships>',
        )
        for n, table in enumerate(sheets.values(), 1):
            body = "".join(_row(at, cells) for at, cells in enumerate(table, 1))
            archive.writestr(
                f"xl/worksheets/s{n}.xml", f'<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData></worksheet>'
            )
        formats = '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>'
        archive.writestr("xl/styles.xml", f'<styleSheet xmlns="{_MAIN}">{formats}</styleSheet>')
    return path


def ods(path: Path, sheets: Sheets) -> Path:
    tables = "".join(
        f'<table:table table:name="{name}">{"".join(map(_ods_row, table))}</table:table>'
        for name, table in sheets.items()
    )
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
            "</office:document-content>",
        )
    return path


def _row(at: int, cells: list[Any]) -> str:
    found = ""
    for column, cell in enumerate(cells):
        place = f"{chr(65 + column)}{at}"
        if isinstance(cell, int | float):
            found += f'<c r="{place}"><v>{cell}</v></c>'
        elif isinstance(cell, Date):
            found += f'<c r="{place}" s="1"><v>{cell.days}</v></c>'
        elif isinstance(cell, Formula):
            found += f'<c r="{place}"><f>{cell.text}</f><v>{cell.value}</v></c>'
        elif cell is not None:
            found += f'<c r="{place}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
    return f'<row r="{at}">{found}</row>'


def _ods_row(cells: list[Any]) -> str:
    found = ""
    for cell in cells or [None]:
        if isinstance(cell, int | float):
            about = f'office:value-type="float" office:value="{cell}"'
            found += f"<table:table-cell {about}><text:p>{cell}</text:p></table:table-cell>"
        elif cell is None:
            found += "<table:table-cell/>"
        else:
            found += f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'
    return f"<table:table-row>{found}</table:table-row>"
