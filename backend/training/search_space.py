"""The ranges that a search of hyperparameters goes through, written as text: `learning_rate=1e-4..1e-2 log`, `epochs=1..4`,
`rank=8|16|32`. Fixed values beside them are `epochs=2`. No torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from backend.core.errors import Problem
from backend.core.refs import ref_fields
from backend.core.stage import Params
from backend.core.validation import value_problems

Value = int | float | str | bool
MOST_CHOICES = 100


@dataclass(frozen=True)
class Range:
    """What one field may be: from `low` to `high` (whole numbers where `whole`, by its logarithm where `log`), or one of
    `choices`, where there are any."""

    name: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False
    choices: tuple[Value, ...] = ()

    @property
    def ends(self) -> tuple[Value, ...]:
        """The values that bound it: whatever stands between them is as valid."""
        if self.choices:
            return self.choices
        return (int(self.low), int(self.high)) if self.whole else (self.low, self.high)

    @property
    def middle(self) -> Value:
        """A usual value, for a quote."""
        if self.choices:
            return self.choices[len(self.choices) // 2]
        between = (self.low * self.high) ** 0.5 if self.log else (self.low + self.high) / 2
        return round(between) if self.whole else between

    def holds(self, value: Any) -> bool:
        """Whether a trial may take this value."""
        if self.choices:
            return value in self.choices
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and self.low <= value <= self.high


def parse_space(lines: Iterable[str], params: type[Params]) -> tuple[list[Range], list[Problem]]:
    """The ranges, and what is wrong with the lines (`field`: their place in the list)."""
    ranges: list[Range] = []
    problems: list[Problem] = []
    for index, line in enumerate(lines):
        found = _range(line, params)
        if isinstance(found, Range) and found.name in {each.name for each in ranges}:
            found = Problem(code="search.twice", args={"name": found.name})
        if isinstance(found, Problem):
            problems.append(found.model_copy(update={"field": f"space.{index}"}))
        else:
            ranges.append(found)
    return ranges, problems


def parse_settings(lines: Iterable[str], params: type[Params]) -> tuple[dict[str, Any], list[Problem]]:
    """Fixed values by field, and what is wrong with the lines."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for index, line in enumerate(lines):
        name, sign, text = (part.strip() for part in line.partition("="))
        if not sign or name not in searchable(params):
            code, args = ("search.form", {"text": line}) if not sign else ("search.unknown", {"name": name})
            problems.append(Problem(code=code, args=args, field=f"settings.{index}"))
            continue
        values[name] = _value(text)
        problems += _refused(name, values[name], params, f"settings.{index}")
    return values, problems


def searchable(params: type[Params]) -> dict[str, FieldInfo]:
    """The fields that can have a range or a fixed value: all but what comes in, what the result is called, and the checkpoints,
    which trials don't keep."""
    left_out = ref_fields(params) | {"name", "checkpoints_kept"}
    return {name: info for name, info in params.model_fields.items() if name not in left_out}


def _range(line: str, params: type[Params]) -> Range | Problem:
    name, sign, text = (part.strip() for part in line.partition("="))
    if not sign or not text:
        return Problem(code="search.form", args={"text": line})
    info = searchable(params).get(name)
    if info is None:
        return Problem(code="search.unknown", args={"name": name})
    found = _between(name, text, info.annotation is int) if ".." in text else _choices(name, text)
    if found is None:
        return Problem(code="search.form", args={"text": line})
    refused = [problem for value in found.ends for problem in _refused(name, value, params, name)]
    return refused[0] if refused else found


def _between(name: str, text: str, whole: bool) -> Range | None:
    """None for what is no range of numbers."""
    spread, _, how = text.partition(" ")
    ends = [_value(part) for part in spread.split("..")]
    numbers = [end for end in ends if isinstance(end, int | float) and not isinstance(end, bool)]
    if len(ends) != 2 or len(numbers) != 2 or how.strip() not in ("", "log"):
        return None
    low, high = numbers
    log = how.strip() == "log"
    if low >= high or (log and low <= 0) or (whole and (low % 1 or high % 1)):
        return None
    return Range(name, float(low), float(high), log, whole)


def _choices(name: str, text: str) -> Range | None:
    """None where there is nothing to choose from."""
    values = tuple(dict.fromkeys(_value(part) for part in text.split("|")))
    plain = all(isinstance(value, int | float | str | bool) and value != "" for value in values)
    return Range(name, choices=values) if plain and 2 <= len(values) <= MOST_CHOICES else None


def _value(text: str) -> Any:
    """A word as YAML reads it; `1e-4`, which YAML takes for a text, as a number."""
    try:
        found = yaml.safe_load(text.strip())
    except yaml.YAMLError:
        return text.strip()
    if isinstance(found, str):
        try:
            return float(found)
        except ValueError:
            return found
    return "" if found is None else found


def _refused(name: str, value: Any, params: type[Params], place: str) -> list[Problem]:
    """What the field itself says against a value."""
    try:
        params.__pydantic_validator__.validate_assignment(params.model_construct(), name, value)
    except ValidationError as error:
        return [each.model_copy(update={"field": place}) for each in value_problems(error) if each.field == name][:1]
    return []
