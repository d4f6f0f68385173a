"""Answers that are labels: names for numbers, several labels at once, the spelling that is kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from backend.data.mapping.values import Unusable, as_text, parsed, value_of
from backend.data.row_errors import json_type

NO_LABEL = "none"
"""The answer of a row of a multi-label task to which no label applies."""
_WHOLE = re.compile(r"-?\d+\.0+")
_DIVIDERS = re.compile(r"\s*[,;|]\s*")
_YES = frozenset({"1", "1.0", "true", "yes", "y", "x", "t", "sí", "si"})
_NO = frozenset({"", "0", "0.0", "false", "no", "n", "f", "-1"})

Values = dict[str, Any]


def plain_label(text: str) -> str:
    """Without spaces at its ends and in Unicode's composed form, so that one word is one label."""
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def label_spelling(labels: Iterable[str]) -> dict[str, str]:
    """Answers as they stand in the file -> the labels that are kept. Where all are whole decimals, such as "3.0", they lose
    their zeros."""
    found = {label: plain_label(label) for label in labels}
    if found and all(_WHOLE.fullmatch(label) for label in found.values()):
        return {raw: label.partition(".")[0] for raw, label in found.items()}
    return found


def named(column: str, names: list[str] | None, name_column: str) -> Callable[[Values], str | None]:
    """What gives the answer of a row: the name in `name_column`, else the name of the number in `column`, else its text; None
    without an answer. The returned function raises Unusable for a number without a name."""

    def answer(values: Values) -> str | None:
        if name_column and (text := as_text(value_of(values, name_column), name_column)):
            return text
        return label_text(value_of(values, column), column, names)

    return answer


def label_text(value: Any, column: str, names: list[str] | None) -> str | None:
    """One label by name. A negative number stands for none, as in the data sets of Hugging Face."""
    text = as_text(value, column)
    if not text.strip():
        return None
    if not names or text in names:
        return text
    try:
        number = int(float(text))
    except ValueError:
        return text
    if number < 0:
        return None
    if number >= len(names):
        raise Unusable("data.label_name_missing", text)
    return names[number]


def label_columns(columns: list[str]) -> dict[str, str]:
    """Columns of 0 and 1 -> their labels: the names, without that of an object which holds them all."""
    parents = {column.rpartition(".")[0] for column in columns}
    prefix = f"{parents.pop()}." if len(parents) == 1 and "" not in parents else ""
    return {column: column.removeprefix(prefix) for column in columns}


def applying(columns: list[str], values: Values) -> str | None:
    """The columns of 0 and 1 that are 1, by name; None where all are empty. Raises Unusable for another value."""
    found = []
    filled = False
    for column, label in label_columns(columns).items():
        value = value_of(values, column)
        text = as_text(value, column).strip().casefold()
        filled = filled or text != ""
        if text in _YES:
            found.append(label)
        elif text not in _NO:
            raise Unusable("data.multi_label_value", f"{text[:40]} ({column})")
    return joined(found) if filled else None


def listed(value: Any, column: str, names: list[str] | None) -> str | None:
    """A list of labels, its JSON, or labels with commas, semicolons or bars between them; None where there is no value."""
    value = parsed(value)
    if value is None:
        return None
    if isinstance(value, dict):
        value = value.get("choices", value.get("labels", value))
    if isinstance(value, str):
        value = [part for part in _DIVIDERS.split(value.strip()) if part]
        if not value:
            return None
    if isinstance(value, tuple) or hasattr(value, "tolist"):
        value = list(value)
    if not isinstance(value, list):
        value = [value] if not isinstance(value, dict) else value
    if not isinstance(value, list):
        raise Unusable("data.not_text", f"{json_type(value)} ({column})")
    return joined([text for item in value if (text := label_text(item, column, names))])


def joined(labels: Iterable[str]) -> str:
    """Several labels as one answer, each once."""
    return ", ".join(dict.fromkeys(plain_label(label) for label in labels)) or NO_LABEL


def names_for(column: str, facts: Mapping[str, list[str]]) -> list[str] | None:
    return facts.get(column) or None
