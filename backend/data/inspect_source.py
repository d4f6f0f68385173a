"""What will come of a source, before anything is stored: its reading, its first rows as a model reads them, the forecast."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from backend.core.errors import Problem
from backend.data import demo
from backend.data.prepare import estimate, is_demo
from backend.data.preview import PreviewRow, preview
from backend.data.reader import open_source
from backend.data.reading.model import Candidate, Reading, Roles
from backend.data.reading.read import read
from backend.data.sources.options import SourceFacts

if TYPE_CHECKING:
    from backend.data.params import DatasetParams


class Inspection(BaseModel):
    """`preview`: the first rows, none while the reading has a question; `problems`: all that an import would stop at or warn
    of, as far as it is known now; `forecast`: the facts that the dataset will have (the shape of `data_facts`)."""

    model_config = ConfigDict(extra="forbid")

    reading: Reading
    preview: list[PreviewRow] = []
    problems: list[Problem] = []
    forecast: dict[str, Any] = {}


def inspect(params: DatasetParams, rows: int = 5) -> Inspection:
    """Reads the head of the source. Raises StudioError when it can't be opened, or a column is not there."""
    reading = _demo_reading() if is_demo(params) else read(open_source(Path(params.source)), params)
    if reading.question:
        return Inspection(reading=reading, problems=[reading.question])
    forecast = estimate(params)
    found = reading.model_copy(update={"answer": forecast["answer"], "labels": forecast["labels"]})
    return Inspection(reading=found, preview=preview(params, rows), forecast=forecast)


def _demo_reading() -> Reading:
    taken = Candidate(
        schema_name="text_label",
        task="classification",
        roles=Roles(input=["text"], output="label"),
        confidence=1.0,
        reason=Problem(code="data.column_missing", blocking=False),
    )
    facts = SourceFacts(format="demo", title="Demo")
    return Reading(file=demo.SOURCE, source=facts, rows=len(demo.demo_examples()), taken=taken)
