"""From pydantic's complaints about values to problems for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from backend.core.errors import Problem

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_LIMITS = {
    "greater_than": ("value.above", "gt"),
    "greater_than_equal": ("value.at_least", "ge"),
    "less_than": ("value.below", "lt"),
    "less_than_equal": ("value.at_most", "le"),
    "string_too_short": ("value.short", "min_length"),
    "string_too_long": ("value.long", "max_length"),
    "too_short": ("value.few", "min_length"),
    "too_long": ("value.many", "max_length"),
}
_PLAIN = {
    "missing": "value.missing",
    "int_type": "value.whole",
    "int_parsing": "value.whole",
    "int_parsing_size": "value.whole",
    "int_from_float": "value.whole",
    "float_type": "value.number",
    "float_parsing": "value.number",
    "finite_number": "value.number",
    "bool_type": "value.yes_no",
    "bool_parsing": "value.yes_no",
    "string_type": "value.text",
    "string_pattern_mismatch": "value.characters",
    "list_type": "value.list",
    "dict_type": "value.keys",
    "model_type": "value.keys",
}


def value_problems(error: ValidationError, whole: str | None = None) -> list[Problem]:
    """One problem for each place, which becomes its `field` (items of a list as `field.0`); `whole` names what has no place."""
    found: dict[str | None, Problem] = {}
    for detail in error.errors(include_url=False):
        place = ".".join(_place(detail)) or whole
        found.setdefault(place, _problem(detail, place))
    return list(found.values())


def _place(detail: ErrorDetails) -> Iterator[str]:
    """Without the branches of a union, which pydantic names like `list[str]`."""
    for part in detail["loc"]:
        if isinstance(part, int) or "[" not in part:
            yield str(part)


def _problem(detail: ErrorDetails, place: str | None) -> Problem:
    kind, about = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return Problem(code="recipe.unknown_key", args={"key": str(detail["loc"][-1])}, field=place)
    if kind in _LIMITS:
        code, limit = _LIMITS[kind]
        return Problem(code=code, args={"limit": _short(about[limit])}, field=place)
    if kind in _PLAIN:
        return Problem(code=_PLAIN[kind], field=place)
    if kind == "literal_error":
        choices = str(about["expected"]).replace("'", "").replace(" or ", ", ")
        return Problem(code="value.choice", args={"choices": choices}, field=place)
    return Problem(code="core.value", args={"reason": detail["msg"].rstrip(".") + "."}, field=place)


def _short(limit: Any) -> str:
    """`100.0` -> `100`."""
    return str(int(limit)) if limit == int(limit) else str(limit)
