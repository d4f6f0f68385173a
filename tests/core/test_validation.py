"""What pydantic refuses is told in short sentences of our own, beside the field."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from backend import stages
from backend.core.errors import StudioError
from backend.core.validation import value_problems


class Model(BaseModel):
    needed: str = "x"
    whole: int = Field(1, gt=0, le=10_000_000)
    share: float = Field(0.5, ge=0.1, lt=1)
    flag: bool = False
    word: str = Field("abc", min_length=1, max_length=3, pattern="^[a-z]*$")
    choice: Literal["one", "two", 3] = "one"
    entries: list[int] = Field([1], min_length=1, max_length=2)
    either: Literal["all"] | list[str] = "all"
    keys: dict[str, int] = {}


@pytest.mark.parametrize(
    ("raw", "code", "said"),
    [
        ({"whole": 0}, "value.above", "Enter more than 0."),
        ({"whole": 20_000_000}, "value.at_most", "Enter 10000000 or less."),
        ({"whole": 1.5}, "value.whole", "whole number"),
        ({"whole": "many"}, "value.whole", "whole number"),
        ({"share": 0}, "value.at_least", "Enter 0.1 or more."),
        ({"share": 1}, "value.below", "Enter less than 1."),
        ({"share": "half"}, "value.number", "Not a number"),
        ({"flag": "perhaps"}, "value.yes_no", "true or false"),
        ({"needed": 5}, "value.text", "Not text"),
        ({"needed": None}, "value.text", "Not text"),
        ({"word": ""}, "value.short", "at least 1"),
        ({"word": "abcd"}, "value.long", "to 3 characters"),
        ({"word": "A"}, "value.characters", "not allowed"),
        ({"choice": "four"}, "value.choice", "one, two, 3."),
        ({"entries": []}, "value.few", "at least 1."),
        ({"entries": [1, 2, 3]}, "value.many", "at most 2."),
        ({"entries": "1"}, "value.list", "Not a list"),
        ({"either": "some"}, "value.choice", "all."),
        ({"keys": 1}, "value.keys", "keys to values"),
    ],
)
def test_each_kind_of_value_has_its_sentence(raw: dict[str, Any], code: str, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Model.model_validate(raw)
    [problem] = value_problems(caught.value)
    assert (problem.code, problem.field) == (code, *raw)
    assert said in problem.sentence()


def test_places_in_lists_are_counted_and_the_whole_has_a_name() -> None:
    with pytest.raises(ValidationError) as caught:
        Model.model_validate({"entries": ["x", 2]})
    assert [problem.field for problem in value_problems(caught.value)] == ["entries.0"]
    with pytest.raises(ValidationError) as caught:
        Model.model_validate(None)
    assert [problem.text() for problem in value_problems(caught.value, whole="recipe")] == [
        "recipe: Not a mapping of keys to values. Write it as key: value, one per line."
    ]


def test_stages_name_all_wrong_parameters_at_once() -> None:
    with pytest.raises(StudioError) as caught:
        stages.stage("finetune").parse({"rank": 0, "epochs": "many", "sauce": 1})
    codes = {problem.field: problem.code for problem in caught.value.problems}
    assert codes == {"rank": "value.at_least", "epochs": "value.number", "sauce": "recipe.unknown_key"}
