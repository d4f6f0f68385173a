"""What a reading says to the user: what was taken, what was left out, and what follows from it."""

from __future__ import annotations

from backend.core.errors import Problem
from backend.data.reading.choose import binary_columns, described
from backend.data.reading.model import Candidate, Roles
from backend.data.reading.schemas import by_name
from backend.data.reading.table import Table, used_columns
from backend.data.reading.wanted import column_list

_NOTED_LABELS = 100
_SYSTEM_CHARS = 200


def notes(file: str, table: Table, taken: Candidate, system: str, labels: list[str], joins: list[str]) -> list[Problem]:
    """`joins`: columns that may join rows of one customer or document."""
    roles = taken.roles
    row = by_name(taken.schema_name)
    way = taken.reason.code.removeprefix("reading.by_")
    found = [
        _note(f"taken_by_{way}", file=file, schema=row.title if row else taken.schema_name, columns=described(taken))
    ]
    texts = [
        name for name in table.texts + table.chats if name not in used_columns(roles) and name not in roles.carried
    ]
    if texts:
        found.append(_note("left_out", columns=column_list(texts)))
    if binary_columns(table):
        found.append(_note("pictures_left_out", columns=column_list(binary_columns(table))))
    if roles.carried and taken.schema_name != "own_export":
        found.append(_note("carried", columns=column_list(roles.carried)))
    found += _about_roles(table, roles, joins, taken.schema_name == "own_export")
    if system:
        found.append(_note("system", text=system[:_SYSTEM_CHARS]))
    return found + _about_answer(table, taken, labels)


def _about_roles(table: Table, roles: Roles, joins: list[str], exported: bool) -> list[Problem]:
    found = []
    if roles.split:
        found.append(_note("split", column=roles.split))
    if roles.label_names:
        found.append(_note("label_names", names=roles.label_names, column=roles.output))
    if roles.output in table.facts.label_names:
        names = column_list(table.facts.label_names[roles.output], 10)
        found.append(_note("label_names_file", column=roles.output, names=names))
    if roles.group:
        found.append(_note("grouped", column=roles.group))
    elif joins and not exported:
        found.append(_note("group", columns=column_list(joins)))
    return found


def _about_answer(table: Table, taken: Candidate, labels: list[str]) -> list[Problem]:
    roles = taken.roles
    found = []
    if taken.schema_name in ("texts", "raw_text"):
        found.append(_note("no_answers"))
    if taken.schema_name == "translation":
        found.append(_note("direction", first=roles.input[0], second=roles.output))
    if taken.first_choice:
        found.append(_note("choices_from_one", column=roles.output))
    if taken.task == "preference" and roles.rejected:
        found.append(_note("preference", chosen=roles.output or roles.messages, rejected=roles.rejected))
    if len(labels) > _NOTED_LABELS:
        found.append(_note("many_labels", column=roles.output, count=len(labels)))
    if roles.output in table.columns and table.kind(roles.output) == "number" and not labels:
        found.append(_note("number_answer", column=roles.output))
    if roles.output in table.columns and table.columns[roles.output].kind == "constant":
        found.append(_note("one_label", column=roles.output))
    return found


def _note(code: str, **args: object) -> Problem:
    return Problem(code=f"reading.{code}", args=args, blocking=False)
