"""What a source would become, before anything is stored: its reading, its first rows, what is wrong, and a forecast.

Runs in a child process of its own (backend.files.source_reading), because a hostile file may cost any time and memory. Files
of up to `WHOLE_BYTES` are looked at row by row, so that no row error is left for the job; of larger ones the first rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from backend.core.errors import Problem, StudioError
from backend.data import demo
from backend.data.chat_template import Encoder
from backend.data.dataset import Row, Template
from backend.data.divide import check_sizes
from backend.data.examples import Example, stored_row
from backend.data.mapping.mapper import Mapper
from backend.data.prepare import (
    Loaded,
    is_demo,
    load,
    loaded_warnings,
    make_template,
    open_as,
    shared_system,
    stop_at_row_errors,
)
from backend.data.preview import PreviewRow, rendered
from backend.data.reading.model import Candidate, Reading, Roles
from backend.data.reading.read import read
from backend.data.row_errors import RowErrors
from backend.data.row_store import RowStore
from backend.data.row_warnings import label_warnings
from backend.data.sources.options import SourceFacts
from backend.data.split import shuffled

if TYPE_CHECKING:
    from backend.data.params import DatasetParams

WHOLE_BYTES = 64_000_000
SAMPLE_ROWS = 5_000
"""Of a larger file."""


class Inspection(BaseModel):
    """`preview`: the first rows as a model reads them;
    `problems`: blocking ones, and what would be said as warnings; `forecast`: the facts that the dataset will have (the
    shape of `data_facts`), {} where a problem blocks."""

    model_config = ConfigDict(extra="forbid")

    reading: Reading
    template: Template | None = None
    preview: list[PreviewRow] = []
    problems: list[Problem] = []
    forecast: dict[str, Any] = {}


def inspect(params: DatasetParams, rows: int = 5) -> Inspection:
    """What is wrong with its rows is in `problems`. Raises StudioError for a source that can't be opened."""
    reading, problems, loaded = _looked_at(params)
    if reading is None:
        raise StudioError.of(problems)
    found = Inspection(reading=reading, problems=problems)
    if problems:
        return found
    try:
        _fill(params, rows, found, loaded)
    except StudioError as error:
        found.problems += error.problems
    return found


def preview(params: DatasetParams, n: int = 5, encoder: Encoder | None = None) -> list[PreviewRow]:
    """The first `n` rows of a source, before anything is stored. Row errors are passed over. Raises StudioError as the stage
    would."""
    _, problems, loaded = _looked_at(params)
    if problems:
        raise StudioError.of(problems)
    template, spelling = make_template(params, loaded.store, loaded.reading, loaded.columns)
    return [rendered(row, template, encoder) for row in _first(params, loaded, spelling, n)]


def _fill(params: DatasetParams, rows: int, found: Inspection, loaded: Loaded) -> None:
    template, spelling = make_template(params, loaded.store, loaded.reading, loaded.columns)
    found.template = template
    found.reading = found.reading.model_copy(update={"answer": template.answer, "labels": template.labels})
    found.preview = [rendered(row, template) for row in _first(params, loaded, spelling, rows)]
    found.problems += loaded_warnings(loaded) + label_warnings(loaded.store, spelling)
    stop_at_row_errors(params, loaded)
    found.forecast = _forecast(params, loaded, template)


def _looked_at(params: DatasetParams) -> tuple[Reading | None, list[Problem], Loaded]:
    """(reading, its question or what hinders it, the facts of its rows)."""
    store = RowStore()
    if is_demo(params):
        loaded = load(params, 0, store)
        return _demo_reading(store.count), [], loaded
    most = 0 if _bytes(params) <= WHOLE_BYTES else SAMPLE_ROWS
    try:
        loaded = load(params, 0, store, most_rows=most)
    except StudioError as error:
        return _question_of(params, most), error.problems, Loaded(store)
    if most and loaded.reading:
        loaded.reading = loaded.reading.model_copy(update={"sampled": True})
    return loaded.reading, [], loaded


def _demo_reading(rows: int) -> Reading:
    taken = Candidate(
        schema_name="text_label",
        task="classification",
        roles=Roles(input=["text"], output="label"),
        confidence=1.0,
        reason=Problem(code="inspect.demo", blocking=False),
    )
    return Reading(file=demo.SOURCE, source=SourceFacts(format="demo", title="Demo"), rows=rows, taken=taken)


def _question_of(params: DatasetParams, most: int) -> Reading | None:
    """The reading of a file that stopped at its question; None where it can't even be read."""
    try:
        return read(open_as(params, params.source), params, most)
    except StudioError:
        return None


def _bytes(params: DatasetParams) -> int:
    files = (Path(name) for name in (params.source, params.validation_source, params.test_source) if name)
    return sum(file.stat().st_size for file in files if file.is_file())


def _first(params: DatasetParams, loaded: Loaded, spelling: dict[str, str], count: int) -> list[Row]:
    shared = shared_system(loaded.store, loaded.reading)
    found = []
    for example in islice(_examples(params, loaded.reading), count):
        row = stored_row(example)
        row["output"] = spelling.get(row.get("output", ""), row.get("output"))
        if shared:
            row["context"] = row["context"][1:]
        found.append(Row.model_validate(row))
    return found


def _examples(params: DatasetParams, reading: Reading | None) -> Iterable[Example]:
    if reading is None:
        return shuffled(demo.demo_examples(tuple(params.languages)), 0)
    source = open_as(params, params.source)
    ignored = RowErrors(reading.file)
    return Mapper(reading, params, source.columns).examples(source.records(ignored), ignored)


def _forecast(params: DatasetParams, loaded: Loaded, template: Template) -> dict[str, Any]:
    """Rows per split as the shares say it; of a file that was sampled, as many as it seems to have."""
    store = loaded.store
    facts = store.facts()
    scale = 1.0
    if loaded.reading and loaded.reading.sampled:
        scale = max(1.0, open_as(params, params.source).count() / SAMPLE_ROWS)
    counts = {
        name: round(scale * int(((facts.splits == at) | (facts.origins == at)).sum())) for name, at in _GIVEN.items()
    }
    own = (facts.origins == 0) & (facts.splits <= 0)
    total, labelled = round(scale * int(own.sum())), round(scale * int((own & (facts.answers != 0)).sum()))
    check_sizes(params, labelled, len(template.labels), {name for name, count in counts.items() if count})
    if params.max_rows and params.max_rows < total:
        total, labelled = params.max_rows, round(labelled * params.max_rows / total)
    taken = {name: 0 if counts[name] else round(labelled * getattr(params, name)) for name in ("validation", "test")}
    left = labelled - sum(taken.values())
    train = min(params.labelled_rows or left, left)
    pool = total - sum(taken.values()) - train + counts.pop("pool") - round(scale * len(store.only_rejected))
    rows = {"train": train, **{name: counts[name] or taken[name] for name in taken}}
    words = len(template.system) * (loaded.store.count - store.systems - store.other_systems)
    if shared_system(store, loaded.reading):
        words = 0
    prompts = store.prompt_chars + words + (len(template.user) - len("{input}")) * store.count
    return {
        "rows": rows | {"pool": min(params.pool_rows or pool, pool)},
        "answer": template.answer,
        "labels": template.labels,
        "prompt_chars": round(prompts / max(1, store.count), 1),
        "answer_chars": round(store.answer_chars / max(1, store.answered), 1),
    }


_GIVEN = {"validation": 1, "test": 2, "pool": 3}
