"""Columns that decide the split: one that says train, validation or test, one that holds a time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import Problem, StudioError
from backend.data.split_rows import TEST, TRAIN, VALIDATION

SPLIT_WORDS = {
    TRAIN: "train training tr entrenamiento entreno",
    VALIDATION: "validation valid val dev development eval validación validacion",
    TEST: "test testing tst holdout prueba pruebas",
}
_SPLIT_OF = {word: split for split, names in SPLIT_WORDS.items() for word in names.split()}
_MILLISECONDS = 1e11
"""A number of seconds since 1970 is smaller for a thousand years to come."""
_DAY = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:[ ,T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")


def names_splits(values: Sequence[Any]) -> bool:
    """Whether the column says nothing but train, validation and test, and at least two of these."""
    found = {_SPLIT_OF.get(_word(value)) for value in values if _word(value)}
    return None not in found and len(found) > 1


def given_splits(values: Sequence[Any], column: str) -> NDArray[np.int8]:
    """The split that each value names, -1 where it is empty. Raises StudioError for other words."""
    words = [_word(value) for value in values]
    unknown = Counter(word for word in words if word and word not in _SPLIT_OF)
    if unknown:
        names = ", ".join(word for word, _ in unknown.most_common(3))
        raise StudioError("split.unknown_names", field="split_column", column=column, names=names)
    return np.fromiter((_SPLIT_OF.get(word, -1) for word in words), np.int8, len(words))


def times(values: Sequence[Any], column: str) -> tuple[NDArray[np.float64], list[Problem]]:
    """Seconds since 1970 (or the plain number of a smaller unit, such as a year), NaN where none can be read, and what was
    taken. Raises StudioError where no value is a time, or days and months can't be told apart."""
    texts = [value if isinstance(value, date) else str(value or "").strip() for value in values]
    parts = [found for text in texts if isinstance(text, str) and (found := _DAY.fullmatch(text))]
    day_first = _day_first(parts, column)
    read = np.fromiter((_time(text, day_first) for text in texts), np.float64, len(texts))
    if np.isnan(read).all():
        raise StudioError("split.no_times", field="split_column", column=column)
    said = Problem(code="split.dates_day_first", args={"column": column}, blocking=False)
    return read, [said] if parts and day_first else []


def _word(value: Any) -> str:
    return "" if value is None else str(value).strip().casefold()


def _day_first(parts: list[re.Match[str]], column: str) -> bool:
    """31.12.2026 has the day first whatever the rows say; with other signs a number over 12 decides."""
    if not parts or all(part[2] == "." for part in parts):
        return True
    first, second = (max(int(part[at]) for part in parts) for at in (1, 3))
    if (first > 12) == (second > 12):
        raise StudioError("split.dates_ambiguous", field="split_column", column=column, example=parts[0][0])
    return first > 12


def _time(value: date | str, day_first: bool) -> float:
    if isinstance(value, date):
        return _seconds(value if isinstance(value, datetime) else datetime(value.year, value.month, value.day))
    try:
        number = float(value)
        return number / 1000 if number > _MILLISECONDS else number
    except ValueError:
        pass
    if part := _DAY.fullmatch(value):
        return _written_day(part, day_first)
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return _seconds(read(value))
        except (ValueError, TypeError):
            continue
    return float("nan")


def _written_day(part: re.Match[str], day_first: bool) -> float:
    day, month = (int(part[1]), int(part[3])) if day_first else (int(part[3]), int(part[1]))
    year = int(part[4]) + (2000 if len(part[4]) == 2 else 0)
    try:
        return _seconds(datetime(year, month, day, int(part[5] or 0), int(part[6] or 0), int(part[7] or 0)))
    except ValueError:
        return float("nan")


def _seconds(moment: datetime) -> float:
    """A time without a zone counts as UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
