"""What a person named, made into a candidate: it always wins, whatever the values look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.core.errors import Problem, StudioError
from backend.data.reading import names
from backend.data.reading.model import Candidate, ColumnKind, Roles
from backend.data.reading.schemas import SCHEMAS, Schema, by_name
from backend.data.reading.table import Table, flags_of, shown, template_of, used_columns

if TYPE_CHECKING:
    from backend.data.params import DatasetParams

SURE = 1.0
MOST_COLUMNS = 20_000
"""That are looked at one by one, which takes some milliseconds each."""
_NO_ANSWER: dict[ColumnKind, str] = {
    "row_number": "row numbers",
    "id": "codes",
    "date": "dates",
    "constant": "the same value in all rows",
    "empty": "nothing",
    "object": "object",
    "binary": "binary data",
}
_ROLES = ("input", "output", "details", "messages", "system_column", "label_names", "group", "split_column")


def check_columns(params: DatasetParams, columns: list[str], file: str) -> None:
    """Raises StudioError with every named column that is not there."""
    named = [(role, getattr(params, role)) for role in _ROLES]
    named += [(role, name) for role in ("input_columns", "keep_columns") for name in getattr(params, role)]
    parents = set(columns)
    missing = [
        Problem(
            code="data.column_missing", field=role, args={"file": file, "name": name, "columns": column_list(columns)}
        )
        for role, name in named
        if name and name not in parents and name.split(".", 1)[0] not in parents
    ]
    if missing:
        raise StudioError.of(missing)


def looked_at(params: DatasetParams, columns: list[str], file: str) -> list[str]:
    """The columns whose values are looked at: all, but of a very wide table those that a person named. Raises StudioError
    where nobody named any."""
    if len(columns) <= MOST_COLUMNS:
        return columns
    named = {name for role in _ROLES if (name := getattr(params, role))} | {*params.input_columns, *params.keep_columns}
    if not params.messages and not (params.output and wanted_inputs(params)):
        args = {"file": file, "count": len(columns), "limit": MOST_COLUMNS}
        raise StudioError("reading.columns_many", field="input", **args)
    return [name for name in columns if name in named or any(other.startswith(f"{name}.") for other in named)]


def wanted_schema(params: DatasetParams) -> Schema | None:
    """Raises StudioError for a schema that nobody knows; None: automatic."""
    name = params.data_schema.strip().casefold().replace("-", "_")
    if name in ("", "auto"):
        return None
    found = by_name(name)
    if found is None:
        raise StudioError(
            "reading.schema_unknown",
            field="data_schema",
            name=params.data_schema,
            known=", ".join(row.name for row in SCHEMAS),
        )
    return found


def wanted_inputs(params: DatasetParams) -> list[str]:
    """The input columns that a person named, in the order of the prompt."""
    named = [params.input, params.details, *params.input_columns]
    return list(dict.fromkeys(name for name in named if name))


def named_candidates(params: DatasetParams, table: Table, found: list[Candidate]) -> list[Candidate]:
    """The candidates that agree with what was named; where none does, one that is made of the names alone. Nothing
    named: all."""
    inputs, output, messages = wanted_inputs(params), params.output, params.messages
    if not inputs and not output and not messages:
        return found
    agree = [
        one
        for one in found
        if (not inputs or (one.roles.input == inputs if output else set(inputs) == set(one.roles.input)))
        and (not output or one.roles.output == output)
        and (not messages or one.roles.messages == messages)
    ]
    if agree and (inputs or messages) and output:
        return [_said(agree[0])]
    if agree:
        return [_said(one) for one in agree[:1]] if messages or len(agree) == 1 else agree
    made = _made(table, inputs, output, messages, found)
    return [made] if made else []


def _said(one: Candidate) -> Candidate:
    columns = ", ".join(shown(name) for name in used_columns(one.roles))
    reason = Problem(code="reading.by_person", args={"columns": columns}, blocking=False)
    return one.model_copy(update={"confidence": SURE, "reason": reason})


def _made(table: Table, inputs: list[str], output: str, messages: str, found: list[Candidate]) -> Candidate | None:
    if messages:
        inputs = inputs or []
        schema = "conversation_label" if output else "chat"
    else:
        inputs = inputs or _input_with(table, output)
        output = output or _output_with(inputs, found)
        label = bool(output) and output in table.columns and table.is_label(output)
        schema = "text_label" if label else "input_output" if output else "texts"
    if not inputs and not messages:
        return None
    if len(inputs) == 1 and inputs[0] in table.chats and not messages:
        inputs, messages, schema = [], inputs[0], "conversation_label" if output else "chat"
    row = by_name(schema)
    roles = Roles(input=inputs, output=output, messages=messages)
    made = Candidate(
        schema_name=schema,
        task=row.task if row else "",
        roles=roles,
        confidence=SURE,
        reason=Problem(code="reading.by_person", args={"columns": ", ".join(used_columns(roles))}, blocking=False),
        template=template_of(inputs),
        flags=flags_of(schema, roles),
    )
    return _said(made)


def _input_with(table: Table, output: str) -> list[str]:
    """The only text beside a named answer, or the one with the usual name."""
    texts = [name for name in table.texts if name != output]
    plain = [name for name in texts if not names.aside(name)] or texts
    named = [name for _, name in table.named(names.INPUT + names.TITLE, 1.0, plain)]
    return plain if len(plain) == 1 else named if len(named) == 1 else []


def _output_with(inputs: list[str], found: list[Candidate]) -> str:
    """The answer of the best candidate that does not read it as input."""
    return next((one.roles.output for one in found if one.roles.output and one.roles.output not in inputs), "")


def odd_columns(params: DatasetParams, table: Table) -> list[Problem]:
    """What was named and does not look like it: taken all the same, and said."""
    notes = []
    for code, columns in (("reading.odd_answer", [params.output]), ("reading.odd_input", wanted_inputs(params))):
        for name in columns:
            kind = table.columns[name].kind if name in table.columns else "text"
            if name and kind in _NO_ANSWER and not (code == "reading.odd_input" and kind == "constant"):
                notes.append(Problem(code=code, args={"column": name, "found": _NO_ANSWER[kind]}, blocking=False))
    return notes


def column_list(columns: list[str], most: int = 30) -> str:
    return ", ".join(shown(name) for name in columns[:most]) + (", …" if len(columns) > most else "")
