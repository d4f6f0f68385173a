"""One recipe trains every variant alike: all combinations validate and plan, and nothing but the lesson differs."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.core.paths import assets
from backend.core.schemas import Kind
from backend.planning import recipes
from backend.planning.ablation.recipe import FIRST_SEED, VARIANTS, AblationParams
from backend.planning.ablation.results import is_ablation
from tests.planning.ablation.ablation_builder import AblationBuilder
from tests.studio.builder import StudioBuilder


@pytest.fixture
def lab(home: Path) -> AblationBuilder:
    return AblationBuilder(StudioBuilder(home))


def steps(recipe: recipes.Recipe) -> dict[str, recipes.RecipeStage]:
    return {step.id: step for step in recipe.stages}


@pytest.mark.parametrize(
    ("kind", "quantize", "split"), product(["adapter", "onnx"], [False, True], ["validation", "test"])
)
def test_every_combination_can_be_planned(home: Path, kind: str, quantize: bool, split: str) -> None:
    lab = AblationBuilder(StudioBuilder(home), kind=Kind(kind))
    recipe = lab.builder.studio.ablation_recipe(lab.params(seeds=1, quantize=quantize, split=split, temperature=3.0))
    plan = lab.builder.studio.plan(recipe)
    assert not plan.problems
    variants = ["gold", "sequence", "logit"] if kind == "adapter" else ["gold", "sequence"]
    trained = [step.id for step in recipe.stages if step.stage == "distill"]
    assert trained == [f"{variant}-42" for variant in variants]
    ends = ["-int4-eval", "-eval"] if quantize else ["-eval"]
    wanted = {"teacher-eval"} | {f"{name}{end}" for name in ("base", *trained) for end in ends}
    measured = {step.id: step.params for step in recipe.stages if step.stage == "evaluate"}
    assert measured.keys() == wanted
    assert {(each["data"], each["split"]) for each in measured.values()} == {(lab.gold.id, split)}
    assert ("capture" in steps(recipe)) == (kind == "adapter")


def test_variants_differ_in_their_lesson_alone(lab: AblationBuilder) -> None:
    recipe = lab.builder.studio.ablation_recipe(lab.params(seeds=3, learning_rate=0.002, kl_weight=0.7, batch_size=8))
    trained = [step for step in recipe.stages if step.stage == "distill"]
    assert [(step.id, step.seed) for step in trained] == [
        (f"{variant}-{seed}", seed) for seed in (42, 43, 44) for variant in ("gold", "sequence", "logit")
    ]
    gold, sequence, logit = (step.params for step in trained[:3])
    assert gold["data"] == lab.gold.id and sequence["data"] == logit["data"] == lab.answers.id
    assert logit["capture"] == "${capture}" and logit["kl_weight"] == 0.7
    own = {"data", "name", "method", "capture", "kl_weight"}
    rest = [{name: value for name, value in each.items() if name not in own} for each in (gold, sequence, logit)]
    assert rest[0] == rest[1] == rest[2]
    assert rest[0] == {"student": lab.student.id, "max_steps": 20, "learning_rate": 0.002, "batch_size": 8}
    assert gold["name"] == "ablation-gold-seed42"


def test_a_temperature_that_is_not_captured_by_itself_is_asked_for(lab: AblationBuilder) -> None:
    asked = steps(lab.builder.studio.ablation_recipe(lab.params(temperature=3.0)))["capture"].params
    assert 3.0 in asked["temperatures"] and asked["teacher"] == lab.teacher.id
    assert "temperatures" not in steps(lab.builder.studio.ablation_recipe(lab.params()))["capture"].params


def test_a_capture_that_fits_is_used_and_another_is_not(lab: AblationBuilder) -> None:
    from backend.training.captures import data_hashes, tokenizer_hashes

    hashes = {**data_hashes(lab.answers.path), **tokenizer_hashes(lab.teacher.path), "teacher": [lab.teacher.digest]}
    facts: dict[str, Any] = {"data": lab.answers.id, "teacher": lab.teacher.id, "hashes": hashes, "max_length": 512}
    facts |= {"temperatures": [1.0], "bytes": 1000, "vocabulary": 3}
    kept = lab.builder.artifact(Kind.CAPTURE, "kept", facts, {"capture.json": "{}"})
    lab.builder.artifact(Kind.CAPTURE, "other", {**facts, "data": "dataset-else"}, {"capture.json": "{}"})
    recipe = lab.builder.studio.ablation_recipe(lab.params())
    assert steps(recipe)["logit-42"].params["capture"] == kept.id and "capture" not in steps(recipe)
    hot = lab.builder.studio.ablation_recipe(lab.params(temperature=2.0))
    assert steps(hot)["logit-42"].params["capture"] == "${capture}", "it has no such temperature"


def test_answers_of_an_endpoint_leave_two_variants_and_no_teacher(lab: AblationBuilder) -> None:
    facts = {**lab.answers.facts, "teacher": "gpt", "teachers": []}
    far = lab.builder.artifact(Kind.DATASET, "far", facts, parents=[lab.gold.id])
    recipe = lab.builder.studio.ablation_recipe(lab.params(data=far.id))
    assert {step.stage for step in recipe.stages} == {"evaluate", "distill"}
    assert "teacher-eval" not in steps(recipe)


@pytest.mark.parametrize("bad", [{"seeds": 6}, {"max_steps": 0}, {"split": "train"}, {"name": ""}, {"epochz": 1}])
def test_bounds(lab: AblationBuilder, bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        lab.params(**bad)


def test_what_is_lacking_is_named_by_the_plan(lab: AblationBuilder) -> None:
    studio = lab.builder.studio
    problems = studio.plan(
        studio.ablation_recipe(AblationParams(student=lab.student.id, data="gone", gold="gone"))
    ).problems
    assert {problem.code for problem in problems} == {"core.artifact_unknown"}
    with pytest.raises(StudioError):
        studio.methods("gone", lab.answers.id)


def test_a_run_is_told_by_its_steps(lab: AblationBuilder) -> None:
    run = lab.start()
    assert is_ablation(run)
    assert [each.id for each in lab.builder.studio.ablations(lab.builder.store.project())] == [run.id]
    lone = run.model_copy(update={"jobs": [job for job in run.jobs if job.stage != "evaluate"]})
    assert not is_ablation(lone)


def test_the_shipped_recipe_is_a_fair_ablation(lab: AblationBuilder) -> None:
    shipped = recipes.load(assets() / "recipes" / "distill.yaml")
    found = steps(shipped)
    run = lab.start()
    jobs = [run.jobs[0].model_copy(update={"stage_id": id_}) for id_ in found]
    assert is_ablation(run.model_copy(update={"jobs": jobs}))
    for seed in range(FIRST_SEED, FIRST_SEED + 3):
        trainings = {variant: found[f"{variant}-{seed}"] for variant in VARIANTS}
        assert {step.seed for step in trainings.values()} == {seed}
        own = {"data", "capture", "kl_weight", "temperature", "name"}
        shared = [{k: v for k, v in step.params.items() if k not in own} for step in trainings.values()]
        assert shared[0] == shared[1] == shared[2] and shared[0]["max_steps"]
        assert [step.params["data"] for step in trainings.values()] == ["${data}", "${answers}", "${answers}"]
        assert ["capture" in step.params for step in trainings.values()] == [False, False, True]
