"""From an opened file and what a person said of it to a reading."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal
from unicodedata import normalize

from backend.core.errors import Problem, StudioError
from backend.data.reader import Source
from backend.data.reading import names
from backend.data.reading.choices import number_problem
from backend.data.reading.choose import Choice, choose, picture_problem
from backend.data.reading.column import ColumnProfile
from backend.data.reading.forms import month_first
from backend.data.reading.kinds import MAX_LABEL_CHARS, is_label
from backend.data.reading.model import Candidate, ColumnReading, Reading, Role, Roles
from backend.data.reading.notes import notes
from backend.data.reading.profile import profile
from backend.data.reading.schemas import candidates
from backend.data.reading.table import Table, used_columns
from backend.data.reading.wanted import (
    check_columns,
    column_list,
    looked_at,
    named_candidates,
    odd_columns,
    wanted_inputs,
    wanted_schema,
)
from backend.data.row_errors import RowErrors
from backend.data.sources.column_block import row_blocks
from backend.data.sources.options import SourceFacts

if TYPE_CHECKING:
    from backend.data.params import DatasetParams

_MOST_CARRIED = 12
_CONTEXTS = ("question_context", "squad", "dolly", "text_pair", "multiple_choice")
_JOINING = (
    "customer",
    "client",
    "cliente",
    "kunde",
    "user",
    "usuario",
    "author",
    "autor",
    "document",
    "documento",
    "thread",
)


def read(
    source: Source, params: DatasetParams, most_rows: int = 0, tick: Callable[[int], None] = lambda rows: None
) -> Reading:
    """Looks at all rows, or at the first `most_rows`; `tick` is called with the rows read. What `params` names is taken as it
    is. A reading that is not sure carries its question. Raises StudioError for a column or a schema that is not there."""
    file = source.path.name
    facts = getattr(source, "facts", None) or SourceFacts(format="", title="")
    schema = wanted_schema(params)
    check_columns(params, source.columns, file)
    columns = looked_at(params, source.columns, file)
    profiles = profile(columns, row_blocks(source, RowErrors(file)), most_rows, tick)
    rows = profiles[0].rows if profiles else 0
    table = Table({one.name: one for one in profiles}, facts, params.output)
    found = candidates(table)
    if schema:
        found = [one for one in found if one.schema_name == schema.name]
    found = named_candidates(params, table, found)
    choice = choose(file, table, found, schema)
    named = bool((wanted_inputs(params) and params.output) or params.messages)
    refused = picture_problem(file, table, choice.taken, named) or number_problem(file, table, choice.taken)
    if refused:
        choice = Choice(None, choice.alternatives, refused)
    reading = Reading(
        file=file,
        source=facts,
        rows=rows,
        sampled=bool(most_rows) and rows >= most_rows,
        columns=[_column(one) for one in profiles],
        alternatives=choice.alternatives,
        question=choice.question,
        notes=odd_columns(params, table) + _passed_over(file, len(source.columns) - len(columns)),
    )
    return _with_taken(reading, choice.taken, table, params) if choice.taken else reading


def _passed_over(file: str, count: int) -> list[Problem]:
    args = {"file": file, "count": count}
    return [Problem(code="reading.columns_passed", args=args, blocking=False)] if count else []


def roles_of(source: Source, params: DatasetParams, most_rows: int = 0) -> Roles:
    """The roles of the columns. Raises StudioError with the question where the reading is not sure."""
    reading = read(source, params, most_rows)
    if reading.taken is None or reading.question:
        raise StudioError.of([reading.question] if reading.question else [])
    return reading.taken.roles


def check_roles(source: Source, roles: Roles) -> None:
    """Raises StudioError with the columns that a second file, of validation or test rows, has not."""
    wanted = [("input", name) for name in roles.input] + [("output", roles.output), ("messages", roles.messages)]
    wanted += [("output", name) for name in roles.outputs]
    columns = set(source.columns)
    problems = [
        Problem(
            code="data.column_missing",
            field=field,
            args={"file": source.path.name, "name": name, "columns": column_list(source.columns)},
        )
        for field, name in wanted
        if name and name not in columns and name.split(".", 1)[0] not in columns
    ]
    if problems:
        raise StudioError.of(problems)


def _with_taken(reading: Reading, taken: Candidate, table: Table, params: DatasetParams) -> Reading:
    roles = _completed(taken.roles, taken.schema_name, table, params)
    order = month_first(table.columns[roles.time]) if roles.time in table.columns else False
    taken = taken.model_copy(update={"roles": roles, "month_first": bool(order)})
    reading.taken = taken
    reading.system = _system(table, roles)
    reading.answer, reading.labels = _answer(table, roles, params)
    reading.columns = [one.model_copy(update={"role": _role(one.name, roles)}) for one in reading.columns]
    said = notes(reading.file, table, taken, reading.system, reading.labels, _joins(table, roles))
    reading.notes = said + reading.notes
    if order is None and params.split_by == "time":
        reading.notes.append(Problem(code="reading.day_first", args={"column": roles.time}, blocking=False))
    return reading


def _completed(roles: Roles, schema: str, table: Table, params: DatasetParams) -> Roles:
    """The roles with what a person named, and with those that the schema does not need: split, time, group, carried."""
    profiles = table.columns.values()
    splits = [one.name for one in profiles if one.kind == "split"]
    dates = [one.name for one in profiles if one.kind == "date" and one.name not in (roles.output, *roles.input)]
    by_column = params.split_by == "column"
    updates = {
        "system": params.system_column
        or roles.system
        or ("" if schema == "own_export" else _free_system(table, roles)),
        "label_names": params.label_names or roles.label_names,
        "group": params.group or roles.group or _shared_context(table, roles, schema),
        "split": (params.split_column if by_column else "")
        or roles.split
        or table.facts.split_column
        or "".join(splits[:1]),
        "time": (params.split_column if params.split_by == "time" else "") or (dates[0] if len(dates) == 1 else ""),
    }
    if params.split_by == "random":
        updates["split"] = ""
    completed = roles.model_copy(update=updates)
    return completed.model_copy(update={"carried": _carried(table, completed, params.keep_columns)})


def _free_system(table: Table, roles: Roles) -> str:
    found = table.system()
    return "" if found in used_columns(roles) else found


def _carried(table: Table, roles: Roles, kept: list[str]) -> list[str]:
    """Ids, sources and slices: short values that play no part; the ones that a person named first."""
    kinds = ("id", "label", "boolean", "date")
    free = [name for name in table.unused(roles) if table.columns[name].kind in kinds and name not in roles.carried]
    return list(dict.fromkeys([*kept, *roles.carried, *free[:_MOST_CARRIED]]))


def _shared_context(table: Table, roles: Roles, schema: str) -> str:
    """The column of texts that several rows ask about: such rows must not be divided."""
    if schema not in _CONTEXTS or len(roles.input) < 2:
        return ""
    contexts = [name for name in roles.input if names.strength(name, names.CONTEXT + ("premise", "premisa")) == 1]
    shared = [name for name in contexts if not table.columns[name].unique and table.columns[name].distinct >= 10]
    return shared[0] if shared else ""


def _joins(table: Table, roles: Roles) -> list[str]:
    """Columns of codes that occur in several rows: one customer, document or conversation each."""
    found = []
    for name in table.unused(roles):
        one = table.columns[name]
        code = one.kind in ("id", "number") or (one.kind in ("label", "text") and one.mean_words <= 2)
        called = names.strength(name, names.CONVERSATION_ID) == 1 or names.strength(name, _JOINING) >= 0.85
        if called and code and not one.unique and 10 <= one.distinct < one.filled:
            found.append(name)
    return found


def _system(table: Table, roles: Roles) -> str:
    """The system prompt that all rows share, in their messages or in a column of its own."""
    column = table.columns.get(roles.system)
    if column and column.kind == "constant" and column.filled == column.rows:
        return str(next(iter(column.texts), "")) or "".join(column.examples[:1])
    chat = table.columns.get(roles.messages)
    return chat.system if chat else ""


def _answer(table: Table, roles: Roles, params: DatasetParams) -> tuple[Literal["label", "text"], list[str]]:
    """The kind of answer, and the labels."""
    column = table.columns.get(roles.output)
    named: Literal["label", "text"] = "label" if params.answer == "label" else "text"
    if column is None or column.kind in ("messages", "list", "object"):
        return named, []
    preferred = bool(roles.rejected or roles.desired)  # answers to compare are no classes, however few they are
    if not (named == "label" or (params.answer == "auto" and not preferred and is_label(column, MAX_LABEL_CHARS))):
        return "text", []
    source = table.columns.get(roles.label_names, column)
    labels = table.facts.label_names.get(roles.output) or sorted(
        {normalize("NFC", text.strip()) for text in source.texts}
    )
    return "label", labels


def _role(name: str, roles: Roles) -> Role:
    if name in roles.input:
        return "input"
    if name == roles.output or name in roles.outputs:
        return "output"
    single: tuple[Role, ...] = (
        *("messages", "system", "history", "rejected", "label_names", "tools", "speaker", "desired", "split", "group"),
        "time",
    )
    found = next((role for role in single if getattr(roles, role) == name), None)
    return found or ("carried" if name in roles.carried else "unused")


def _column(one: ColumnProfile) -> ColumnReading:
    return ColumnReading(
        name=one.name,
        kind=one.kind,
        reason=Problem(code=f"reading.is_{one.kind}", args={"distinct": one.distinct}, blocking=False),
        filled=one.filled,
        distinct=one.distinct,
        mean_chars=one.mean_chars,
        examples=one.examples,
    )
