"""Multiple choice: a question, its choices, and which of them is right."""

from __future__ import annotations

import re
from typing import Any

from backend.data.examples import Example
from backend.data.mapping.setup import Make, Setup
from backend.data.mapping.values import Unusable, as_text, parsed, readable, value_of
from backend.data.row_errors import Record

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERED = re.compile(r"^[A-Z]\. \{(.+)\}$", re.MULTILINE)


def multiple_choice(setup: Setup) -> Make:
    """The choices are a list, or columns of their own, which the reading's template has behind letters. The answer that is
    learned is the letter."""
    lettered = _LETTERED.findall(setup.template)
    head = [name for name in setup.roles.input if name not in lettered]

    def make(record: Record) -> list[Example]:
        values = record.values
        texts, letters, choices = _parts(values, head, lettered)
        if not texts:
            raise Unusable("data.input_empty")
        if not 2 <= len(choices) <= len(_LETTERS):
            raise Unusable("data.choice_shape", len(choices))
        if len(letters) != len(choices) or not all(letters):
            letters = list(_LETTERS[: len(choices)])
        lines = [f"{letter}. {text}" for letter, text in zip(letters, choices, strict=True)]
        answer = _chosen(value_of(values, setup.roles.output), setup, letters, choices)
        return [Example(record.place, readable("\n\n".join([*texts, "\n".join(lines)])), answer)]

    return make


def _parts(values: dict[str, Any], head: list[str], lettered: list[str]) -> tuple[list[str], list[str], list[str]]:
    """(texts before the choices, letters that the file gives, choices)."""
    texts: list[str] = []
    letters: list[str] = []
    choices = [text for name in lettered if (text := as_text(value_of(values, name), name))]
    for name in head:
        value = parsed(value_of(values, name))
        if isinstance(value, dict) and isinstance(value.get("text"), list):
            letters = [str(label) for label in value.get("label") or []]
            value = value["text"]
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            letters = [str(item.get("label", "")) for item in value]
            value = [item.get("text") for item in value]
        if isinstance(value, list):
            choices += [as_text(item, name) for item in value]
        elif (text := as_text(value, name)).strip():
            texts.append(text)
    return texts, letters, choices


def _chosen(value: Any, setup: Setup, letters: list[str], texts: list[str]) -> str | None:
    """A letter wins over a text, a text over the number of a choice."""
    text = as_text(value, setup.roles.output).strip()
    if not text:
        return None
    for known in (text, text.upper()):
        if known in letters:
            return known
    if text in texts:
        return letters[texts.index(text)]
    number = int(text) - setup.first_choice if text.isdecimal() else -1
    if 0 <= number < len(letters):
        return letters[number]
    raise Unusable("data.choice_shape", text[:40])
