"""The matrix of a recipe: blocks become the steps that somebody would have written out, in an order that can be foretold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.core.errors import Problem, StudioError
from backend.core.paths import assets
from backend.planning import matrix, recipes
from tests.studio.builder import StudioBuilder

DATA: dict[str, Any] = {"id": "data", "stage": "dataset", "params": {"source": "demo:smart-home"}}
TUNED: dict[str, Any] = {
    "id": "{size}-{seed}",
    "stage": "finetune",
    "seed": "{seed}",
    "params": {"model": "m", "data": "${data}"},
}


def block(axes: dict[str, Any], *stages: dict[str, Any]) -> dict[str, Any]:
    return {"name": "many", "stages": [DATA, {"for": axes, "stages": list(stages)}]}


def tuned(axes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return block(axes, TUNED | more)


def expanded(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps of the block."""
    return [step.model_dump() for step in recipes.build(content).stages[1:]]


def problems(content: dict[str, Any]) -> list[Problem]:
    with pytest.raises(StudioError) as error:
        recipes.build(content)
    return error.value.problems


def told(content: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.field) for problem in problems(content)]


def evaluate(id_: str, model: str) -> dict[str, Any]:
    return {"id": id_, "stage": "evaluate", "params": {"model": model, "data": "${data}"}}


def quantize(id_: str, model: str, precision: str, name: str) -> dict[str, Any]:
    return {"id": id_, "stage": "quantize", "params": {"model": model, "precision": precision, "name": name}}


def written_out() -> list[dict[str, Any]]:
    """The steps of the shipped ablation, as they stood in its file before there were blocks."""
    data = {"source": "demo:smart-home", "languages": ["en"], "labelled_rows": 400, "pool_rows": 2800}
    data |= {"max_rows": 5000, "test": 0.12}
    teacher = {"model": "smollm2-135m-instruct", "data": "${data}", "epochs": 6, "evaluate_rows": 50}
    base = {"model": "${teacher}", "data": "${data}", "keep_layers": 6, "name": "distill-cut"}
    untrained = evaluate("base-eval", "${base}")
    untrained["params"] |= {"max_invalid": 1, "max_cut_off": 1, "min_numbers": 0}
    steps = [
        {"id": "data", "stage": "dataset", "params": data},
        {"id": "check", "stage": "check_data", "params": {"data": "${data}", "stop": True}},
        {"id": "teacher", "stage": "finetune", "after": ["check"], "params": teacher | {"name": "distill-teacher"}},
        {"id": "answers", "stage": "teacher", "params": {"model": "${teacher}", "data": "${data}"}},
        {"id": "capture", "stage": "capture", "params": {"teacher": "${teacher}", "data": "${answers}"}},
        {"id": "base", "stage": "prune", "params": base},
        untrained,
        evaluate("teacher-eval", "${teacher}"),
        quantize("teacher-onnx", "${teacher}", "fp32", "distill-teacher-onnx"),
        evaluate("teacher-onnx-eval", "${teacher-onnx}"),
        quantize("teacher-int4", "${teacher}", "int4", "distill-teacher-int4"),
        evaluate("teacher-int4-eval", "${teacher-int4}"),
    ]
    for seed in (42, 43, 44):
        for method in ("gold", "sequence", "logit"):
            name = f"{method}-{seed}"
            params = {"student": "${base}", "max_steps": 600, "name": f"distill-{name}"}
            params["data"] = "${data}" if method == "gold" else "${answers}"
            if method == "logit":
                params |= {"capture": "${capture}", "kl_weight": 0.5, "temperature": 2.0}
            steps.append({"id": name, "stage": "distill", "seed": seed, "params": params})
            steps.append(evaluate(f"{name}-eval", "${" + name + "}"))
            steps.append(quantize(f"{name}-int4", "${" + name + "}", "int4", f"distill-{name}-int4"))
            steps.append(evaluate(f"{name}-int4-eval", "${" + name + "-int4}"))
    package = {"model": "${logit-42-int4}", "name": "distill-student", "reports": ["${parity}"]}
    package["evaluations"] = ["${teacher-eval}", "${logit-42-eval}", "${logit-42-int4-eval}"]
    steps.append({"id": "parity", "stage": "parity", "params": {"model": "${logit-42-int4}", "data": "${data}"}})
    return [*steps, {"id": "package", "stage": "package", "params": package}]


def test_the_shipped_ablation_is_what_was_written_out_before() -> None:
    file = assets() / "recipes" / "distill.yaml"
    recipe = recipes.load(file)
    assert [step.model_dump(exclude_defaults=True) for step in recipe.stages] == written_out()
    assert recipe.ordered() == recipe.stages and recipe.seed == 42
    assert len(file.read_text("utf-8").splitlines()) < 60


