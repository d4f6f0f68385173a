"""The part of the facade that looks at runs as wholes: what tells them apart, and two of them side by side."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, JobView, RunView
from backend.core.settings import Settings
from backend.db import Store
from backend.jobs.history import ended_runs, run_of_job
from backend.planning import planner, recipes, run_comparison, run_facts
from backend.planning.olive.read_workflow import ReadWorkflow, read_file, read_workflow
from backend.planning.olive.way import OliveWay
from backend.planning.olive.ways import has_ways, ways_of
from backend.planning.planner import Plan
from backend.planning.recipes import Recipe
from backend.planning.run_comparison import ParamDifference, ResultDifference, RunComparison
from backend.planning.run_facts import Flow, changed_params

__all__ = [
    "Flow",
    "ParamDifference",
    "ReadWorkflow",
    "ResultDifference",
    "RunComparison",
    "Runs",
    "changed_params",
    "changes",
    "flow",
    "has_olive_ways",
    "inputs",
    "outputs",
]

flow = run_facts.flow
inputs = run_facts.inputs
outputs = run_facts.outputs
has_olive_ways = has_ways


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
        return planner.plan(self.read_recipe(written), self.store, self.settings)

    def read_recipe(self, written: str | dict[str, Any]) -> Recipe:
        """A checked recipe of YAML or plain data. Raises StudioError with every problem at once."""
        try:
            content = yaml.safe_load(written) if isinstance(written, str) else written
        except yaml.YAMLError as error:
            raise StudioError("runs.not_yaml", reason=" ".join(str(error).split())) from None
        return recipes.build(content)

    def recipe_from_olive(self, workflow: Path | str, name: str = "", model: str = "", data: str = "") -> ReadWorkflow:
        """The recipe that does what an Olive workflow says, given as a file or as the JSON of the file `name`, and what has no
        counterpart. `model` and `data` take the place of what it names. Raises StudioError where it is no workflow, or asks for
        what the studio does not do."""
        text = read_file(workflow) if isinstance(workflow, Path) else workflow
        found = read_workflow(text, name or str(workflow), model, data)
        recipes.build(found.recipe)
        return found

    def olive_ways(self, job_id: str) -> list[OliveWay]:
        """How Olive does what a fine-tuning or quantization did: a command where there is one, last a workflow; [] for other
        jobs. Raises StudioError where the model is not there."""
        return ways_of(self.store.job(job_id), self.store)
