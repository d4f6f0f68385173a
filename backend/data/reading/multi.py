"""Schemas with several labels to a text: columns of 0 and 1, lists of labels, and what labelling programs export."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from backend.data.reading import names
from backend.data.reading.column import ColumnProfile
from backend.data.reading.kinds import MAX_LABEL_CHARS, MAX_LABELS
from backend.data.reading.model import Candidate, Roles
from backend.data.reading.plain import inputs_with
from backend.data.reading.table import Table

_NO_LABEL = (
    "verified",
    "verifiedpurchase",
    "helpful",
    "deleted",
    "active",
    "isvalid",
    "status",
    "id",
    "gender",
    "exampleveryunclear",
)
_SEPARATORS = re.compile(r"\s*[;|,]\s*")
_NUMBERS = re.compile(r"\d{1,3}([,;|] ?\d{1,3})*")
_LISTED = names.LABEL_FIRST + names.LABEL + ("topics", "themes", "keywords", "genres", "temas", "emotions", "emociones")


def one_hot(table: Table) -> Iterator[Candidate]:
    """A text and at least two columns of 0 and 1, each a label."""
    columns = [
        name
        for name, found in table.columns.items()
        if found.zero_one
        and found.filled == found.rows
        and names.key(name) not in _NO_LABEL
        and names.strength(name, names.LABEL_FIRST) < 1
    ]
    if len(columns) < 2:
        return
    for inputs, strength, tied in inputs_with(table, ""):
        roles = Roles(input=inputs, outputs=columns)
        yield table.candidate(
            "one_hot", "multi_label", roles, [strength, 1.0 if len(columns) > 2 else 0.85], less=0.01 * tied
        )


def lists(table: Table) -> Iterator[Candidate]:
    """A text and a list, of its labels or of its answers; or an object that answers it."""
    yield from listed_labels(table)
    yield from objects(table)
    yield from listed_answers(table)


def listed_labels(table: Table) -> Iterator[Candidate]:
    """A text and a list of labels, as a list or as "a;b;c"."""
    for name, found in table.columns.items():
        strength = names.strength(name, _LISTED)
        if (names.aside(name) and strength < 1) or names.strength(name, names.CHOICES + names.CONTEXT) == 1:
            continue
        joined = (strength or table.unnamed(name)) and _is_joined(found)
        if not (_is_list_of_labels(found) or joined):
            continue
        strength = 0.5 if table.unnamed(name) else max(strength, 0.8)
        schema = (
            "doccano" if {"label", "text", "id"} == {names.key(column) for column in table.columns} else "listed_labels"
        )
        for inputs, fit, tied in inputs_with(table, name):
            roles = Roles(input=inputs, output=name)
            yield table.candidate(schema, "multi_label", roles, [fit, strength], less=0.01 * tied)


def listed_answers(table: Table) -> Iterator[Candidate]:
    """A text and a list with its answer, or with several that are equally good."""
    for name, found in table.columns.items():
        strength = names.strength(name, names.LABEL_FIRST + names.ANSWER)
        texts = found.kind == "list" and found.share("strings", "empty list") > 0.9 and found.elements
        if strength < 1 or not texts or _is_list_of_labels(found) or found.json_text:
            continue
        for inputs, fit, tied in inputs_with(table, name):
            yield table.candidate(
                "input_output", "answer", Roles(input=inputs, output=name), [fit, strength], less=0.01 * tied
            )


def objects(table: Table) -> Iterator[Candidate]:
    """A text and an object that is written as JSON."""
    for name in table.columns:
        for inputs, fit, tied in inputs_with(table, name) if table.answer_object(name) == name else ():
            inputs = [one for one in inputs if table.answer_object(one) != name]
            if inputs:
                roles = Roles(input=inputs, output=name)
                yield table.candidate("input_output", "answer", roles, [fit, 1.0], less=0.01 * tied)


def _is_list_of_labels(found: ColumnProfile) -> bool:
    if found.kind != "list" or not found.share("strings"):
        return False
    total, distinct = found.elements.total(), len(found.elements)
    short = all(len(element) <= MAX_LABEL_CHARS for element in found.elements)
    return short and 0 < distinct <= MAX_LABELS and total >= 2 * distinct and total >= found.forms["strings"] * 0.5


def _is_joined(found: ColumnProfile) -> bool:
    """Texts that are a few labels joined by one of ; | and commas."""
    texts = found.texts
    if found.capped or len(texts) < 3 or found.lines or found.kind not in ("text", "label", "number"):
        return False
    if found.kind == "number" and not all(_NUMBERS.fullmatch(text.strip()) for text in texts):
        return False
    parts: Counter[str] = Counter()
    joined = 0
    for text in texts:
        made = [part for part in _SEPARATORS.split(text.strip()) if part]
        joined += len(made) > 1
        parts.update(made)
    short = all(len(part) <= 30 and part.count(" ") < 3 for part in parts)
    return short and joined * 3 >= len(texts) and len(parts) <= MAX_LABELS and parts.total() >= 2 * len(parts)


def label_studio(table: Table) -> Iterator[Candidate]:
    """Tasks with `data` and `annotations`; the short form with `text` and `sentiment` is a text with a label."""
    columns = {names.key(name): name for name in table.columns}
    annotations = columns.get("annotations") or columns.get("completions")
    if not annotations or table.kind(annotations) != "list":
        return
    keys = list(table.columns[columns["data"]].keys) if "data" in columns else []
    dotted = [name for name in table.columns if name.startswith("data.")] or [f"data.{key}" for key in keys]
    texts = [name for name in dotted if name not in table.columns or table.is_text(name)]
    plain = [name for name in texts if not names.aside(name)] or texts
    best = [name for name in plain if names.strength(name, names.INPUT) == 1] or plain[:1]
    if best:
        roles = Roles(input=best[:1], output=annotations)
        yield table.candidate("label_studio", "classification", roles, [1.0])
