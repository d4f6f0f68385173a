"""Checkpoints of a training: what stays on the disk, the table on its card, and models made of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import streamlit as st

from backend.core.errors import StudioError
from backend.core.schemas import Kind, State
from backend.files.checkpoints import retain, superfluous
from backend.files.disk import garbage, remove_all
from backend.planning import recipes
from backend.stages.from_checkpoint import FromCheckpointParams
from tests.cli.test_cli import call
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words


@pytest.fixture
def job(builder: StudioBuilder) -> str:
    """A fine-tuning that has ended with three checkpoints, the first of them the best."""
    params = {"model": builder.model().id, "data": builder.dataset().id, "rank": 8, "targets": ["q_proj"]}
    stages = [{"id": "finetune", "stage": "finetune", "params": {**params, "checkpoints_kept": 2, "keep": "last"}}]
    recipe = recipes.build({"name": "training", "seed": 7, "stages": stages})
    id_ = builder.studio.start(builder.studio.plan(recipe)).jobs[0].id
    for step, loss in ((10, 0.4), (20, 0.6), (30, 0.7)):
        builder.checkpoint(id_, step, 10, eval_loss=loss, eval_accuracy=1 - loss)
    retain(builder.studio.settings.jobs / id_ / "checkpoints", [10, 20, 30], 10, 2)
    result = {"artifact": "adapter-tuned", "metrics": {"steps": 30.0, "kept_step": 30.0, "eval_loss": 0.7}}
    now = datetime.now(UTC)
    builder.store.update_job(id_, state=State.SUCCEEDED, started=now, ended=now, result=result)
    builder.points(id_, "eval_loss", 31)
    builder.model("tuned", Kind.ADAPTER, job=id_)
    return id_


def test_what_stays_is_no_garbage_and_goes_with_the_run(builder: StudioBuilder, job: str) -> None:
    work = builder.studio.settings.jobs / job
    (work / "out").mkdir()
    builder.checkpoint(job, 35, 10)
    remove_all(superfluous(work))
    left = {str(path.relative_to(work)) for path in work.rglob("*.*")}
    assert {path for path in left if path.startswith("checkpoints/checkpoint-10/")} == {
        f"checkpoints/checkpoint-10/{name}"
        for name in ("adapter_model.safetensors", "complete.json", "trainer_state.json")
    }
    assert not [path for path in left if path.endswith(".pt")] and not (work / "checkpoints/checkpoint-35").exists()
    assert [path.name for path in work.iterdir()] == ["checkpoints"] and garbage(
        builder.store, builder.studio.settings
    ) == []
    assert [each.step for each in builder.studio.checkpoints(job)] == [10, 20, 30]
    assert builder.studio.storage().by_kind["checkpoints"] > 0
    run = builder.studio.job(job).run_id
    builder.studio.delete_run(run)
    (held,) = builder.studio.trash()
    assert held.size_bytes > 0 and work.exists()
    builder.studio.empty_trash()
    assert not work.exists()


def test_older_ones_lose_what_only_resuming_needs(builder: StudioBuilder, job: str) -> None:
    folder = builder.studio.settings.jobs / job / "checkpoints"
    assert sorted(path.parent.name for path in folder.rglob("optimizer.pt")) == ["checkpoint-20", "checkpoint-30"]
    assert json.loads((folder / "kept.json").read_text("utf-8")) == ["checkpoint-10", "checkpoint-20", "checkpoint-30"]
    builder.checkpoint(job, 40, 10, eval_loss=0.8)
    retain(folder, [10, 20, 30, 40], 10, 1)
    assert sorted(path.name for path in folder.iterdir()) == [
        *(f"checkpoint-{step}" for step in (10, 30, 40)),
        "kept.json",
    ]


def test_the_run_that_makes_a_model_of_one_names_all_that_the_training_was_told(
    builder: StudioBuilder, job: str
) -> None:
    studio = builder.studio
    run = studio.start_from_checkpoint(job, 10, "early")
    params = FromCheckpointParams.model_validate(run.jobs[0].params)
    trained, told = params.trained(), studio.job(job).params
    assert (trained.rank, trained.targets, trained.max_steps, trained.checkpoints_kept) == (8, ["q_proj"], 10, 0)
    assert (trained.model, trained.data, trained.name) == (told["model"], told["data"], "early")
    assert studio.recipe_content(run.id)["seed"] == 7 and run.project == studio.job(job).project
    with pytest.raises(StudioError, match="no checkpoint of step 11"):
        studio.start_from_checkpoint(job, 11)
    with pytest.raises(StudioError, match="trained nothing"):
        studio.checkpoints(run.jobs[0].id)


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", ["Checkpoints", "Make a model of it"]), ("es", ["Puntos de control", "Crear un modelo con él"])],
)
def test_the_card_of_a_training_lists_them_and_makes_a_model(
    show: Show, builder: StudioBuilder, job: str, language: str, said: list[str]
) -> None:
    at = show("run", language, id=builder.studio.job(job).run_id)
    assert not at.exception and all(word in words(at) for word in said)
    (chart,) = at.main.get("echarts_chart")
    (marked,) = [line["data"] for line in json.loads(chart.proto.spec)["series"] if line["symbol"] == "diamond"]
    assert [point[0] for point in marked] == [10, 20, 30]
    assert at.selectbox(key=f"checkpoint_{job}").value == 10, "the best is offered first"
    at.button(key=f"make_{job}").click().run()
    st.cache_resource.clear()
    (made,) = [run for run in builder.studio.runs() if run.jobs[0].stage == "from_checkpoint"]
    assert made.jobs[0].params["step"] == 10


def test_what_was_trained_can_be_trained_further(show: Show, builder: StudioBuilder, job: str) -> None:
    """An adapter as a student, which is merged first."""
    at = show("run", id=builder.studio.job(job).run_id)
    (link,) = [each.proto for each in at.main.get("page_link") if each.proto.label == "Train further"]
    assert "distill" in link.page and "model=adapter-tuned" in link.query_string
    at = show("distill", step="distill", model="adapter-tuned")
    assert at.session_state[f"form.{builder.store.project()}.distill.student"] == "adapter-tuned"


def test_the_command_line_lists_deletes_and_makes_models(
    builder: StudioBuilder, job: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(*args: str) -> str:
        assert call(*args) == 0
        return capsys.readouterr().out

    listed = told("jobs", "checkpoints", job)
    assert all(word in listed for word in ("0.4000", "best", "taken"))
    assert [each["step"] for each in json.loads(told("jobs", "checkpoints", job, "--json"))] == [10, 20, 30]
    made = json.loads(told("models", "from-checkpoint", job, "20", "--name", "middle", "--json"))
    assert made["jobs"][0]["params"]["name"] == "middle"
    told("jobs", "checkpoints", job, "--delete")
    assert builder.studio.checkpoints(job) == []
