"""The part of the facade that looks at runs as wholes: what tells them apart, and two of them side by side."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from backend.core.errors import Problem, StudioError
from backend.core.schemas import ArtifactView, JobView, Kind, RunView
from backend.core.settings import Settings
from backend.db import Store
from backend.jobs.history import ended_runs, run_of_job
from backend.planning import planner, recipes, run_comparison, run_facts
from backend.planning.olive.finetune_command import OliveCommand, finetune_command
from backend.planning.olive.read_workflow import read_workflow
from backend.planning.planner import Plan
from backend.planning.run_comparison import ParamDifference, ResultDifference, RunComparison
from backend.planning.run_facts import Flow, changed_params
from backend.stages import stage

__all__ = [
    "Flow",
    "ParamDifference",
    "ResultDifference",
    "RunComparison",
    "Runs",
    "changed_params",
    "changes",
    "flow",
    "inputs",
    "outputs",
]

flow = run_facts.flow
inputs = run_facts.inputs
outputs = run_facts.outputs


def changes(run: RunView) -> list[tuple[JobView, dict[str, Any]]]:
    """What was changed in each stage of a run, in its order; stages that are as they come are left out."""
    found = [(job, changed_params(job.stage, job.params)) for job in run.jobs]
    return [(job, values) for job, values in found if values]


class Runs:
    """Mixed into `backend.api.Studio`."""

    store: Store
    settings: Settings

    def ended_runs(
        self,
        group: str = "",
        stage: str | None = None,
        search: str = "",
        limit: int = 20,
        project: str | None = None,
        others: bool = False,
    ) -> list[RunView]:
        """Runs whose jobs have all ended, the last first, of all projects, of the one with the id `project`, or of all
        `others`. `group`: "done", "failed", "stopped" or "" for all; `search`: a part of a name, a tag, an id, or `#` with a
        number, in any case."""
        return ended_runs(self.store, group, stage, search, limit, project, others)

    def compare_runs(self, first: str, second: str) -> RunComparison:
        """Raises StudioError for an unknown run."""
        known: dict[str, ArtifactView] = {view.id: view for view in self.store.artifacts()}
        return run_comparison.compare(self.store.run(first), self.store.run(second), known)

    def run_of(self, artifact_id: str) -> str | None:
        """The id of the run that made an artifact, as long as it is there."""
        job_id = self.store.artifact(artifact_id).job_id
        return run_of_job(self.store, job_id) if job_id else None

    def recipe_content(self, run_id: str) -> dict[str, Any]:
        """The recipe of a run as plain data, one's own to change."""
        return deepcopy(self.store.recipe(run_id))

    def plan_again(self, run_id: str, written: str | dict[str, Any]) -> Plan:
        """The plan of a changed recipe of a run, given as YAML or as plain data. Raises StudioError with every problem at
        once."""
        self.store.run(run_id)
        try:
            content = yaml.safe_load(written) if isinstance(written, str) else written
        except yaml.YAMLError as error:
            raise StudioError("runs.not_yaml", reason=" ".join(str(error).split())) from None
        return planner.plan(recipes.build(content), self.store, self.settings)

    def recipe_from_olive(self, file: Path) -> tuple[str, list[Problem]]:
        """The recipe, as YAML, that does what an Olive workflow in a JSON file says, and what has no counterpart. Raises
        StudioError where the file is none, or asks for what the studio does not do."""
        found = read_workflow(file)
        recipes.build(found.recipe)
        return recipes.dump(found.recipe), found.left_out

    def olive_command(self, job_id: str) -> OliveCommand:
        """What trains as the fine-tuning `job_id` did. Raises StudioError for another job."""
        job = self.store.job(job_id)
        if job.stage != "finetune":
            raise StudioError("olive.not_finetune", job=job_id, stage=job.stage)
        model = self.store.artifact(job.params["model"], (Kind.MODEL,))
        recipe = recipes.Recipe.model_validate(self.store.recipe(job.run_id))
        seed = recipe.seed_of(next(each for each in recipe.stages if each.id == job.stage_id))
        params = stage(job.stage).parse(job.params).resolved(model.facts)
        return finetune_command(params.model_dump(mode="json"), str(model.path), seed)
