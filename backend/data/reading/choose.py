"""Which candidate is taken, or what is asked."""

from __future__ import annotations

from typing import NamedTuple

from backend.core.errors import Problem
from backend.data.reading.model import Candidate
from backend.data.reading.schemas import Schema
from backend.data.reading.table import Table, shown
from backend.data.reading.wanted import column_list

MARGIN = 0.07
"""How much surer than the next one a candidate has to be."""
LEAST = 0.6
"""How sure it has to be when it is alone."""
_MOST_ASKED = 4


class Choice(NamedTuple):
    """`taken` is the best candidate also where `question` asks; what is asked has to be answered first."""

    taken: Candidate | None
    alternatives: list[Candidate]
    question: Problem | None


def choose(file: str, table: Table, found: list[Candidate], schema: Schema | None) -> Choice:
    """`found` with the best first; `schema`: the one that a person named."""
    if not found:
        return Choice(None, [], _nothing(file, table, schema))
    best, others = found[0], found[1:]
    near = [one for one in others if best.confidence - one.confidence < MARGIN]
    if not near and best.confidence >= LEAST:
        return Choice(best, others[:_MOST_ASKED], None)
    return Choice(None, found[:_MOST_ASKED], _question(file, [best, *near][:_MOST_ASKED]))


def picture_problem(file: str, table: Table, taken: Candidate | None, named: bool) -> Problem | None:
    """Pictures and sound are refused by name: in the messages always, in a column of their own where nobody named others."""
    for chat in table.chats:
        types = table.columns[chat].media
        if types and (taken is None or chat in (taken.roles.messages, taken.roles.output)):
            args = {"file": file, "columns": chat, "types": ", ".join(sorted(types))}
            return Problem(code="reading.picture_parts", field="messages", args=args)
    binary = binary_columns(table)
    if binary and not named:
        return Problem(code="reading.pictures", field="input", args={"file": file, "columns": column_list(binary)})
    return None


def binary_columns(table: Table) -> list[str]:
    return [name for name, found in table.columns.items() if found.kind == "binary"]


def described(one: Candidate) -> str:
    """ "question + context → answer": a candidate's columns."""
    roles = one.roles
    before = [*roles.input, *([roles.messages] if roles.messages else [])]
    first = " + ".join(shown(name) for name in before)
    after = ", ".join(shown(name) for name in ([roles.output] if roles.output else roles.outputs[:10]))
    return f"{first} → {after}" if after and first else after or first


def _question(file: str, tied: list[Candidate]) -> Problem:
    readings = "; ".join(f"{described(one)} ({one.flags})" for one in tied)
    if len(tied) == 1:
        return Problem(code="reading.not_sure", field="data_schema", args={"file": file, "readings": readings})
    inputs = {tuple(one.roles.input) + (one.roles.messages,) for one in tied}
    outputs = {(one.roles.output, *one.roles.outputs) for one in tied}
    code, field = "reading.which_schema", "data_schema"
    if len(inputs) == 1:
        code, field = "reading.which_output", "output"
    elif len(outputs) == 1:
        code, field = "reading.which_input", "messages" if all(one.roles.messages for one in tied) else "input"
    return Problem(code=code, field=field, args={"file": file, "readings": readings})


def _nothing(file: str, table: Table, schema: Schema | None) -> Problem:
    columns = column_list(list(table.columns))
    if schema:
        args = {"file": file, "schema": schema.title, "needs": schema.needs, "columns": columns}
        return Problem(code="reading.schema_not_there", field="data_schema", args=args)
    spans = [name for name, found in table.columns.items() if found.forms["spans"]]
    if spans:
        return Problem(code="reading.spans", field="output", args={"file": file, "columns": column_list(spans)})
    if table.wanted:
        return Problem(
            code="reading.output_alone", field="input", args={"file": file, "column": table.wanted, "columns": columns}
        )
    return Problem(code="reading.nothing_fits", field="input", args={"file": file, "columns": columns})
