"""What a source would become, before anything is stored: its reading, its first rows, what is wrong, and a forecast.

Runs in a child process of its own (backend.files.source_reading), because a hostile file may cost any time and memory. Files
of up to `WHOLE_BYTES` are looked at row by row, so that no row error is left for the job; of larger ones a sample of rows from
all over the file (backend.data.sampling). What the import then reads of all rows is what counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from backend.core.errors import Problem, StudioError
from backend.data import demo
from backend.data.chat_template import Encoder
from backend.data.dataset import Row, Template
from backend.data.divide import check_sizes
from backend.data.examples import Example, stored_row
from backend.data.language import language_of
from backend.data.mapping.mapper import Mapper
from backend.data.params import DatasetParams
from backend.data.prepare import (
    Loaded,
    is_demo,
    load,
    loaded_warnings,
    open_as,
    stop_at_row_errors,
)
from backend.data.preview import PreviewRow, rendered
from backend.data.prompt import make_template, prompt_notes, shared_system
from backend.data.reading.model import Candidate, Reading, Roles
from backend.data.row_errors import RowErrors
from backend.data.row_store import RowStore
from backend.data.row_warnings import label_warnings
from backend.data.sampling.part import Part
from backend.data.sampling.sample import FIELDS, PACKED, samples
from backend.data.sampling.spread import MOST_ROWS, SpreadSource
from backend.data.sources.opening import kept_open
from backend.data.sources.options import SourceFacts
from backend.data.split import shuffled

WHOLE_BYTES = 16_000_000
"""Some 200,000 short rows, which take about a second."""
SPREAD_BYTES = 400_000_000
"""Of a file that no sample can be taken of: up to here all of its rows are passed, of a larger one the first are seen."""
_LANGUAGE_ROWS = 60
"""Enough to tell in which language most rows are."""
_LANGUAGE_CHARS = 200
_SURE_LANGUAGE = 0.99
_OF_ALL_ROWS = {"data.template_unknown", "data.column_missing"}
"""What may be wrong with a sample alone: no row of it may have the key."""
_GIVEN = {"validation": 1, "test": 2, "pool": 3}


class Inspection(BaseModel):
    """`preview`: the first rows as a model reads them, none while the reading has a question; `problems`: all that an import
    would stop at or warn of; `forecast`: the facts that the dataset will have (the shape of `data_facts`), {} where a problem
    blocks; `language`: of most rows, "" where they don't show it."""

    model_config = ConfigDict(extra="forbid")

    reading: Reading
    language: str = ""
    preview: list[PreviewRow] = []
    problems: list[Problem] = []
    forecast: dict[str, Any] = {}


def inspect(params: DatasetParams, rows: int = 5) -> Inspection:
    """Raises StudioError when the source can't be read at all; whatever else is wrong is in `problems`."""
    if is_demo(params) or _bytes(params) <= WHOLE_BYTES // PACKED:
        return _inspect(params, rows, 0, {})
    most = MOST_ROWS if _bytes(params) > WHOLE_BYTES else 0
    with samples(params, WHOLE_BYTES) as (smaller, parts):
        if parts:
            left = any(_size(getattr(smaller, field)) > WHOLE_BYTES for field in _given(smaller))
            with suppress(StudioError):  # said below, with its place in the file, if it is there at all
                found = _inspect(smaller, rows, MOST_ROWS if left else 0, parts)
                if not {problem.code for problem in found.problems} & _OF_ALL_ROWS:
                    return found
    return _inspect(params, rows, most, {})


def _inspect(params: DatasetParams, rows: int, most: int, parts: dict[str, Part]) -> Inspection:
    with _opened_once(params, most):
        return _inspected(params, rows, most, parts)


def _opened_once(params: DatasetParams, most: int) -> AbstractContextManager[None]:
    """Also sees to it that `most` rows come from all over a source."""
    return kept_open(SpreadSource) if most and _bytes(params) <= SPREAD_BYTES else kept_open()


def _inspected(params: DatasetParams, rows: int, most: int, parts: dict[str, Part]) -> Inspection:
    loaded = Loaded(RowStore())
    try:
        _load(params, loaded, most, parts)
    except StudioError as error:
        if loaded.reading is None:
            raise
        return Inspection(reading=_marked(loaded.reading, most, parts), problems=error.problems)
    if loaded.reading and most:
        count = max(loaded.reading.rows, open_as(params, params.source).count())
        loaded.reading.estimated = round(count * (parts["source"].times if "source" in parts else 1.0))
    found = Inspection(reading=loaded.reading or _demo_reading(loaded.store))
    try:
        template, spelling = make_template(params, loaded.store, loaded.reading, loaded.columns)
        found.reading = found.reading.model_copy(update={"answer": template.answer, "labels": template.labels})
        found.preview = [rendered(row, template) for row in _first(params, loaded, spelling, rows)]
        found.language = _language(_first(params, loaded, spelling, _LANGUAGE_ROWS))
        stop_at_row_errors(params, loaded)
        found.problems = loaded_warnings(loaded) + label_warnings(loaded.store, spelling)
        found.problems += prompt_notes(params, template)
        found.forecast = _forecast(params, loaded, template, parts)
    except StudioError as error:
        found.problems += error.problems
    return found


def preview(params: DatasetParams, n: int = 5, encoder: Encoder | None = None) -> list[PreviewRow]:
    """The first `n` rows of a source as they will be. Row errors are passed over. Raises StudioError as the stage would."""
    most = 0 if is_demo(params) or _bytes(params) <= WHOLE_BYTES else MOST_ROWS
    loaded = Loaded(RowStore())
    with _opened_once(params, most):
        _load(params, loaded, most, {})
        template, spelling = make_template(params, loaded.store, loaded.reading, loaded.columns)
        return [rendered(row, template, encoder) for row in _first(params, loaded, spelling, n)]


