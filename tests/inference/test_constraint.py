"""Forms of answers, without a model: what can't be met is said before anything starts."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from backend.generation.answerer import sampling_identity
from backend.inference.constraint import Constraint
from backend.inference.protocol import Sampling


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("labels", ("red", "blue"), None),
        ("labels", (), "constraint.no_labels"),
        ("regex", "[a-z]+", None),
        ("regex", "(", "constraint.impossible"),
        ("regex", r"[^\s\S]", "constraint.impossible"),
        ("json_schema", "{}", None),
        ("json_schema", "{", "constraint.no_json"),
        ("json_schema", "[1]", "constraint.no_schema"),
        ("json_schema", "false", "constraint.no_schema"),
        ("json_schema", '{"type": "fish"}', "constraint.impossible"),
        ("json_schema", '{"type": "string", "minLength": 3, "maxLength": 2}', "constraint.impossible"),
        ("json_schema", '{"required": ["a"], "properties": {"a": false}, "type": "object"}', "constraint.impossible"),
        ("grammar", 'start: a\na: "x" a', None),
        ("grammar", "start: a\na: a", "constraint.impossible"),
        ("grammar", "start: b", "constraint.impossible"),
    ],
)
def test_problems(kind: Any, value: str | tuple[str, ...], code: str | None) -> None:
    problem = Constraint(kind=kind, value=value).problem("schema")
    assert (problem.code if problem else None) == code
    if problem:
        assert problem.field == "schema" and "<state>" not in problem.sentence() and problem.blocking


def test_answers_without_a_form_keep_their_place_in_the_cache() -> None:
    assert "constraint" not in sampling_identity(Sampling())
    assert "constraint" in sampling_identity(Sampling(constraint=Constraint(kind="labels", value=("a",))))


def test_the_library_is_loaded_where_a_form_is_used() -> None:
    asked = "import sys, backend.api, backend.inference.protocol; print('llguidance' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", asked], text=True).strip() == "False"
