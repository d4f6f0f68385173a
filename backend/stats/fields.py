"""How many fields of a JSON object an answer got right.

A field is a value with its path: `items[0].price`. An object without members and an empty list are values too. Values are equal
by type: numbers by value (1 is 1.0), texts without white space at their ends, `true`, `false` and `null` as they are; a number
in quotes is a text. Lists are compared place by place. Precision and recall are those of one row, and a figure is the mean over
rows (`average="samples"` of scikit-learn; Tsoumakas and Katakis 2007, "Multi-label classification: an overview"), so that a row
with many fields weighs no more than another and an answer that is no object gets 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple


class FieldScore(NamedTuple):
    precision: float
    recall: float
    f1: float


def json_object(text: str) -> dict[str, Any] | None:
    """None for anything but one object; text around it, such as a code fence, is not JSON."""
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def is_valid_json(_expected: str, given: str) -> float:
    return float(json_object(given) is not None)


def field_score(expected: str, given: str) -> FieldScore:
    """Of one row; all 0 where either is no object. Two objects without fields are equal."""
    wanted, got = json_object(expected), json_object(given)
    if wanted is None or got is None:
        return FieldScore(0.0, 0.0, 0.0)
    gold, said = dict(_leaves(wanted)), dict(_leaves(got))
    right = sum(path in said and said[path] == value for path, value in gold.items())
    return FieldScore(right / len(said), right / len(gold), 2 * right / (len(gold) + len(said)))


def field_precision(expected: str, given: str) -> float:
    return field_score(expected, given).precision


def field_recall(expected: str, given: str) -> float:
    return field_score(expected, given).recall


def field_f1(expected: str, given: str) -> float:
    return field_score(expected, given).f1


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], tuple[str, Any]]]:
    """(path, (type, value)) of every field."""
    if isinstance(value, dict | list) and value:
        for name, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(each, (*path, name))
        return
    number = isinstance(value, int | float) and not isinstance(value, bool)
    kind = "number" if number else type(value).__name__
    yield (
        path,
        (kind, value.strip() if isinstance(value, str) else str(value) if isinstance(value, dict | list) else value),
    )


def _no_constant(name: str) -> None:
    """NaN and infinity are no JSON (RFC 8259), though Python reads them."""
    raise ValueError(name)
