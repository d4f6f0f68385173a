"""A teacher that is wrong too often is named before hours are spent, and only then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import Problem
from backend.core.schemas import Kind
from backend.data.dataset import Row, Template, write_split, write_template
from backend.data.facts import data_facts
from backend.jobs.context import MemoryContext
from backend.models.teacher_accuracy import check_answers, warn_inaccurate
from backend.stages import capture, distill, finetune
from tests.helpers import view
from tests.stages.fake_world import FakeWorld
from tests.stages.test_finetune import ROWS

ES: dict[str, Any] = {"teacher": "es-teacher", "answer": "label", "known": 1491, "known_right": 1174}
"""A Spanish run whose students were ten points worse than those of people's answers."""


def said(**facts: Any) -> list[Problem]:
    return check_answers("d", FakeWorld(view(Path("d"), Kind.DATASET, "d", **{**ROWS, **ES, **facts})))


def test_the_warning_has_the_figures_and_blocks_nothing() -> None:
    [problem] = said()
    assert (problem.code, problem.field, problem.blocking) == ("teacher.weak", "data", False)
    assert all(part in problem.sentence() for part in ("1491", "1174", "79%", "es-teacher"))


@pytest.mark.parametrize(
    "facts",
    [
        {"known_right": 1432},  # 96 %: it paid
        {"known": 14, "known_right": 11},  # 79 %, but of 14
        {"teacher": ""},
        {"answer": "text"},
        {"known": 0, "known_right": 0},
    ],
)
def test_others_are_left_alone(facts: dict[str, Any]) -> None:
    assert said(**facts) == []


def test_answers_that_are_still_to_come_are_not_judged() -> None:
    world = FakeWorld()
    world.add("d", Kind.DATASET, **{**ROWS, **ES})
    assert check_answers("d", world) == []


@pytest.mark.parametrize(
    ("stage", "asked"),
    [
        (distill.STAGE, {"student": "m"}),
        (finetune.STAGE, {"model": "m"}),
        (capture.STAGE, {"teacher": "m"}),
    ],
)
def test_every_stage_that_learns_from_answers_says_it(stage: Any, asked: dict[str, str]) -> None:
    from tests.stages.test_finetune import SMOL

    model = view(Path("m"), Kind.MODEL, "m", **SMOL)
    weak = FakeWorld(model, view(Path("d"), Kind.DATASET, "d", **{**ROWS, **ES}))
    params = stage.parse({**asked, "data": "d"})
    assert [problem.code for problem in stage.check(params, weak)] == ["teacher.weak"]
    weak.memory_bytes = 1  # a warning does not hide what stands against it
    assert [problem.code for problem in stage.check(params, weak)] == ["core.memory_low", "teacher.weak"]


def test_the_job_says_it_too_and_counts_what_an_older_version_did_not(tmp_path: Path) -> None:
    write_template(tmp_path, Template(answer="label", labels=["a", "b"]))
    rows = [Row(id=str(n), input="x", output="a", gold="ab"[n % 2]) for n in range(80)]
    write_split(tmp_path, "train", rows)
    facts = {name: value for name, value in data_facts(tmp_path).items() if not name.startswith("known")}
    ctx = MemoryContext(tmp_path / "job")
    warn_inaccurate(view(tmp_path, Kind.DATASET, "d", teacher="t", **facts), ctx)
    warn_inaccurate(view(tmp_path, Kind.DATASET, "d", **facts), ctx)
    logs = [event for event in ctx.events if event["event"] == "log"]
    assert [(each["level"], "40" in each["text"]) for each in logs] == [("warning", True)]
