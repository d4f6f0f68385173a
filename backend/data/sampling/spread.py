"""Rows from all over a source that can only be read from its beginning: a workbook, a document, text in an unusual encoding."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from backend.data.row_errors import Record, RowErrors
from backend.data.sources.source import Source

HEAD_ROWS, FURTHER_ROWS = 2_500, 5_000
MOST_ROWS = HEAD_ROWS + FURTHER_ROWS


class SpreadSource:
    """The first rows of a source, and every second (fourth, eighth ...) of the others, so that at most so many are held. All
    rows are passed once, when records are first asked for; row errors are those of all rows."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.path, self.columns, self.facts = source.path, source.columns, source.facts
        self._records: list[Record] | None = None
        self._errors = RowErrors(source.path.name)
        self._passed = 0

    def records(self, row_errors: RowErrors) -> Iterator[Record]:
        """Raises StudioError as the source does."""
        if self._records is None:
            self._records = self._spread()
        counted = self._errors
        row_errors.counts |= counted.counts
        row_errors.places |= {code: list(places) for code, places in counted.places.items()}
        row_errors.about |= counted.about
        yield from self._records

    def count(self) -> int:
        return self._passed or self._source.count()

    def _spread(self) -> list[Record]:
        records = self._source.records(self._errors)
        head = list(islice(records, HEAD_ROWS))
        every, further = 1, list[Record]()
        self._passed = len(head)
        for number, record in enumerate(records):
            self._passed += 1
            if number % every == 0:
                further.append(record)
                if len(further) > FURTHER_ROWS:
                    further, every = further[::2], 2 * every
        return head + further
