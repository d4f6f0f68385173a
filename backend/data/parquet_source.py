"""Parquet, a batch of rows at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from backend.core.errors import StudioError
from backend.data.row_errors import Record, RowErrors


class ParquetSource:
    """A Parquet file, read 1,000 rows at a time."""

    def __init__(self, path: Path, _encoding: str) -> None:
        import pyarrow
        import pyarrow.parquet

        self.path = path
        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                self.columns: list[str] = list(file.schema_arrow.names)
                self._rows: int = file.metadata.num_rows
        except (pyarrow.ArrowException, OSError) as error:
            raise StudioError("data.parquet_damaged", file=path.name) from error
        repeated = [name for name, count in Counter(self.columns).items() if count > 1]
        if repeated:
            raise StudioError("data.column_twice", file=path.name, names=", ".join(repeated))
        if not self._rows:
            raise StudioError("data.header_only", file=path.name)

    def records(self, row_errors: RowErrors) -> Iterator[Record]:
        """All rows. Raises StudioError, with the row, where the file is damaged."""
        import pyarrow
        import pyarrow.parquet

        place = 0
        try:
            with pyarrow.parquet.ParquetFile(self.path) as file:
                for batch in file.iter_batches(batch_size=1000):
                    for values in batch.to_pylist():
                        place += 1
                        yield Record(place, values)
        except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
            raise StudioError("data.parquet_row", file=self.path.name, row=place) from error

    def count(self) -> int:
        return self._rows