def test_the_first_axis_varies_slowest_and_steps_stay_together() -> None:
    score = {
        "id": "{size}-{seed}-eval",
        "stage": "evaluate",
        "params": {"model": "${{size}-{seed}}", "data": "${data}"},
    }
    steps = expanded(block({"seed": [2, 1], "size": ["b", "a"]}, TUNED, score))
    ids = ["b-2", "a-2", "b-1", "a-1"]
    assert [step["id"] for step in steps] == [id_ for name in ids for id_ in (name, f"{name}-eval")]
    assert [step["params"]["model"] for step in steps[1::2]] == ["${b-2}", "${a-2}", "${b-1}", "${a-1}"]
    turned = expanded(block({"size": ["b", "a"], "seed": [2, 1]}, TUNED))
    assert [step["id"] for step in turned] == ["b-2", "b-1", "a-2", "a-1"]


def test_blocks_stand_where_they_are_written() -> None:
    content = tuned({"seed": [1], "size": [8]})
    content["stages"].append(DATA | {"id": "last"})
    assert [step.id for step in recipes.build(content).stages] == ["data", "8-1", "last"]


def test_a_text_that_is_only_an_axis_takes_its_type() -> None:
    params = TUNED["params"] | {"rank": "{rank}", "learning_rate": "{rate}", "merge": "{on}", "name": "r{rank} {on}"}
    axes = {"seed": [7], "rank": [8], "rate": [0.01], "on": [True]}
    content = block(axes, {**TUNED, "id": "{seed}-{rank}-{on}-{rate}", "params": params})
    steps, _ = matrix.expand(content)
    step = steps["stages"][1]
    assert step["seed"] == 7 and type(step["seed"]) is int
    assert step["params"] == TUNED["params"] | {"rank": 8, "learning_rate": 0.01, "merge": True, "name": "r8 true"}
    assert step["id"] == "7-8-true-0.01"
    assert expanded(block({"n": [1]}, DATA | {"id": "{n}"}))[0]["id"] == "1", "an id is always a text"


def test_braces_that_are_no_axis_stay() -> None:
    texts = {"user": "Size {size}: {input} {{other}}", "output": "${size}", "labels": ["{size}", ["{size}{seed}"], 3]}
    steps, _ = matrix.expand(block({"seed": [1], "size": ["a{seed}"]}, TUNED | {"params": texts}))
    assert steps["stages"][1]["params"] == {
        "user": "Size a{seed}: {input} {{other}}",
        "output": "${size}",
        "labels": ["a{seed}", ["a{seed}1"], 3],
    }


def test_variants_bring_parameters_to_the_steps_that_take_them() -> None:
    sizes = {"small": {"rank": 4}, "large": {"rank": 32, "name": "large-{seed}"}}
    train = TUNED | {"with": "size", "params": TUNED["params"] | {"name": "any", "epochs": 2}}
    steps = expanded(block({"seed": [1], "size": sizes}, train, TUNED | {"id": "{size}-{seed}-plain"}))
    assert [step["params"] for step in steps] == [
        TUNED["params"] | {"name": "any", "epochs": 2, "rank": 4},
        TUNED["params"],
        TUNED["params"] | {"name": "large-1", "epochs": 2, "rank": 32},
        TUNED["params"],
    ]


def test_overrides_reach_one_expanded_step_alone() -> None:
    shipped = assets() / "recipes" / "distill.yaml"
    changed = {"gold-42.max_steps": "10", "logit-44.seed": "9"}
    plain = recipes.load(shipped).stages
    different = [
        (after.id, after.seed, after.params["max_steps"])
        for before, after in zip(plain, recipes.load(shipped, changed).stages, strict=True)
        if before != after
    ]
    assert different == [("gold-42", 42, 10), ("logit-44", 9, 600)]
    with pytest.raises(StudioError, match=r"--set gold\.max_steps.*gold-42"):
        recipes.load(shipped, {"gold.max_steps": "10"})


def test_the_stored_recipe_is_written_out(home: Path) -> None:
    builder = StudioBuilder(home)
    params = {"model": builder.model().id, "data": builder.dataset().id}
    content = {
        "name": "many",
        "stages": [{"for": {"seed": [5, 6]}, "stages": [{**TUNED, "id": "t{seed}", "params": params}]}],
    }
    run = builder.studio.start(builder.studio.plan(recipes.build(content)))
    stored = yaml.safe_load(builder.studio.recipe_of(run.id))
    assert stored["stages"] == [{"id": f"t{n}", "stage": "finetune", "seed": n, "params": params} for n in (5, 6)]


