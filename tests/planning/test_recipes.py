"""Recipes: everything that is wrong is named at once, before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core import refs
from backend.core.errors import StudioError
from backend.core.paths import assets
from backend.planning import recipes

GOOD = {
    "name": "two",
    "stages": [
        {"id": "b", "stage": "finetune", "params": {"model": "m", "data": "${a}"}},
        {"id": "a", "stage": "dataset", "params": {"source": "demo:smart-home"}},
    ],
}


def codes(content: object, overrides: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(StudioError) as error:
        recipes.build(content, overrides)
    return sorted(problem.code for problem in error.value.problems)


def test_steps_are_ordered_by_what_they_need() -> None:
    assert [step.id for step in recipes.build(GOOD).ordered()] == ["a", "b"]


def test_all_problems_are_named_at_once() -> None:
    bad = {
        "name": "bad",
        "stages": [
            {"id": "a", "stage": "dataset", "params": {"source": "x.csv", "sauce": 1, "seed_": 2}},
            {"id": "b", "stage": "cook", "params": {}},
            {"id": "c", "stage": "finetune", "params": {"model": "m", "data": "${nowhere}", "epochs": "many"}},
            {"id": "c", "stage": "dataset", "params": {"source": "x.csv"}},
        ],
    }
    assert codes(bad) == [
        "recipe.twice",
        "recipe.unknown_key",
        "recipe.unknown_key",
        "recipe.unknown_ref",
        "recipe.unknown_stage",
        "value.number",
    ]


def test_a_cycle_is_named() -> None:
    content = {
        "name": "loop",
        "stages": [
            {"id": "a", "stage": "finetune", "params": {"model": "${b}", "data": "d"}},
            {"id": "b", "stage": "finetune", "params": {"model": "${a}", "data": "d"}},
        ],
    }
    with pytest.raises(StudioError, match=r"a → b → a|b → a → b"):
        recipes.build(content)


def test_unknown_keys_of_the_recipe_itself_are_named() -> None:
    with pytest.raises(StudioError, match="“stagez”"):
        recipes.build({"name": "x", "stagez": [], "stages": [{"id": "a", "stage": "dataset", "paramz": {}}]})


def test_overrides_reach_parameters_with_their_types() -> None:
    recipe = recipes.build(GOOD, {"b.epochs": "2", "a.source": "file.csv", "seed": "7"})
    params = {step.id: step.params for step in recipe.stages}
    assert params["b"]["epochs"] == 2 and params["a"]["source"] == "file.csv" and recipe.seed == 7


def test_a_step_has_a_seed_of_its_own_or_the_recipes() -> None:
    recipe = recipes.build(GOOD, {"b.seed": "8"})
    assert [recipe.seed_of(step) for step in recipe.ordered()] == [42, 8]
    assert codes(GOOD, {"b.seed": "eight"}) == ["recipe.set_seed"]


def test_steps_keep_the_order_of_writing_where_they_can() -> None:
    """Each variant of an ablation is measured right after it was trained, not when all are."""
    made = {"id": "a", "stage": "dataset", "params": {"source": "demo:smart-home"}}
    steps = [made]
    for n in range(3):
        tuned = {"id": f"t{n}", "stage": "finetune", "params": {"model": "m", "data": "${a}"}}
        steps += [tuned, {"id": f"e{n}", "stage": "evaluate", "params": {"model": f"${{t{n}}}", "data": "${a}"}}]
    ordered = recipes.build({"name": "many", "stages": steps}).ordered()
    assert [step.id for step in ordered] == ["a", "t0", "e0", "t1", "e1", "t2", "e2"]


def test_a_step_waits_for_others_whose_results_it_does_not_take() -> None:
    check = {"id": "check", "stage": "check_data", "params": {"data": "${a}"}}
    tuned = {"id": "b", "stage": "finetune", "after": ["check"], "params": {"model": "m", "data": "${a}"}}
    made = {"id": "a", "stage": "dataset", "params": {"source": "demo:smart-home"}}
    content = {"name": "two", "stages": [tuned, made, check]}
    recipe = recipes.build(content)
    assert [step.id for step in recipe.ordered()] == ["a", "check", "b"]
    assert recipe.ordered()[-1].needs == {"a", "check"}
    assert codes({"name": "x", "stages": [{**made, "after": ["other"]}]}) == ["recipe.unknown_after"]
    assert "recipe.cycle" in codes({"name": "x", "stages": [tuned, {**made, "after": ["b"]}, check]})


@pytest.mark.parametrize("name", ["quickstart", "finetune", "distill"])
def test_a_shipped_recipe_trains_nothing_before_its_data_is_checked(name: str) -> None:
    recipe = recipes.load(assets() / "recipes" / f"{name}.yaml")
    steps = {step.id: step for step in recipe.stages}
    assert steps["check"].params["stop"] is True

    def waits_for(step: str) -> set[str]:
        return steps[step].needs.union(*map(waits_for, steps[step].needs))

    trained = [step.id for step in recipe.stages if step.stage in ("finetune", "distill", "prune")]
    assert trained and all("check" in waits_for(id_) for id_ in trained)


def test_an_override_of_a_stage_that_is_not_there_is_named() -> None:
    assert codes(GOOD, {"z.epochs": "2"}) == ["recipe.set_unknown"]
    assert codes(GOOD, {"b.epoch": "2"}) == ["recipe.unknown_key"]


def test_a_dumped_recipe_is_the_same_recipe(tmp_path: Path) -> None:
    recipe = recipes.build(GOOD)
    file = tmp_path / "r.yaml"
    file.write_text(recipes.dump(recipe.model_dump(mode="json")), "utf-8")
    assert recipes.load(file) == recipe


@pytest.mark.parametrize(
    ("text", "code"),
    [("name: [", "recipe.yaml"), ("- 1", "value.keys"), ("", "value.keys"), ("name: x\nstages: []", "value.few")],
)
def test_files_that_are_no_recipe(tmp_path: Path, text: str, code: str) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(StudioError) as error:
        recipes.load(file)
    assert error.value.code == code


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"nothing\.yaml"):
        recipes.load(tmp_path / "nothing.yaml")


def test_references_are_replaced_at_any_depth() -> None:
    params = {"a": "${x}", "b": ["${y}", "z"], "c": "not ${x}"}
    assert refs.referenced_ids(params) == {"x", "y"}
    assert refs.replace_refs(params, {"x": "1", "y": "2"}) == {"a": "1", "b": ["2", "z"], "c": "not ${x}"}
