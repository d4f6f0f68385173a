"""Multiple choice: a question, its choices in a list or in columns of their own, and which of them is right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from backend.core.errors import Problem
from backend.data.reading import names
from backend.data.reading.model import Candidate, ColumnKind, Roles
from backend.data.reading.table import Table

_CHOICE = re.compile(
    r"(?:option|opcion|choice|answer|ending|sol|op|respuesta|antwort|alternativa)?[ _.\-]?([a-f]|[0-6])$"
)
_QUESTION = (*names.QUESTION, "ctx", "goal", "premise", "text", "prompt", "instruction", "enunciado", "stem")
_KEYS: tuple[ColumnKind, ...] = ("text", "label", "boolean", "number", "row_number", "id", "date", "constant")
_MOST = 26
_LEAST_UNNAMED = 3


def multiple_choice(table: Table) -> Iterator[Candidate]:
    """A question, its choices as a list or in columns of their own, and the right one as number, letter or text."""
    unnamed = _unnamed(table)
    if unnamed:
        yield _candidate(table, unnamed[:1], unnamed[1:-1], "", unnamed[-1])
        return
    choices, within = _choice_list(table)
    columns = [] if choices else _choice_columns(table)
    written = table.one(names.CHOICES, table.texts)
    if not choices and len(columns) < 2:
        yield from _written(table, written) if written else ()
        return
    free = [name for name in table.texts if name not in columns]
    if within:
        free = [name for name in free if name.startswith(f"{within}.")]
    question = table.one(_QUESTION, free) or ("".join(free) if len(free) == 1 else "")
    outputs = [
        name for name in table.columns if table.kind(name) in _KEYS and name not in (question, *columns, choices)
    ]
    output = table.one(names.KEY, outputs, 0.85)
    if not question or not output:
        return
    context = table.one(names.CONTEXT + ("article", "passage"), [name for name in free if name != question])
    yield _candidate(table, [context, question] if context else [question], columns, choices, output)


def _candidate(table: Table, head: list[str], columns: list[str], choices: str, output: str) -> Candidate:
    letters = [chr(ord("A") + index) for index in range(len(columns))]
    options = (
        "\n".join(f"{letter}. {{{name}}}" for letter, name in zip(letters, columns, strict=True)) or f"{{{choices}}}"
    )
    template = "\n\n".join([*(f"{{{name}}}" for name in head), options])
    roles = Roles(input=[*head, *columns, *([choices] if choices else [])], output=output)
    found = table.candidate("multiple_choice", "multiple_choice", roles, [1.0], template)
    return found.model_copy(update={"first_choice": first_choice(table, columns, choices, output) or 0})


def _written(table: Table, choices: str) -> Iterator[Candidate]:
    """Choices that are one text, and the letter of the right one."""
    question = table.one(_QUESTION, [name for name in table.texts if name != choices])
    output = table.one(names.KEY, [name for name in table.labels if name != choices], 0.85)
    if question and output:
        yield table.candidate("text_label", "classification", Roles(input=[question, choices], output=output), [1.0])


def first_choice(table: Table, columns: list[str], choices: str, output: str) -> int | None:
    """The number of the first choice where answers are numbers: 0 or 1; None where both fit."""
    answers = table.columns[output].texts
    numbers = [int(text) for text in answers if text.strip().isdecimal()]
    if not numbers or len(numbers) < len(answers) or max(numbers) > _MOST or min(numbers) == 0:
        return 0
    if columns and {text for name in columns for text in table.columns[name].texts} >= set(answers):
        return 0  # the answers are texts of choices
    count = len(columns) or max(table.columns[choices].sizes if choices in table.columns else (), default=0)
    return None if max(numbers) < count or not count else int(max(numbers) == count)


def number_problem(file: str, table: Table, taken: Candidate | None) -> Problem | None:
    """Answers that are numbers of choices, counted from 0 or from 1: none of them says which."""
    if taken is None or taken.schema_name != "multiple_choice":
        return None
    lettered = re.findall(r"^[A-Z]\. \{(.+)\}$", taken.template, re.MULTILINE)
    choices = "" if lettered else taken.roles.input[-1]
    if first_choice(table, lettered, choices, taken.roles.output) is not None:
        return None
    return Problem(code="reading.choice_numbers", field="output", args={"file": file, "column": taken.roles.output})


def _choice_list(table: Table) -> tuple[str, str]:
    """(column of lists, the object that holds it): `choices`, or the choices within the question."""
    lists = [name for name, found in table.columns.items() if found.kind in ("list", "object")]
    direct = table.one(names.CHOICES, lists)
    if direct:
        return direct, ""
    for name in lists:
        key = next((key for key in table.columns[name].keys if names.key(key) in names.CHOICES), "")
        if key and table.kind(name) == "object" and f"{name}.{key}" not in table.columns:
            return f"{name}.{key}", name
    return "", ""


def _choice_columns(table: Table) -> list[str]:
    """option_a, option_b ... or A, B, C, D: columns that follow each other."""
    found: dict[str, dict[str, str]] = {}
    for name, column in table.columns.items():
        match = _CHOICE.match(names.key(name))
        if match and column.kind in ("text", "label", "number", "boolean", "id", "date"):
            stem = names.key(name)[: -len(match[1])]
            found.setdefault(stem, {})[match[1]] = name
    best = max(found.values(), key=len, default={})
    marks = sorted(best)
    follow = all(ord(two) == ord(one) + 1 for one, two in pairwise(marks))
    least = 2 if marks[:1] in (["a"], ["0"], ["1"]) else 99
    return [best[mark] for mark in marks] if follow and len(marks) >= least else []


def _unnamed(table: Table) -> list[str]:
    """A table without a header: a question, three choices or more, and the letter of the right one, in this order."""
    columns = list(table.columns)
    if len(columns) < _LEAST_UNNAMED + 2 or not all(map(table.unnamed, columns)) or columns[0] not in table.texts:
        return []
    letters = set(table.columns[columns[-1]].texts)
    count = len(columns) - 2
    known = {chr(ord("A") + index) for index in range(count)}
    return columns if len(letters) >= 2 and letters <= known and max(letters) == max(known) else []
