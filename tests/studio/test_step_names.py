"""Steps of one stage are told apart by what they work on."""

from __future__ import annotations

import pytest

from backend.core.schemas import State
from backend.db import tables as t
from studio.ui.shared.step_names import step_names, step_subjects
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words


@pytest.fixture
def chain(builder: StudioBuilder) -> str:
    """A run with two measurements, of its own model and of one that was there."""
    run = builder.run("mails", ("finetune", State.SUCCEEDED), ("evaluate", State.SUCCEEDED))
    there = builder.model("base")
    builder.store.update_job(f"{run}-evaluate", params={"model": "${finetune}"})
    with builder.store.session() as session:
        about = {"stage": "evaluate", "params": {"model": there.id}, "state": State.SUCCEEDED}
        session.add(
            t.Job(
                id=f"{run}-eval_before",
                run_id=run,
                stage_id="eval_before",
                needs=[],
                queue="cpu",
                created=t.now(),
                **about,
            )
        )
    return run


def test_names_say_the_step_or_the_model(builder: StudioBuilder, chain: str) -> None:
    jobs = builder.studio.run(chain).jobs
    assert step_names(jobs) == {
        "finetune": "Fine-tune",
        "evaluate": "Evaluate · Fine-tune",
        "eval_before": "Evaluate · base",
    }


def test_ids_tell_apart_what_works_on_the_same(builder: StudioBuilder, chain: str) -> None:
    builder.store.update_job(f"{chain}-eval_before", params={"model": "${finetune}"})
    subjects = step_subjects(builder.studio.run(chain).jobs)
    assert subjects == {"finetune": "", "evaluate": "evaluate", "eval_before": "eval_before"}


def test_line_of_a_run_shows_no_ids(show: Show, builder: StudioBuilder, chain: str) -> None:
    builder.store.update_job(f"{chain}-evaluate", state=State.RUNNING)
    said = words(show("result", run=chain))
    assert "Evaluate · Fine-tune" in said and "Evaluate · base" in said and "eval" not in said.replace("Evaluate", "")
