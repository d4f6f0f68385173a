"""A failed report that was deleted says nothing any more about its model: neither before a package nor in its job."""

from __future__ import annotations

from pathlib import Path

from backend.core.schemas import Kind, State
from backend.db import tables as t
from backend.jobs.resolve import job_spec
from backend.planning.planner import plan
from backend.planning.recipes import Recipe
from backend.stages import stage
from tests.studio.builder import StudioBuilder


def test_plan_and_job_know_what_lies_in_the_trash(home: Path) -> None:
    builder = StudioBuilder(home)
    model = builder.model("tiny-int4", Kind.ONNX)
    about = {"report": "parity", "model": model.id, "passed": False, "failed": ["kl"]}
    report = builder.artifact(Kind.REPORT, "failed", facts=about, parents=[model.id])
    recipe = Recipe.model_validate(
        {"name": "pack", "stages": [{"id": "pack", "stage": "package", "params": {"model": model.id}}]}
    )

    def warned() -> list[str]:
        return [problem.code for problem in plan(recipe, builder.store, builder.studio.settings).problems]

    assert warned() == ["package.report_failed"]
    builder.studio.delete(report.id)
    assert warned() == []
    run = builder.run("pack", ("package", State.WAITING), params={"model": model.id})
    with builder.store.session() as session:
        job = session.get_one(t.Job, f"{run}-package")
    assert job_spec(builder.store, builder.studio.settings, job, stage).trashed == {report.id}