def _load(params: DatasetParams, loaded: Loaded, most: int, parts: dict[str, Part]) -> None:
    """The facts of all rows (0), or of the first ones; `loaded` keeps the reading where it is not sure. Row errors of a sample
    get their places in the file. Raises StudioError."""
    load(params, 0, loaded, most_rows=most)
    if loaded.reading:
        loaded.reading = _marked(loaded.reading, most, parts)
    for counted, field in zip(loaded.row_errors, _given(params), strict=False):
        if field in parts:
            parts[field].correct(counted)
    for counted, field in zip(loaded.notes, _given(params), strict=False):
        if field in parts:
            parts[field].correct(counted)


def _marked(reading: Reading, most: int, parts: dict[str, Part]) -> Reading:
    if not most and not parts:
        return reading
    times = parts["source"].times if "source" in parts else 1.0
    return reading.model_copy(update={"sampled": True, "estimated": round(times * reading.rows)})


def _given(params: DatasetParams) -> list[str]:
    """The fields of the files, as they are loaded."""
    return [field for field in FIELDS if getattr(params, field)]


def _bytes(params: DatasetParams) -> int:
    return sum(_size(getattr(params, field)) for field in _given(params))


def _size(name: str) -> int:
    root = Path(name)
    files = root.rglob("*") if root.is_dir() else [root]
    return sum(file.stat().st_size for file in files if file.is_file())


def _first(params: DatasetParams, loaded: Loaded, spelling: dict[str, str], count: int) -> list[Row]:
    shared = shared_system(loaded.store, loaded.reading)
    found = []
    for example in islice(_examples(params, loaded.reading), count):
        row = dict(stored_row(example))
        row["output"] = spelling.get(row.get("output", ""), row.get("output"))
        if shared:
            row["context"] = row["context"][1:]
        found.append(Row.model_validate(row))
    return found


def _language(rows: Iterable[Row]) -> str:
    """The code of the language that most rows are in, by their joined beginnings; "" where that is not sure."""
    text = "\n".join(f"{row.input[:_LANGUAGE_CHARS]} {(row.output or '')[:_LANGUAGE_CHARS]}" for row in rows)
    return language_of(text, _SURE_LANGUAGE) or ""


def _examples(params: DatasetParams, reading: Reading | None) -> Iterable[Example]:
    if reading is None:
        return shuffled(demo.demo_examples(tuple(params.languages), 0), 0)
    source = open_as(params, params.source)
    ignored = RowErrors(reading.file)
    return Mapper(reading, params, source.columns).examples(source.records(ignored), ignored)


def _forecast(params: DatasetParams, loaded: Loaded, template: Template, parts: dict[str, Part]) -> dict[str, Any]:
    """Rows per split as the shares say it; of a file that was sampled, as many as it seems to have."""
    store = loaded.store
    facts = store.facts()
    scales = {field: part.times for field, part in parts.items()}
    scale = scales.get("source", 1.0)
    if loaded.reading and loaded.reading.estimated:
        scale = loaded.reading.estimated / max(1, loaded.reading.rows)
    given = {
        name: round(
            scale * int(((facts.splits == at) & (facts.origins == 0)).sum())
            + scales.get(f"{name}_source", 1.0) * int((facts.origins == at).sum())
        )
        for name, at in _GIVEN.items()
    }
    own = (facts.origins == 0) & (facts.splits <= 0)
    total, labelled = round(scale * int(own.sum())), round(scale * int((own & (facts.answers != 0)).sum()))
    total -= round(scale * len(store.only_rejected))
    if not (facts.splits >= 0).any():
        check_sizes(params, labelled, len(template.labels), {name for name, count in given.items() if count})
    rows = _rows(params, total, labelled, given)
    words = 0 if shared_system(store, loaded.reading) else store.count - store.systems - store.other_systems
    prompts = store.prompt_chars + len(template.system) * words + (len(template.user) - len("{input}")) * store.count
    return {
        "rows": rows,
        "answer": template.answer,
        "labels": template.labels,
        "prompt_chars": round(prompts / max(1, store.count), 1),
        "answer_chars": round(store.answer_chars / max(1, store.answered), 1),
        "pairs": round(rows["train"] * store.pairs / max(1, store.answered)),
        "rejected_chars": round(store.rejected_chars / max(1, store.pairs), 1),
        "rejected_rows": round(scale * len(store.only_rejected)),
    }


def _rows(params: DatasetParams, total: int, labelled: int, given: dict[str, int]) -> dict[str, int]:
    """Rows per split: of `total` rows to divide `labelled` have an answer, beside those whose split is `given`."""
    if params.max_rows and params.max_rows < total:
        total, labelled = params.max_rows, round(labelled * params.max_rows / total)
    taken = {name: 0 if given[name] else round(labelled * getattr(params, name)) for name in ("validation", "test")}
    left = labelled - sum(taken.values())
    train = min(params.labelled_rows or left, left)
    pool = total - sum(taken.values()) - train + given["pool"]
    counts = {"train": train, **{name: given[name] or taken[name] for name in taken}}
    return counts | {"pool": min(params.pool_rows or pool, pool)}


def _demo_reading(store: RowStore) -> Reading:
    taken = Candidate(
        schema_name="text_label",
        task="classification",
        roles=Roles(input=["text"], output="label"),
        confidence=1.0,
        reason=Problem(code="data.column_missing", blocking=False),
    )
    facts = SourceFacts(format="demo", title="Demo")
    return Reading(file=demo.SOURCE, source=facts, rows=store.count, taken=taken)