@pytest.mark.parametrize(
    ("axes", "more", "wanted"),
    [
        ({"seed": [], "size": ["a"]}, {}, [("recipe.for_empty", "stages.1.for.seed")]),
        ({"seed": [1], "size": {}}, {"with": "size"}, [("recipe.for_empty", "stages.1.for.size")]),
        ({"seed": 1, "size": ["a"]}, {}, [("recipe.for_axis", "stages.1.for.seed")]),
        ({"seed": [[1]], "size": {"a": 3}}, {}, [("recipe.for_axis", f"stages.1.for.{n}") for n in ("seed", "size")]),
        ({"seed": [1], "size": ["a"], "rank": [1, 2]}, {}, [("recipe.for_id", "stages.1.stages.0.id")]),
        ({"seed": [1], "size": ["a"]}, {"id": "x"}, [("recipe.for_id", "stages.1.stages.0.id")] * 2),
        ({"seed": [1], "size": ["a"]}, {"id": "${size}-{seed}"}, [("recipe.for_id", "stages.1.stages.0.id")]),
        ({"data": [1]}, {"id": "{data}"}, [("recipe.for_clash", "stages.1.for.data")]),
        ({"a": ["b"], "b": [""]}, {"id": "{a}{b}"}, [("recipe.for_clash", "stages.1.for.b")]),
        ({"input": [1]}, {"id": "{input}"}, [("recipe.for_prompt", "stages.1.for.input")]),
        ({"my axis": [1]}, {}, [("value.characters", "stages.1.for.my axis")]),
        ({}, {}, [("value.few", "stages.1.for")]),
        ({"seed": [1], "size": {"a": {}}}, {}, [("recipe.for_with", "stages.1.for.size")]),
        ({"seed": [1], "size": ["a"]}, {"with": "size"}, [("recipe.with", "stages.1.stages.0.with")]),
        ({"seed": [1], "size": ["a"]}, {"with": "sizes"}, [("recipe.with", "stages.1.stages.0.with")]),
    ],
)
def test_what_is_wrong_with_a_block_is_named_where_it_stands(
    axes: dict[str, Any], more: dict[str, Any], wanted: list[tuple[str, str]]
) -> None:
    assert told(tuned(axes, **more)) == wanted


def test_what_is_wrong_with_a_repeated_step_is_named_once_where_it_was_written() -> None:
    axes = {"seed": [1, 2], "size": ["a", "b"]}
    assert told(tuned(axes, sede=3, seed="{size}")) == [
        ("value.whole", "stages.1.stages.0.seed"),
        ("recipe.unknown_key", "stages.1.stages.0.sede"),
    ]
    assert told(tuned({"seed": [0.5], "size": ["a"]}))[0] == ("value.characters", "stages.1.stages.0.id")
    bad = tuned(axes, stage="cook")
    assert [problem.stage for problem in problems(bad)] == ["a-1", "b-1", "a-2", "b-2"]
    assert told(block(axes)) == [("value.few", "stages.1.stages")]
    assert told(block(axes, {"stage": "dataset"})) == [("value.missing", "stages.1.stages.0.id")]
    nested = {"for": axes, "stages": [TUNED], "id": "{size}-{seed}"}
    assert ("recipe.unknown_key", "stages.1.stages.0.for") in told(block(axes, nested))
    assert told({"name": "x", "stages": [{"for": [1], "stages": [TUNED], "more": 1}]}) == [
        ("value.keys", "stages.0.for"),
        ("recipe.unknown_key", "stages.0.more"),
    ]


def test_values_that_give_the_same_id_are_named() -> None:
    assert [problem.code for problem in problems(tuned({"seed": [1, 1], "size": ["a"]}))] == ["recipe.twice"]


def test_there_is_a_limit_and_it_is_seen_before_anything_is_made() -> None:
    half = {"for": {"seed": list(range(matrix.LIMIT // 2))}, "stages": [{**TUNED, "id": "a{seed}"}]}
    more = {"for": {"n": [1]}, "stages": [DATA | {"id": "b{n}"}]}
    content: dict[str, Any] = {"name": "x", "stages": [half, half | {"stages": [{**TUNED, "id": "b{seed}"}]}]}
    assert len(matrix.expand(content)[0]["stages"]) == matrix.LIMIT
    content["stages"].append(more)
    assert problems(content)[0].args == {"count": matrix.LIMIT + 1, "limit": matrix.LIMIT}
    huge = {name: list(range(1000)) for name in "abcdef"}
    found = problems(block(huge, DATA | {"id": "-".join(f"{{{name}}}" for name in huge)}))
    assert [problem.code for problem in found] == ["recipe.for_many"] and found[0].args["count"] == 1000**6


def test_sentences_show_braces_as_people_write_them() -> None:
    text = problems(tuned({"seed": [1], "size": ["a"]}, id="x-{seed}"))[0].text()
    assert text == (
        "stages.1.stages.0.id: The id “x-{seed}” lacks {size}, so several stages would share it. "
        "Add {size} to it, or remove the axis."
    )
