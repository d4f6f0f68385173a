"""How a file is to be read where a person says so, and what a source says of the file that it opened."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from backend.core.errors import Problem


class ReadOptions(BaseModel):
    """Empty fields are found by content. `encoding`: a codec's name; `delimiter`: one character (`\\t` for a tab); `header`:
    whether the first row names the columns; `quotes`: whether quotation marks hold cells together, or are plain characters
    (no); `sheet`: of a workbook; `records`: the dotted path of the list of rows in a JSON file, or the member of an archive;
    `text_rows`: whether a text file is one row (file)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoding: str = ""
    delimiter: str = ""
    header: Literal["auto", "yes", "no"] = "auto"
    quotes: Literal["auto", "yes", "no"] = "auto"
    sheet: str = ""
    records: str = ""
    text_rows: Literal["auto", "file"] = "auto"


class SourceFacts(BaseModel):
    """What was found. `container`: gzip, bzip2, xz, zstd, zip, tar, folder or ""; `members`: the files that were read;
    `encoding`: "" for a binary format; `encoding_sure`: False where it was guessed; `header_line`: of a table in text, 0
    without a header; `label_names`: column -> names of its numbers, where the file holds them; `split_column`: the column that
    says train, validation or test, where the file's own structure does (lists or members by those names); `own_export`: the
    file was written by the studio; `notes`: what was taken without being asked, as non-blocking problems."""

    model_config = ConfigDict(extra="forbid")

    format: str
    title: str
    container: str = ""
    members: list[str] = []
    encoding: str = ""
    encoding_sure: bool = True
    delimiter: str = ""
    header_line: int = 1
    decimal_comma: bool = False
    sheet: str = ""
    label_names: dict[str, list[str]] = {}
    split_column: str = ""
    own_export: bool = False
    notes: list[Problem] = []
