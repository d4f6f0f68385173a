"""The formats of source files: the only list of them. A format is one row here, and the class that the row names."""

from __future__ import annotations

from typing import NamedTuple


class SourceFormat(NamedTuple):
    """`suffixes`: of file names, the usual one first; they are a hint, the content decides. `source`: `module:class` in
    `backend.data.sources`, made with (InputFile, ReadOptions, SourceFacts); `backend.data.sources.source.Source` says what it
    has. `magic`: the first bytes of a binary format; empty for text, and where several formats share them."""

    name: str
    title: str
    suffixes: tuple[str, ...]
    source: str
    magic: tuple[bytes, ...] = ()


FORMATS = (
    SourceFormat("csv", "CSV", (".csv",), "delimited:DelimitedSource"),
    SourceFormat("tsv", "TSV", (".tsv", ".tab", ".psv"), "delimited:DelimitedSource"),
    SourceFormat("json", "JSON", (".json",), "json_document:JsonSource"),
    SourceFormat("jsonl", "JSON Lines", (".jsonl", ".ndjson"), "json_lines:JsonLinesSource"),
    SourceFormat("parquet", "Parquet", (".parquet",), "columnar:ParquetSource", (b"PAR1",)),
    SourceFormat(
        "arrow", "Arrow", (".arrow", ".feather"), "columnar:ArrowSource", (b"ARROW1\0\0", b"\xff\xff\xff\xff")
    ),
    SourceFormat("workbook", "Excel", (".xlsx", ".xls", ".ods", ".xlsm", ".xlsb"), "workbook:WorkbookSource"),
    SourceFormat("yaml", "YAML", (".yaml", ".yml"), "yaml_document:YamlSource"),
    SourceFormat("text", "Text", (".txt", ".md"), "plain_text:TextSource"),
)
CONTAINER_SUFFIXES = (".gz", ".bz2", ".xz", ".zst", ".zip", ".tar", ".tgz")
"""Of files that hold others in any of these formats; `backend.data.sources.containers` unpacks them."""


def by_suffix() -> dict[str, SourceFormat]:
    """Suffix -> its format."""
    return {suffix: row for row in FORMATS for suffix in row.suffixes}


def by_name(name: str) -> SourceFormat:
    """Raises StopIteration for an unknown name."""
    return next(row for row in FORMATS if row.name == name)


def source_suffixes() -> tuple[str, ...]:
    """Of everything that a dataset can be made from."""
    return (*by_suffix(), *CONTAINER_SUFFIXES)
