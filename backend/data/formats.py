"""The formats of source files: the only list of them. A format is one row here, and the class that the row names."""

from __future__ import annotations

from typing import NamedTuple


class SourceFormat(NamedTuple):
    """`suffixes`: of file names, the usual one first. `source`: `module:class` in `backend.data`, made with (path, encoding);
    `backend.data.reader.Source` says what it has. `magic`: the first bytes of a binary format, whose encoding is ""; empty
    for text."""

    name: str
    title: str
    suffixes: tuple[str, ...]
    source: str
    magic: bytes = b""


FORMATS = (
    SourceFormat("csv", "CSV", (".csv",), "csv_source:CsvSource"),
    SourceFormat("tsv", "TSV", (".tsv",), "csv_source:TsvSource"),
    SourceFormat("json", "JSON", (".json",), "json_source:JsonListSource"),
    SourceFormat("jsonl", "JSON Lines", (".jsonl", ".ndjson"), "json_source:JsonLinesSource"),
    SourceFormat("parquet", "Parquet", (".parquet",), "parquet_source:ParquetSource", b"PAR1"),
)


def by_suffix() -> dict[str, SourceFormat]:
    """Suffix -> its format."""
    return {suffix: row for row in FORMATS for suffix in row.suffixes}


def by_name(name: str) -> SourceFormat:
    """Raises StopIteration for an unknown name."""
    return next(row for row in FORMATS if row.name == name)
