"""From an opened file and what a person said of it to a reading."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from backend.core.errors import Problem
from backend.data.columns import ColumnMapping, map_columns
from backend.data.reader import Source
from backend.data.reading.model import Candidate, ColumnReading, Reading, Roles
from backend.data.sources.options import SourceFacts

if TYPE_CHECKING:
    from backend.data.params import DatasetParams


def read(
    source: Source, params: DatasetParams, most_rows: int = 0, tick: Callable[[int], None] = lambda rows: None
) -> Reading:
    """Looks at all rows, or at the first `most_rows`; `tick` is called with the rows read. What `params` names is taken as it
    is. A reading that is not sure carries its question. Raises StudioError for a column that is not there."""
    found = map_columns(
        source, ColumnMapping(params.input, params.output, params.details, params.group, params.messages)
    )
    roles = Roles(
        input=[name for name in (found.input, found.details) if name],
        output=found.output,
        messages=found.messages,
        group=found.group,
    )
    taken = Candidate(
        schema_name="messages" if found.messages else "input_output",
        task="",
        roles=roles,
        confidence=1.0,
        reason=Problem(code="data.column_missing", blocking=False),
    )
    return Reading(
        file=source.path.name,
        source=getattr(source, "facts", SourceFacts(format="", title="")),
        rows=source.count(),
        columns=[ColumnReading(name=name, kind="text") for name in source.columns],
        taken=taken,
    )
