"""Parquet and Arrow, a batch of rows at a time: bytes, decimals and dates become text, label numbers keep their names."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from backend.core.errors import Problem, StudioError
from backend.data.row_errors import Record, RowErrors
from backend.data.sources.leaves import KeyUnion, with_leaves
from backend.data.sources.names import distinct_names
from backend.data.sources.options import ReadOptions, SourceFacts
from backend.data.sources.text_file import InputFile

_BATCH = 1000
Convert = Callable[[Any], Any]


class ColumnarSource(ABC):
    """What both have in common: a schema and batches. Raises StudioError where the file is damaged or has no rows."""

    def __init__(self, file: InputFile, options: ReadOptions, facts: SourceFacts) -> None:
        import pyarrow

        self.path, self.facts, self._file = file.path, facts, file
        try:
            schema, self._rows = self._open()
        except (pyarrow.ArrowException, OSError, ValueError, OverflowError, EOFError) as error:
            raise StudioError("data.columnar_damaged", file=file.name) from error
        if not self._rows:
            raise StudioError("data.header_only", file=file.name)
        self._names, twice = distinct_names(list(schema.names))
        if twice:
            args = {"file": file.name, "names": ", ".join(twice)}
            facts.notes.append(Problem(code="data.columns_twice", args=args, blocking=False))
        union = KeyUnion()
        union.add({name: _empty_object(kind) for name, kind in zip(self._names, schema.types, strict=True)})
        self.columns, self._leaves = union.columns, union.leaves
        self._converts = [(at, convert) for at, kind in enumerate(schema.types) if (convert := converter(kind))]
        facts.label_names = label_names(schema.metadata or {})

    def records(self, row_errors: RowErrors) -> Iterator[Record]:
        """All rows. Raises StudioError, with the row, where the file is damaged."""
        import pyarrow

        place, names, leaves = 0, self._names, self._leaves
        try:
            for batch in self._batches():
                columns = [column.to_pylist() for column in batch.columns]
                for at, convert in self._converts:
                    columns[at] = [None if value is None else convert(value) for value in columns[at]]
                for cells in zip(*columns, strict=True):
                    place += 1
                    values = dict(zip(names, cells, strict=True))
                    yield Record(place, with_leaves(values, leaves) if leaves else values)
        except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
            raise StudioError("data.columnar_row", file=self._file.name, row=place) from error

    def count(self) -> int:
        return self._rows

    @abstractmethod
    def _open(self) -> tuple[Any, int]:
        """(schema, rows)."""

    @abstractmethod
    def _batches(self) -> Iterator[Any]:
        """The rows in blocks of columns."""


class ParquetSource(ColumnarSource):
    """A Parquet file."""

    def _open(self) -> tuple[Any, int]:
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(self._file.path) as file:
            return file.schema_arrow, file.metadata.num_rows

    def _batches(self) -> Iterator[Any]:
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(self._file.path) as file:
            yield from file.iter_batches(batch_size=_BATCH)


class ArrowSource(ColumnarSource):
    """Arrow's file format (Feather too) and its stream format, which `datasets` writes."""

    def _open(self) -> tuple[Any, int]:
        with self._reader() as (reader, batches):
            return reader.schema, sum(batch.num_rows for batch in batches)

    def _batches(self) -> Iterator[Any]:
        with self._reader() as (_, batches):
            for batch in batches:
                for start in range(0, batch.num_rows, _BATCH):
                    yield batch.slice(start, _BATCH)

    @contextmanager
    def _reader(self) -> Iterator[tuple[Any, Iterator[Any]]]:
        import pyarrow

        with pyarrow.memory_map(str(self._file.path)) as mapped:
            if mapped.read(6) == b"ARROW1":
                with pyarrow.ipc.open_file(mapped) as file:
                    yield file, (file.get_batch(number) for number in range(file.num_record_batches))
            else:
                mapped.seek(0)
                with pyarrow.ipc.open_stream(mapped) as stream:
                    yield stream, iter(stream)


def converter(kind: Any) -> Convert | None:
    """How a value of an Arrow type becomes one that JSON knows; None where it is one."""
    from pyarrow import types

    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return _text_of_bytes
    if types.is_decimal(kind) or types.is_interval(kind) or types.is_duration(kind):
        return str
    if types.is_timestamp(kind):
        return lambda value: value.isoformat(sep=" ")
    if types.is_date(kind) or types.is_time(kind):
        return lambda value: value.isoformat()
    if types.is_dictionary(kind):
        return converter(kind.value_type)
    if types.is_map(kind):
        inner = converter(kind.item_type) or _same
        return lambda value: {str(key): None if item is None else inner(item) for key, item in value}
    if types.is_struct(kind):
        fields = {field.name: convert for field in kind if (convert := converter(field.type))}
        return (lambda value: value | _converted(value, fields)) if fields else None
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        convert = converter(kind.value_type)
        return (lambda value: [None if item is None else convert(item) for item in value]) if convert else None
    return None


def label_names(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """Column -> names of its numbers, where `datasets` left its features in the schema."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        kinds = {name: kind.get("feature", kind) if isinstance(kind, dict) else {} for name, kind in features.items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}
    return {
        name: list(map(str, kind["names"]))
        for name, kind in kinds.items()
        if isinstance(kind, dict) and kind.get("_type") == "ClassLabel" and isinstance(kind.get("names"), list)
    }


def _converted(value: dict[str, Any], fields: dict[str, Convert]) -> dict[str, Any]:
    return {name: convert(value[name]) for name, convert in fields.items() if value.get(name) is not None}


def _text_of_bytes(value: bytes) -> Any:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def _same(value: Any) -> Any:
    return value


def _empty_object(kind: Any) -> Any:
    """An object with the leaves of a struct."""
    from pyarrow import types

    if types.is_struct(kind):
        return {field.name: _empty_object(field.type) for field in kind}
    return [] if types.is_nested(kind) else None
