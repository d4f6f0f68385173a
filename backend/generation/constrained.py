"""The parameters that constrain answers to the labels of a dataset or to a JSON schema, their checks and what they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from backend.core.errors import Problem, StudioError
from backend.core.fields import Labels
from backend.core.stage import World
from backend.data.dataset import Template
from backend.generation.answerer import AnswererParams
from backend.inference.constraint import Constraint
from backend.inference.protocol import Sampling


class ConstrainedParams(AnswererParams):
    """Who answers, and in which form."""

    constrained: Annotated[
        Literal["off", "labels", "json_schema"],
        Labels({"off": "Off", "labels": "The dataset's labels", "json_schema": "A JSON schema"}),
    ] = Field(
        "off",
        title="Constrained answers",
        description="Allows only tokens that lead to a label or to JSON of a schema: no malformed answers. "
        "Scores compare only with scores measured the same way. Local models only.",
    )
    json_schema: str = Field(
        "",
        title="JSON schema",
        description="Every answer is JSON that fits this JSON Schema; `{}` allows any JSON.",
        max_length=100_000,
    )


def sampling(params: ConstrainedParams, template: Template, most: int) -> Sampling:
    """Greedy, in the form that was asked for. `most`: tokens of an answer; where the user gave none, more for labels, which may
    come in single bytes. Raises StudioError where the form can't be kept to."""
    form = _constraint(params, template)
    needed = form.most_bytes() + 1 if form and not params.max_new_tokens else 0
    return Sampling(max_new_tokens=max(most, needed), constraint=form)


def _constraint(params: ConstrainedParams, template: Template) -> Constraint | None:
    found = None
    if params.constrained == "labels":
        found = Constraint(kind="labels", value=tuple(template.labels))
    elif params.constrained == "json_schema":
        found = Constraint(kind="json_schema", value=params.json_schema)
    if found and not params.model:
        raise StudioError("constraint.endpoint", field="constrained")
    return found


def problems(params: ConstrainedParams, world: World) -> list[Problem]:
    if params.constrained == "off":
        return []
    if not params.model:
        return [Problem(code="constraint.endpoint", field="constrained")]
    if params.constrained == "json_schema":
        problem = Constraint(kind="json_schema", value=params.json_schema).problem("json_schema")
        return [problem] if problem else []
    known = world.describe(getattr(params, "data", ""))
    if known and not known.pending and not known.facts.get("labels"):
        return [Problem(code="constraint.no_labels", field="constrained")]
    return []


def facts(params: ConstrainedParams) -> dict[str, str]:
    """What tells an evaluation from one of free answers."""
    return {} if params.constrained == "off" else {"constrained": params.constrained}


def inactive(values: Mapping[str, Any]) -> set[str]:
    return set() if values.get("constrained") == "json_schema" else {"json_schema"}
