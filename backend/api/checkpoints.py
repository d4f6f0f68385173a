"""The part of the facade for checkpoints of trainings: what there are, and models made of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from backend.core.errors import StudioError
from backend.core.refs import ref_fields
from backend.core.schemas import JobView, RunView
from backend.core.settings import Settings
from backend.db import Store
from backend.files import disk
from backend.files.checkpoints import SCORES, Checkpoint, list_checkpoints
from backend.planning import planner, recipes
from backend.planning.planner import Plan
from backend.stages.from_checkpoint import TARGETS

__all__ = ["SCORES", "Checkpoint", "Checkpoints"]

_OTHER = {"name", "checkpoints_kept", "max_steps", "patience", "min_improvement", "keep"}
"""Parameters of a training that say nothing of how its model is made of a checkpoint."""


class Checkpoints:
    """Mixed into `backend.api.Studio`."""

    store: Store
    settings: Settings
    start: Callable[..., RunView]

    def checkpoints(self, job_id: str) -> list[Checkpoint]:
        """Those of a training, the oldest first, also while it is at work. Raises StudioError for another job."""
        job = self._training(job_id)
        taken = job.result.get("metrics", {}).get("kept_step") if job.state.finished else None
        return list_checkpoints(self.settings.jobs / job.id, taken)

    def plan_from_checkpoint(self, job_id: str, step: int, name: str = "") -> Plan:
        """The run that makes a model of a checkpoint. Raises StudioError where there is no such checkpoint."""
        job = self._training(job_id)
        if step not in [each.step for each in self.checkpoints(job_id)]:
            raise StudioError("checkpoints.gone", job=job_id, step=step)
        recipe = recipes.Recipe.model_validate(self.store.recipe(job.run_id))
        seed = recipe.seed_of(next(each for each in recipe.stages if each.id == job.stage_id))
        params = {"job": job.id, "step": step, "training": job.stage, "name": name, **_training_params(job)}
        stage = {"id": "from_checkpoint", "stage": "from_checkpoint", "params": params}
        content = {"name": "from_checkpoint", "seed": seed, "stages": [stage]}
        return planner.plan(recipes.build(content), self.store, self.settings)

    def start_from_checkpoint(self, job_id: str, step: int, name: str = "") -> RunView:
        """Enqueue that run in the project of the training. Raises StudioError with all problems."""
        plan = self.plan_from_checkpoint(job_id, step, name)
        project = next(each.name for each in self.store.projects() if each.id == self.store.job(job_id).project)
        return self.start(plan, project=project)

    def delete_checkpoints(self, job_id: str) -> int:
        """Returns the bytes freed. Raises StudioError while the job is at work."""
        return disk.delete_checkpoints(self.store, self.settings, job_id)

    def _training(self, job_id: str) -> JobView:
        job = self.store.job(job_id)
        if job.stage not in TARGETS:
            raise StudioError("checkpoints.not_training", job=job_id, stage=job.stage)
        return job


def _training_params(job: JobView) -> dict[str, Any]:
    """References by their fields, all else that is no default as the lines of `settings`."""
    target = TARGETS[job.stage]
    params = target.parse(job.params)
    refs = {name: getattr(params, name) for name in ref_fields(type(params)) if getattr(params, name)}
    refs = {{"student": "model"}.get(name, name): ref for name, ref in refs.items()}
    changed = params.model_dump(mode="json", exclude_defaults=True, exclude={*ref_fields(type(params)), *_OTHER})
    return {**refs, "settings": [f"{name}={json.dumps(value)}" for name, value in changed.items()]}
