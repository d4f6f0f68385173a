"""What all trainings share before anything runs: steps beside the answers, values without effect, what it all takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.core.schemas import Kind
from backend.core.stage import Stage
from backend.data.dataset import Row, Template, write_split, write_template
from backend.data.facts import data_facts
from backend.stages import distill, finetune, teacher
from tests.helpers import dataset_view, model_view, tiny_dataset, view
from tests.stages.fake_world import FakeWorld
from tests.stages.test_finetune import SMOL, World, smol_world

STEPS: dict[str, Any] = {"rationales": 300, "rationale_chars": 360.0, "known": 0, "known_right": 0}
NO_STEPS: dict[str, Any] = {"rationales": 0, "rationale_chars": 0.0, "known": 0, "known_right": 0}
BOTH = pytest.mark.parametrize(("stage", "model"), [(finetune.STAGE, "model"), (distill.STAGE, "student")])


def params(stage: Stage, model: str, **more: Any) -> Any:
    return stage.parse({model: "m", "data": "d", **more})


@BOTH
def test_steps_that_are_not_there_are_named_before_anything_runs(stage: Stage, model: str) -> None:
    asked = params(stage, model, rationale="multitask")
    problems = stage.check(asked, smol_world(**NO_STEPS))
    assert [(problem.code, problem.field) for problem in problems] == [("steps.none", "rationale")]
    assert stage.check(asked, smol_world(**STEPS)) == []
    weight = stage.check(params(stage, model, rationale_weight=2), smol_world(**STEPS))
    assert [(problem.code, problem.field) for problem in weight] == [("train.unread", "rationale_weight")]


@BOTH
def test_the_quote_counts_the_second_examples(stage: Stage, model: str) -> None:
    plain, beside = params(stage, model), params(stage, model, rationale="multitask")
    world, few = smol_world(**STEPS), smol_world(**{**STEPS, "rationales": 10})
    alone = stage.quote(plain, world)
    assert alone == stage.quote(plain, smol_world(**NO_STEPS))
    assert stage.quote(beside, few).seconds < stage.quote(beside, world).seconds
    # 400 rows of about 36 tokens, and 300 of about 140 more
    assert stage.quote(beside, world).seconds > 2.5 * alone.seconds
    assert stage.quote(beside, world).memory_bytes > alone.memory_bytes


@BOTH
def test_control_needs_validation_rows_and_says_what_it_does_not_read(stage: Stage, model: str) -> None:
    def found(rows: dict[str, int], **more: Any) -> list[tuple[str, str | None]]:
        problems = stage.check(params(stage, model, **more), smol_world(**NO_STEPS, rows=rows))
        return [(problem.code, problem.field) for problem in problems]

    both = {"patience": 2, "min_improvement": 0.1, "keep": "best"}
    assert found({"train": 40}, **both) == [("train.no_validation", "patience"), ("train.no_validation", "keep")]
    assert found({"train": 40, "validation": 9}, **both) == [] == found({"train": 40})
    assert found({"train": 40, "validation": 9}, min_improvement=0.1) == [("train.unread", "min_improvement")]
    unread = found({"train": 40, "validation": 9}, evaluate_rows=0, evaluate_steps=5, keep="best")
    assert unread == [("train.unread", "evaluate_steps"), ("train.unread", "keep")]


@BOTH
def test_the_quote_counts_evaluations(stage: Stage, model: str) -> None:
    world, often = smol_world(**NO_STEPS), params(stage, model, evaluate_steps=5)
    plain, seldom = params(stage, model), params(stage, model, evaluate_rows=0)
    each = stage.quote(plain, world).seconds - stage.quote(seldom, world).seconds
    steps = plain.optimizer_steps(400)
    more = stage.quote(often, world).seconds - stage.quote(seldom, world).seconds
    assert more == pytest.approx(each / 3 * often.evaluations(steps, 3)) and more > 4 * each
    by_loss, by_answers = (params(stage, model, keep="best", best_by=how) for how in ("loss", "accuracy"))
    assert stage.quote(by_loss, world) == stage.quote(plain, world)
    assert stage.quote(by_answers, world).seconds > stage.quote(by_loss, world).seconds + each / 2
    assert [problem.field for problem in stage.check(params(stage, model, best_by="accuracy"), world)] == ["best_by"]


def rows_with_steps(folder: Path) -> Path:
    """Two of three training rows have steps; of two answers the right one is known, and one of them is right."""
    write_template(folder, Template(answer="label", labels=["a", "b"]))
    write_split(
        folder,
        "train",
        [
            Row(id="1", input="x", output="a", gold="a", rationale="x is a"),
            Row(id="2", input="y", output="a", gold="b", rationale="y"),
            Row(id="3", input="z", output="b"),
        ],
    )
    return folder


def test_facts_count_steps_and_right_answers(tmp_path: Path) -> None:
    facts = data_facts(rows_with_steps(tmp_path))
    assert (facts["rationales"], facts["rationale_chars"]) == (2, 3.5)
    assert (facts["known"], facts["known_right"]) == (2, 1)


def test_datasets_of_an_older_version_are_counted_when_they_are_asked(tmp_path: Path) -> None:
    new = dataset_view(rows_with_steps(tmp_path))
    old = {name: value for name, value in new.facts.items() if name not in STEPS}
    world = World(view(Path("m"), Kind.MODEL, "m", **SMOL), view(tmp_path, Kind.DATASET, "d", **old))
    asked = params(finetune.STAGE, "model", rationale="multitask")
    assert finetune.STAGE.check(asked, world) == []
    same = World(view(Path("m"), Kind.MODEL, "m", **SMOL), view(tmp_path, Kind.DATASET, "d", **new.facts))
    assert finetune.STAGE.quote(asked, world) == finetune.STAGE.quote(asked, same)


def test_a_teacher_that_is_asked_for_steps_promises_them() -> None:
    world = FakeWorld(view(Path("d"), Kind.DATASET, "d", rows={"train": 5, "pool": 7}, labels=[], **STEPS))
    outside = {"data": "d", "endpoint_url": "http://h/v1", "endpoint_model": "m"}
    promised = teacher.quote(teacher.TeacherParams.model_validate({**outside, "rationale": True}), world).forecast
    assert promised["rationales"] == 7 + STEPS["rationales"] and promised["rationale_chars"] > 0
    again = {**outside, "rationale": False, "splits": ["train"]}
    assert teacher.quote(teacher.TeacherParams.model_validate(again), world).forecast["rationales"] == 0


@pytest.mark.ml
def test_rows_say_what_they_give(tiny_model: Path, tmp_path: Path) -> None:
    from backend.data.chat_template import Encoder
    from backend.data.prompt_words import PROMPT_WORDS
    from backend.jobs.context import MemoryContext
    from backend.training.examples import load_examples

    folder = rows_with_steps(tiny_dataset(tmp_path / "d"))
    ctx, model = MemoryContext(tmp_path / "job"), model_view(tiny_model)
    plain, beside = (params(distill.STAGE, "student", rationale=each) for each in ("ignore", "multitask"))
    alone, _ = load_examples(plain, model.path, dataset_view(folder), ctx)
    both, held_out = load_examples(beside, model.path, dataset_view(folder), ctx)
    answers, steps = ([item for item in both.items if item["rationale"] == task] for task in (0, 1))
    assert [{**item, "rationale": 0} for item in alone.items] == answers and len(steps) == 2
    assert all("rationale" not in item for item in [*alone.items, *held_out.items])
    encoder = Encoder(model.path)
    assert encoder.text(steps[0]["input_ids"]).count(PROMPT_WORDS["en"].rationale) == 1
    learned = [token for token in steps[0]["labels"] if token >= 0]
    assert learned == encoder.answer_ids("x is a")
