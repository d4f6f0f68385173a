"""Names of earlier versions: what they mean now, and that what is of now stays."""

from __future__ import annotations

from typing import Any

import pytest

from backend.core.renames import renamed, stage_name
from backend.planning import recipes
from backend.stages import stage

SCHEMES = {"model": "m", "data": "d", "schemes": ["rtn-32"], "calibration_rows": 32, "keep": 0.9, "rows": 50}
TRAINING = {"model": "m", "data": "d", "space": ["rank=8|16"], "settings": ["epochs=2"], "sampler": "random"}


@pytest.mark.parametrize(
    ("name", "params", "now"),
    [
        ("search", {"model": "m", "recipes": ["rtn-32"]}, {"stage": "quantize", "schemes": ["rtn-32"]}),
        ("scheme_search", SCHEMES, {"stage": "quantize", "keep": 0.9, "settings": ["calibration_rows=32"]}),
        ("hyperparameter_search", TRAINING, {"stage": "finetune", "settings": ["epochs=2"]}),
        ("hyperparameter_search", {**TRAINING, "training": "distill"}, {"stage": "distill"}),
        ("search", {**TRAINING, "stage": "finetune"}, {"stage": "finetune"}),
    ],
)
def test_the_searches_of_before_are_one_stage(name: str, params: dict[str, Any], now: dict[str, Any]) -> None:
    found = renamed(name, params)
    assert stage_name(name) == "search" and found.items() >= now.items()
    assert renamed("search", found) == found
    assert stage("search").parse(found).model_dump().items() >= now.items()


@pytest.mark.parametrize(("name", "searched"), [("scheme_search", "quantize"), ("hyperparameter_search", "finetune")])
def test_a_recipe_with_an_old_name_runs_and_says_the_new_one(name: str, searched: str) -> None:
    params = {"model": "m", "data": "d", "minutes": 5}
    recipe = recipes.build({"name": "r", "stages": [{"id": "best", "stage": name, "params": params}]})
    (step,) = recipe.stages
    assert (step.stage, step.params["stage"]) == ("search", searched)
    assert step.old_words == [(name, f"search (stage: {searched})")]
    assert recipe.parsed(step).model_dump()["minutes"] == 5
    (again,) = recipes.build(recipe.model_dump()).stages
    assert again.old_words == [] and again.params == step.params
