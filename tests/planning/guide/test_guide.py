"""From goal, file and preset to a recipe: every goal with every kind of file, every preset, every teacher."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from backend.planning import recipes
from backend.planning.guide import presets
from backend.planning.guide.chain import TUNED_TEACHER, Teacher, Wish, recipe_of, stem
from backend.planning.guide.goals import GOALS, LEAST_ROWS, Material, fit
from backend.planning.guide.presets import DEFAULT, PRESETS, Figure, figures, settings_of
from backend.planning.guide.repair import repairable, repaired
from backend.planning.recipes import Recipe

ROWS = {"train": 80, "validation": 10, "test": 10, "pool": 0}
FILES = {
    "labels": Material(ROWS, "label", 3, ["bill", "fault"]),
    "texts": Material(ROWS, "text", 0, ["Please restart the router.", "We open at nine."]),
    "fields": Material(ROWS, "text", 0, ['{"name": "Ana"}', "amount: 12 €"]),
    "inputs": Material({"pool": 100}, "text", 0, []),
}
TEACHERS = {
    "tune": Teacher(TUNED_TEACHER),
    "model": Teacher("model", "model-large", 12),
    "onnx": Teacher("model", "onnx-large", 0),
    "endpoint": Teacher("endpoint", "large"),
}


def wish(goal: str = "sort", file: str = "labels", preset: str = DEFAULT, teacher: str = "", **more: Any) -> Wish:
    chosen = TEACHERS[teacher] if teacher else TEACHERS["model"] if GOALS[goal].distills else None
    asked: dict[str, Any] = {
        "source": {"source": "/in/quejas 2026.csv"},
        "student": "small",
        "student_layers": 30,
        **more,
    }
    return Wish(goal=GOALS[goal], preset=PRESETS[preset], material=FILES[file], teacher=chosen, **asked)


def planned(wanted: Wish) -> Recipe:
    """Checked: every stage, parameter and reference of it is known."""
    return recipes.build(recipe_of(wanted))


def params(wanted: Wish, id_: str) -> dict[str, Any]:
    return next(step.params for step in planned(wanted).stages if step.id == id_)


@pytest.mark.parametrize(("goal", "file", "preset"), list(product(GOALS, FILES, PRESETS)))
def test_every_goal_makes_a_whole_recipe_of_every_file(goal: str, file: str, preset: str) -> None:
    recipe = planned(wish(goal, file, preset))
    stages = [step.stage for step in recipe.ordered()]
    assert stages[:2] == ["dataset", "check_data"] and stages[-1] == "package"
    assert stages.count("quantize") == 1
    assert ("distill" in stages) == GOALS[goal].distills == ("finetune" not in stages)
    measurable = FILES[file].measurable()
    assert ("evaluate" in stages) == measurable == ("baseline" in stages)
    check = next(step for step in recipe.stages if step.stage == "check_data")
    assert check.params["stop"], "nothing is trained on data that is not ready"
    for step in recipe.stages:
        if step.stage not in ("dataset", "check_data"):
            assert "check" in needed(recipe, step.id), f"{step.id} could start before the check"


def needed(recipe: Recipe, id_: str) -> set[str]:
    """All that has to end before a step."""
    steps = {step.id: step for step in recipe.stages}
    found: set[str] = set()
    layer = {id_}
    while layer:
        layer = {need for each in layer for need in steps[each].needs} - found
        found |= layer
    return found


@pytest.mark.parametrize(
    ("goal", "file", "code", "better"),
    [
        ("sort", "labels", None, None),
        ("sort", "texts", "guide.no_labels", "answer"),
        ("sort", "fields", "guide.no_labels", "extract"),
        ("sort", "inputs", "guide.no_answers", "shrink"),
        ("answer", "labels", "guide.labels_found", "sort"),
        ("answer", "texts", None, None),
        ("answer", "fields", None, None),
        ("answer", "inputs", "guide.no_answers", "shrink"),
        ("extract", "labels", "guide.labels_found", "sort"),
        ("extract", "texts", "guide.no_fields", "answer"),
        ("extract", "fields", None, None),
        ("extract", "inputs", "guide.no_answers", "shrink"),
        ("style", "labels", "guide.labels_found", "sort"),
        ("style", "texts", None, None),
        ("style", "fields", None, None),
        ("style", "inputs", "guide.no_answers", "shrink"),
        *(("shrink", file, None, None) for file in FILES),
    ],
)
def test_goal_is_checked_against_the_file(goal: str, file: str, code: str | None, better: str | None) -> None:
    found = fit(GOALS[goal], FILES[file])
    assert (found.problem.code if found.problem else None, found.better) == (code, better)
    assert found.problem is None or found.problem.blocking == (code == "guide.no_answers")


def test_too_few_answers_are_refused() -> None:
    few = Material({"train": LEAST_ROWS - 2, "validation": 1}, "label", 2)
    found = fit(GOALS["sort"], few)
    assert found.problem and found.problem.code == "guide.few_rows" and found.problem.blocking


def test_preset_decides_rows_passes_rank_and_bits() -> None:
    for name, preset in PRESETS.items():
        tuned, int4 = params(wish(preset=name), "tuned"), params(wish(preset=name), "int4")
        assert (tuned["epochs"], tuned["rank"]) == (preset.epochs, preset.rank)
        assert params(wish(preset=name), "data").get("max_rows", 0) == preset.rows
        assert dict(preset.quantize).items() <= int4.items()
    assert "eval_before" not in {step.id for step in planned(wish(preset="quick")).stages}
    assert params(wish(source={"source": "a.csv", "max_rows": 50}), "data")["max_rows"] == 50


@pytest.mark.parametrize(
    ("teacher", "student", "answered"),
    [("tune", "${pruned}", False), ("model", "${pruned}", True), ("onnx", "small", True), ("endpoint", "small", True)],
)
def test_student_is_made_of_a_teacher_that_can_be_taken_apart(teacher: str, student: str, answered: bool) -> None:
    wanted = wish("shrink", teacher=teacher)
    assert params(wanted, "student")["student"] == student
    ids = {step.id for step in planned(wanted).stages}
    assert ("answers" in ids) == answered
    assert (params(wanted, "student").get("method") == "online_logit") == (teacher == "tune")
    assert params(wanted, "data").get("list_labels", False) == (teacher != "tune")
    if student == "${pruned}":
        layers = 30 if teacher == "tune" else 12
        assert params(wanted, "pruned")["keep_layers"] == round(PRESETS[DEFAULT].layers * layers)


def test_rows_without_an_answer_are_answered_and_the_others_kept() -> None:
    pool = Material({**ROWS, "pool": 50}, "label", 3)
    wanted = Wish(GOALS["shrink"], PRESETS[DEFAULT], {"source": "a.csv"}, "small", 30, pool, TEACHERS["tune"])
    assert params(wanted, "answers")["splits"] == ["pool"]
    assert params(wanted, "student")["data"] == "${answers}"


def test_fixes_become_a_step_that_all_others_read_from() -> None:
    recipe = planned(wish(fixes=("merge_labels",)))
    readers = [step for step in recipe.stages if "${data}" in str(step.params)]
    assert [step.id for step in readers] == ["clean"]


@pytest.mark.parametrize("personal", ["mask", "send", "ask"])
def test_personal_data_is_masked_for_good_sent_or_stops_before_anything_leaves(personal: str) -> None:
    wanted = wish("shrink", teacher="endpoint", personal=personal, fixes=("merge_labels",))
    assert params(wanted, "answers")["personal_data"] == personal
    masks = ["mask_secrets", "mask_personal"] if personal == "mask" else []
    assert params(wanted, "clean")["fixes"] == ["merge_labels", *masks]
    assert params(wanted, "eval_teacher")["data"] == "${clean}", "what the teacher is measured on is masked, too"
    assert "personal_data" not in params(wish("shrink", teacher="endpoint"), "answers")


def test_training_rows_of_the_demo_that_give_a_test_row_away_go_first() -> None:
    wanted = wish(source={"source": "demo:smart-home"})
    assert params(wanted, "clean")["fixes"] == ["drop_leaks"]
    assert params(wanted, "check")["data"] == "${clean}"


def test_repair_adds_a_step_once_and_keeps_what_was_chosen_before() -> None:
    content = recipe_of(wish())
    once = repaired(content, ["drop_leaks"])
    assert [step["id"] for step in once["stages"]][:3] == ["data", "clean", "check"]
    assert [step.id for step in recipes.build(once).stages if "${data}" in str(step.params)] == ["clean"]
    twice = repaired(once, ["merge_labels", "drop_leaks"], [{"gate": "secrets", "reason": "test keys"}])
    assert twice["stages"][1]["params"]["fixes"] == ["drop_leaks", "merge_labels"]
    assert twice["stages"][2]["params"]["accepted"] == [{"gate": "secrets", "reason": "test keys"}]
    recipes.build(twice)
    assert "clean" not in {step["id"] for step in content["stages"]}, "the old recipe stays as it is"
    assert repairable(content) and not repairable({"name": "x", "stages": [content["stages"][0]]})


def test_names_are_safe_for_a_package() -> None:
    assert stem("/in/quejas 2026.csv") == "quejas-2026"
    assert stem("demo:smart-home") == "smart-home"
    assert stem("/in/Atención año 1.xlsx") == "Atencion-ano-1"
    assert stem("/in/日.csv") == "model"


def test_figure_counts_only_for_the_preset_as_it_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = {"goal": "sort", "data": "d", "metric": "accuracy", "quality": 0.9, "n": 60, "seconds": 9.0}
    now = settings_of(PRESETS["quick"])
    found = [
        Figure(**plain, preset="quick", machine="2 cores", date="2026-11-30", settings=settings)
        for settings in (now, now | {"epochs": 99})
    ]
    monkeypatch.setattr(presets, "_figures", lambda: tuple(found))
    assert figures() == found[:1]


def test_figures_name_presets_and_goals_that_exist() -> None:
    for one in figures():
        assert isinstance(one, Figure) and one.preset in PRESETS and one.goal in GOALS
        assert one.n > 0 and one.seconds > 0 and one.machine and one.date
