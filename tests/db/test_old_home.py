"""A home that version 0.1 wrote, before stages and parameters got the field's words, opens and goes on.

`homes/version_0.1.tar.xz` is one: a recipe of ten stages on a model of 0.1 million weights; its paths were made neutral.
"""

from __future__ import annotations

import json
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from backend import stages
from backend.api import Studio
from backend.core.artifacts import verify
from backend.core.refs import replace_refs
from backend.core.schemas import Kind, State
from backend.packaging.verify import verify_package
from backend.planning import recipes
from backend.results.evaluations import evaluations

ARCHIVE = Path(__file__).parent / "homes" / "version_0.1.tar.xz"


@pytest.fixture
def old(home: Path) -> Iterator[Studio]:
    """The studio on that home, with a draft of a form that nobody sent and a job that nobody ran."""
    home.mkdir(parents=True)
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(home, filter="data")
    with closing(sqlite3.connect(home / "studio.sqlite")) as database:
        database.execute("update artifact set path = replace(path, '/home-of-0.1', ?)", (str(home),))
        (project,) = database.execute("select id from project").fetchone()
        draft = json.dumps({"route": "live", "steps_weight": 2.0, "epochs": 2.0})
        database.execute("insert into setting (key, value) values (?, ?)", (f"draft.{project}.distill", draft))
        database.execute(
            "insert into setting (key, value) values (?, ?)", (f"draft.{project}.cut", '{"keep_layers": 2}')
        )
        database.execute("update job set state = 'waiting' where stage = 'search'")
        database.commit()
    yield Studio.open()


def test_every_old_job_has_a_stage_that_takes_its_parameters(old: Studio) -> None:
    (run,) = old.runs()
    assert {job.stage for job in run.jobs} >= {"prune", "search"} and "cut" not in {job.stage for job in run.jobs}
    for job in run.jobs:
        params = stages.stage(job.stage).parse(replace_refs(job.params, {each.stage_id: "x" for each in run.jobs}))
        assert set(job.params) <= set(type(params).model_fields), job.stage_id
    by_id = {job.stage_id: job for job in run.jobs}
    assert by_id["student"].params["method"] == "hidden_states" and by_id["student"].params["rationale_weight"] == 1.0
    assert by_id["int4"].params["tie_embeddings"] == "never" and by_id["best"].params["schemes"] == ["rtn-32"]
    assert by_id["best"].params["stage"] == "quantize"
    assert by_id["best"].state is State.WAITING and by_id["answers"].params["rationale_request"].startswith("Think")


def test_its_recipe_can_be_run_again(old: Studio) -> None:
    (run,) = old.runs()
    recipe = recipes.build(old.store.recipe(run.id))
    assert [step.stage for step in recipe.stages if step.id in ("cut", "best")] == ["prune", "search"]
    assert not [words for step in recipe.stages for words in step.old_words]


def test_drafts_of_forms_are_found_under_the_new_names(old: Studio) -> None:
    project = old.store.project()
    assert old.draft(project, "distill") == {"method": "online_logit", "rationale_weight": 2.0, "epochs": 2.0}
    assert old.draft(project, "prune") == {"keep_layers": 2} and old.draft(project, "cut") == {}


def test_its_artifacts_are_whole_and_compared(old: Studio) -> None:
    found = [view for view in old.artifacts() if view.path.is_dir()]
    assert {view.kind for view in found} == {Kind.DATASET, Kind.ONNX, Kind.EVALUATION, Kind.REPORT, Kind.PACKAGE}
    for view in found:
        verify(view.path)
    (package,) = [view for view in found if view.kind is Kind.PACKAGE]
    assert verify_package(next(package.path.glob("*.zip"))) == []
    measured = evaluations(old.artifacts())
    assert {one.kind for one in measured} == {"model", "onnx"} and all("accuracy" in one.metrics for one in measured)
    student = next(one for one in measured if one.kind == "model")
    assert [student.origins[at].how for at in (0, -1)] == ["imported", "distilled"]


def test_manifests_tell_stage_and_parameters_by_their_names_of_now(old: Studio) -> None:
    told = {view.id: old.manifest(view.id) for view in old.artifacts() if view.path.is_dir()}
    assert {found.stage for found in told.values()} >= {"quantize", "search", "evaluate", "package"}
    for found in told.values():
        assert found.stage and set(found.params) <= set(stages.stage(found.stage).params.model_fields)
    assert "tie_embeddings" in next(found.params for found in told.values() if found.stage == "quantize")


def test_a_migration_happens_once(old: Studio) -> None:
    before = [job.model_dump() for run in old.runs() for job in run.jobs]
    again = Studio.open()
    assert [job.model_dump() for run in again.runs() for job in run.jobs] == before


def test_its_project_goes_to_the_trash_and_comes_back(old: Studio) -> None:
    (project,), held = old.projects(), [view.id for view in old.artifacts()]
    old.create_project("Other")
    old.cancel_run(old.runs()[0].id)
    old.delete_project(project.id)
    assert held and old.artifacts() == [] and [each.kind for each in old.trash()] == ["project"]
    old.restore([project.id])
    assert [view.id for view in old.artifacts()] == held and len(old.projects()) == 2


@pytest.mark.ml
def test_its_model_answers(old: Studio) -> None:
    from backend.inference.protocol import Sampling
    from backend.ml.inference.open import open_engine

    (view,) = [view for view in old.artifacts([Kind.ONNX]) if view.path.is_dir()]
    engine = open_engine(view, old.artifact)
    try:
        asked = engine.encode([{"role": "user", "content": "red item 3"}])
        assert (
            engine.answer(asked, Sampling(max_new_tokens=4)) == engine.answer(asked, Sampling(max_new_tokens=4)) != ""
        )
    finally:
        engine.close()
