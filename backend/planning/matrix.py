"""The matrix of a recipe: an entry of `stages` with `for` stands for its steps once for every combination of its axes.

What comes out are plain steps; whatever works on a recipe afterwards (`--set`, plan, queue, store) knows of no axes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.core.errors import Problem, StudioError
from backend.core.validation import value_problems

LIMIT = 1000
"""How many steps the blocks of one recipe may make together."""
PROMPTS = frozenset({"input", "labels", "marker"})
"""What a prompt keeps in braces for itself."""

_HOLE = re.compile(r"(?<!\$)\{(\w+)\}")
_STEP = re.compile(r"^stages\.(\d+)")

Value = str | int | float
Variant = tuple[Value, dict[str, Any]]
"""A value of an axis with the parameters that it brings along."""


class Template(BaseModel):
    """A step of a block. `variant`: the axis whose parameters it takes over its own."""

    model_config = ConfigDict(extra="allow")

    id: str
    params: dict[str, Any] = {}
    variant: str | None = Field(default=None, alias="with")

    def filled(self, chosen: dict[str, Variant]) -> dict[str, Any]:
        """The step for one combination, by axis."""
        values = {axis: value for axis, (value, _) in chosen.items()}
        brought = chosen[self.variant][1] if self.variant else {}
        step = {**(self.model_extra or {}), "params": self.params | brought}
        return {"id": _written(self.id, values), **_fill(step, values)}


class Block(BaseModel):
    """`for` with its axes and the steps to repeat."""

    model_config = ConfigDict(extra="forbid")

    axes: dict[Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")], Any] = Field(alias="for", min_length=1)
    stages: list[Template] = Field(min_length=1)

    @property
    def count(self) -> int:
        """How many steps it makes."""
        return len(self.stages) * prod(len(axis) for axis in self.axes.values())

    def steps(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Each step with the number of its template; the first axis varies slowest. Call after `problems`."""
        for chosen in product(*(_variants(axis) for axis in self.axes.values())):
            by_axis = dict(zip(self.axes, chosen, strict=True))
            for number, template in enumerate(self.stages):
                yield number, template.filled(by_axis)

    def problems(self) -> list[Problem]:
        """What is wrong with the axes, and with how the steps use them."""
        found = [
            Problem(code=code, args={"axis": name}, field=f"for.{name}")
            for name in self.axes
            for code in self._axis_problems(name)
        ]
        for number, step in enumerate(self.stages):
            field = f"stages.{number}"
            for name in self.axes:
                if name not in _HOLE.findall(step.id):
                    found.append(Problem(code="recipe.for_id", args={"id": step.id, "axis": name}, field=f"{field}.id"))
            if step.variant is not None and not isinstance(self.axes.get(step.variant), dict):
                found.append(Problem(code="recipe.with", args={"axis": step.variant}, field=f"{field}.with"))
        return found

    def _axis_problems(self, name: str) -> Iterator[str]:
        axis = self.axes[name]
        if name in PROMPTS:
            yield "recipe.for_prompt"
        if not isinstance(axis, list | dict) or not all(_is_variant(each) for each in _variants(axis)):
            yield "recipe.for_axis"
        elif not axis:
            yield "recipe.for_empty"
        elif isinstance(axis, dict) and name not in {step.variant for step in self.stages}:
            yield "recipe.for_with"


def expand(content: Any) -> tuple[Any, list[str]]:
    """A recipe's plain data with steps in place of its blocks, and where each step was written (`stages.4.stages.0`).

    Data of another shape comes back as it is. Raises StudioError with what is wrong in all blocks."""
    if not isinstance(content, dict) or not isinstance(content.get("stages"), list):
        return content, []
    entries = {f"stages.{number}": entry for number, entry in enumerate(content["stages"])}
    blocks = _blocks({place: entry for place, entry in entries.items() if isinstance(entry, dict) and "for" in entry})
    steps, places = [], []
    for place, entry in entries.items():
        made = blocks[place].steps() if place in blocks else [(None, entry)]
        for number, step in made:
            steps.append(step)
            places.append(place if number is None else f"{place}.stages.{number}")
    ids = [step.get("id") for step in steps if isinstance(step, dict)]
    clashes = [
        Problem(code="recipe.for_clash", args={"axis": name}, field=f"{place}.for.{name}")
        for place, block in blocks.items()
        for name in block.axes
        if name in ids
    ]
    if clashes:
        raise StudioError.of(clashes)
    return content | {"stages": steps}, places


def written_at(problems: list[Problem], places: list[str]) -> list[Problem]:
    """Problems of expanded steps (`stages.11.id`) at the places where people wrote them, each once."""
    found: dict[str | None, Problem] = {}
    for problem in problems:
        field = (
            _STEP.sub(lambda step: places[int(step[1])], problem.field) if problem.field and places else problem.field
        )
        found.setdefault(field, problem.model_copy(update={"field": field}))
    return list(found.values())


def _blocks(entries: dict[str, Any]) -> dict[str, Block]:
    """The checked blocks by their place. Raises StudioError."""
    blocks, problems = {}, list[Problem]()
    for place, entry in entries.items():
        try:
            blocks[place] = Block.model_validate(entry)
            found = blocks[place].problems()
        except ValidationError as error:
            found = value_problems(error)
        problems += [problem.model_copy(update={"field": f"{place}.{problem.field}"}) for problem in found]
    if problems:
        raise StudioError.of(problems)
    count = sum(block.count for block in blocks.values())
    if count > LIMIT:
        raise StudioError("recipe.for_many", field="stages", count=count, limit=LIMIT)
    return blocks


def _variants(axis: list[Any] | dict[Any, Any]) -> list[Variant]:
    return list(axis.items()) if isinstance(axis, dict) else [(value, {}) for value in axis]


def _is_variant(variant: Variant) -> bool:
    return isinstance(variant[0], str | int | float) and isinstance(variant[1], dict)


def _fill(value: Any, values: dict[str, Value]) -> Any:
    """A copy with the values in place of `{axis}`, at any depth; a text that is nothing else takes the value's type."""
    if isinstance(value, dict):
        return {key: _fill(each, values) for key, each in value.items()}
    if isinstance(value, list):
        return [_fill(each, values) for each in value]
    if not isinstance(value, str):
        return value
    whole = _HOLE.fullmatch(value)
    return values[whole[1]] if whole and whole[1] in values else _written(value, values)


def _written(text: str, values: dict[str, Value]) -> str:
    """Values within a text are written as in YAML; braces that name no axis stay, and so does every `${id}`."""

    def value(hole: re.Match[str]) -> str:
        found = values.get(hole[1], hole[0])
        return found if isinstance(found, str) else json.dumps(found)

    return _HOLE.sub(value, text)
