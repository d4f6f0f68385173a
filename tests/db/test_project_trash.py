"""A project in the trash: it goes whole, comes back whole, and nothing new gets in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from backend.api import Studio
from backend.core.artifacts import read_manifest
from backend.core.errors import StudioError
from backend.core.schemas import Kind, State
from backend.db import Store, database
from tests.studio.builder import StudioBuilder

DONE = ("dataset", State.SUCCEEDED)


@pytest.fixture
def builder(home: Path) -> StudioBuilder:
    """A first project and `mails`, which has two models of a chain, a run, and a run and a model that went before."""
    made = StudioBuilder(home)
    made.store.project("default")
    base = made.model("base", project="mails")
    made.model("tuned", Kind.ADAPTER, parents=[base.id], project="mails")
    made.model("early", project="mails")
    made.run("a", DONE, project="mails")
    made.run("b", DONE, project="mails")
    made.studio.delete_all(["model-early", "r-b"])
    return made


def code(error: pytest.ExceptionInfo[StudioError]) -> str:
    return error.value.problems[0].code


def test_it_is_nowhere_but_in_the_trash_and_comes_back_as_it_was(builder: StudioBuilder) -> None:
    studio, mails = builder.studio, builder.store.project("mails")
    before = [view.model_dump() for view in studio.artifacts()], [run.model_dump() for run in studio.runs()]
    studio.choose_project(mails)
    studio.delete_project(mails)
    assert [each.name for each in studio.projects()] == ["default"] == [studio.chosen_project().name]
    assert studio.artifacts() == studio.runs() == studio.ended_runs() == []
    (held,) = studio.trash()
    sizes = [view.size_bytes for view in builder.store.artifacts(trashed=True)]
    assert (held.kind, held.id, held.name, held.size_bytes) == ("project", mails, "mails", sum(sizes)) and sizes[2]
    assert studio.restore(["mails"]) == [mails]
    assert ([view.model_dump() for view in studio.artifacts()], [run.model_dump() for run in studio.runs()]) == before
    assert {each.id for each in studio.trash()} == {"model-early", "r-b"}, "what had gone before stays there"


def test_one_thing_of_it_brings_all_of_it_back(builder: StudioBuilder) -> None:
    studio, mails = builder.studio, builder.store.project("mails")
    studio.delete_project(mails)
    assert set(studio.restore(["model-early"])) == {"model-early", mails}
    assert {view.name for view in studio.artifacts(project=mails)} == {"base", "tuned", "early"}


@pytest.mark.parametrize("state", [State.WAITING, State.QUEUED, State.RUNNING, State.CANCELLING])
def test_a_run_that_is_open_keeps_it(builder: StudioBuilder, state: State) -> None:
    builder.run("open", ("finetune", state), project="mails")
    with pytest.raises(StudioError) as refused:
        builder.studio.delete_project(builder.store.project("mails"))
    assert code(refused) == "core.run_active" and builder.studio.trashed_projects() == []
    assert {view.name for view in builder.studio.artifacts()} == {"base", "tuned"}


def test_nothing_new_gets_into_it(builder: StudioBuilder) -> None:
    studio, mails = builder.studio, builder.store.project("mails")
    studio.delete_project(mails)
    base = builder.store.artifacts(trashed=True)[-1]
    for refused in (
        lambda: builder.store.add_run("late", mails, {}, [], "r-late"),
        lambda: builder.store.add_artifact(read_manifest(base.path), base.path, mails),
        lambda: studio.project_named("mails"),
        lambda: studio.project_contents(mails),
        lambda: studio.delete_project(mails),
        lambda: Studio.open(project="mails"),
    ):
        with pytest.raises(StudioError) as error:
            refused()
        assert code(error) == "projects.in_trash"


def test_its_name_is_free_for_another(builder: StudioBuilder) -> None:
    studio, mails = builder.studio, builder.store.project("mails")
    studio.delete_project(mails)
    made = studio.create_project("mails")
    assert made.id != mails and [each.name for each in studio.trash()] == ["mails (2)"]
    studio.restore([mails])
    assert [each.name for each in studio.projects()] == ["default", "mails (2)", "mails"]
    studio.delete_project(made.id)
    studio.rename_project(mails, "mails")
    assert studio.project_named("mails").id == mails
    with pytest.raises(StudioError) as taken:
        studio.rename_project(mails, "default")
    assert code(taken) == "core.project_taken"


def test_built_in_models_stay(builder: StudioBuilder) -> None:
    shared = builder.model(project="mails")
    mine = builder.model("mine", Kind.ADAPTER, parents=[shared.id])
    builder.studio.delete_project(builder.studio.create_project("empty").id)
    assert builder.studio.artifact(shared.id).project == shared.project
    builder.studio.delete_project(shared.project)
    assert {view.id: view.project for view in builder.studio.artifacts()} == dict.fromkeys(
        (shared.id, mine.id), mine.project
    )


def test_emptying_and_time_delete_it_for_good(builder: StudioBuilder) -> None:
    studio, mails = builder.studio, builder.store.project("mails")
    held = [view.path for view in builder.store.artifacts(project=mails)]
    studio.delete_project(mails)
    assert studio.empty_trash(older_than_days=1) == 0 and all(path.is_dir() for path in held)
    builder.store.trash_project(mails, datetime.now(UTC) - timedelta(days=31), ())
    builder.store.set_trashed(["model-base", "adapter-tuned", "r-a"], datetime.now(UTC) - timedelta(days=31))
    studio.gc()
    assert not any(path.exists() for path in held) and studio.trashed_projects() == []
    assert {each.id for each in studio.trash()} == set(), "what lay in it before went along"
    assert [each.name for each in builder.store.projects()] == ["default"]


def test_the_last_one_stays(builder: StudioBuilder) -> None:
    builder.studio.delete_project(builder.store.project("default"))
    with pytest.raises(StudioError) as refused:
        builder.studio.delete_project(builder.store.project("mails"))
    assert code(refused) == "core.project_last" and len(builder.studio.artifacts()) == 2


def test_the_migration_goes_back_and_forth(builder: StudioBuilder) -> None:
    mails = builder.store.project("mails")
    builder.studio.delete_project(mails)
    migrated(builder.store.engine, "0010")
    again = Store(str(builder.store.engine.url))
    assert {each.name for each in again.projects()} == {"default", "mails"}
    assert {view.name for view in again.artifacts(project=mails)} == {"base", "tuned"}
    assert [view.name for view in again.artifacts(project=mails, trashed=True)] == ["early"]


def migrated(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
        connection.commit()
