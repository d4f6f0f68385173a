"""A command looks for the kind that it needs: a name that a model and a dataset share is no riddle, one of two models is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.api import Studio
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.planning import planner, recipes
from tests.cli.test_cli import call
from tests.studio.builder import StudioBuilder


@pytest.fixture
def shared(home: Path) -> tuple[StudioBuilder, ArtifactView, ArtifactView]:
    """A model and, newer, a dataset that are both called `tickets`."""
    builder = StudioBuilder(home)
    model, data = builder.model("tickets"), builder.dataset("tickets")
    return builder, model, data


def evaluation(**params: Any) -> recipes.Recipe:
    return recipes.build({"name": "r", "stages": [{"id": "e", "stage": "evaluate", "params": params}]})


def test_a_name_is_looked_up_by_the_kind_that_is_needed(
    shared: tuple[StudioBuilder, ArtifactView, ArtifactView], capsys: pytest.CaptureFixture[str]
) -> None:
    builder, model, data = shared
    studio = builder.studio
    assert (studio.model("tickets").id, studio.dataset("tickets").id) == (model.id, data.id)
    plan = studio.plan(evaluation(model="tickets", data="tickets"))
    assert not plan.blocking
    job = studio.start(plan).jobs[0]
    assert (job.params["model"], job.params["data"]) == (model.id, data.id)
    assert call("models", "tag", "tickets", "ship") == 0 and call("datasets", "rename", "tickets", "rows") == 0
    assert (studio.artifact(model.id).tags, studio.artifact(data.id).name) == (["ship"], "rows")


def test_a_name_of_another_kind_is_told_as_such(shared: tuple[StudioBuilder, ArtifactView, ArtifactView]) -> None:
    builder, model, _data = shared
    builder.studio.rename(model.id, "other")
    with pytest.raises(StudioError, match="“tickets” is a dataset; expected: model"):
        builder.studio.model("tickets")
    assert (
        "is a model; expected: dataset"
        in builder.studio.plan(evaluation(model="other", data="other")).blocking[0].text()
    )


def test_a_name_of_several_lists_them_with_their_ids(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    builder = StudioBuilder(home)
    first, second = builder.model("tickets"), builder.model("other")
    builder.store.set_artifact(second.id, name="tickets")
    data = builder.dataset("rows")
    code = call("models", "show", "tickets")
    said = capsys.readouterr().err
    assert code == 2 and first.id in said and second.id in said and "Traceback" not in said
    (problem,) = builder.studio.plan(evaluation(model="tickets", data="rows")).blocking
    assert (problem.code, problem.field, problem.stage) == ("core.artifact_ambiguous", "model", "e")
    assert builder.studio.model(first.id).id == first.id
    assert not builder.studio.plan(evaluation(model=second.id, data=data.id)).blocking


def test_the_chosen_project_goes_before_others(home: Path) -> None:
    builder = StudioBuilder(home)
    mine, other = builder.model("tickets"), builder.model("other")
    project = builder.studio.create_project("second").id
    builder.store.set_artifact(other.id, name="tickets")
    with builder.store.session() as session:
        from backend.db import tables as t

        session.get_one(t.Artifact, other.id).project_id = project
    inside = Studio.open(home=home, project="second")
    assert inside.model("tickets").id == other.id
    assert Studio.open(home=home, project=mine.project).model("tickets").id == mine.id
    assert planner.PlanWorld(inside.store, inside.settings).store.artifact("tickets", (Kind.MODEL,)).id == other.id
