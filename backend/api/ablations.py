"""Students before they are made, for pages and command line: forecasts, routes, ablations."""

from __future__ import annotations

from backend.core import machine
from backend.core.schemas import ArtifactView, Kind, RunView
from backend.core.settings import Settings
from backend.db import Store
from backend.planning import methods
from backend.planning.ablation import results
from backend.planning.ablation.recipe import AblationParams, recipe
from backend.planning.ablation.results import Ablation, is_ablation
from backend.planning.forecast import ModelForecast, forecast_model
from backend.planning.methods import MethodChoice
from backend.planning.planner import PlannedStage, PlanWorld
from backend.planning.recipes import Recipe
from backend.stages.prune import PruneParams
from backend.training.captures import check_capture


class Ablations:
    """Mixed into `backend.api.Studio`."""

    store: Store
    settings: Settings

    def outlooks(self, step: PlannedStage) -> tuple[ModelForecast, ModelForecast] | None:
        """What the teacher is like on this machine, and what its student will be; None for a step that makes no student
        of it. Raises StudioError for an unknown reference."""
        params = step.params
        if not isinstance(params, PruneParams):
            return None
        teacher, data = (self.store.artifact(ref).facts for ref in (params.model, params.data))
        speed = machine.speed(self.settings.home)
        return forecast_model(teacher, data, speed), forecast_model(step.quote.forecast, data, speed)

    def methods(self, student: str, data: str, teacher: str | None = None) -> MethodChoice:
        """The ways in which a student can learn from a dataset, by `teacher` or else by whoever answered its rows. Raises
        StudioError for an unknown reference."""
        find, artifact = self.store.find_artifact, self.store.artifact
        world = PlanWorld(self.store, self.settings)
        return methods.choose_method(
            artifact(student), artifact(data), find, world, artifact(teacher) if teacher else None
        )

    def teacher_of(self, data: str) -> ArtifactView | None:
        """The model that answered a dataset; None for people, endpoints and unknown references."""
        found = self.store.find_artifact(data)
        return methods.teacher_of(found, self.store.find_artifact) if found else None

    def gold_of(self, data: str) -> ArtifactView | None:
        """The dataset that a teacher was asked from; None for an unknown reference."""
        found = self.store.find_artifact(data)
        return methods.gold_of(found, self.store.find_artifact) if found else None

    def ablation_recipe(self, params: AblationParams) -> Recipe:
        """The whole run; with the logit variant where a capture is possible or there already. Raises StudioError."""
        teacher, logit, capture = self.teacher_of(params.data), False, None
        if teacher and self.store.find_artifact(params.student):
            logit = self.methods(params.student, params.data).possible("offline_logit")
            capture = self._capture(params, teacher) if logit else None
        return recipe(params, teacher.id if teacher else None, logit, capture)

    def _capture(self, params: AblationParams, teacher: ArtifactView) -> str | None:
        """The newest capture of these rows by this teacher with which the student can learn."""
        world, data = PlanWorld(self.store, self.settings), self.store.artifact(params.data).id
        for view in self.store.artifacts((Kind.CAPTURE,)):
            facts = view.facts
            made_for = (facts.get("data"), facts.get("teacher"), facts.get("max_length"))
            asked = params.model_copy(update={"capture": view.id})
            if made_for == (data, teacher.id, params.max_length) and not check_capture(
                asked, params.student, params.data, world
            ):
                return view.id
        return None

    def ablations(self, project: str) -> list[RunView]:
        """The runs of a project that are ablations, newest first."""
        return [run for run in self.store.runs(project=project) if is_ablation(run)]

    def ablation(self, run_id: str) -> Ablation:
        """What an ablation has shown so far. Raises StudioError when there is no such run."""
        return results.read(self.store.run(run_id), self.store)
