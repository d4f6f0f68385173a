"""The facade that pages, command line and scripts use. It reads the store and enqueues; it never trains or loads a model."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from backend import stages
from backend.api.ablations import Ablations
from backend.api.arena import Arena
from backend.api.checkpoints import Checkpoints
from backend.api.datasets import Datasets
from backend.api.endpoints import Endpoints
from backend.api.hub import Hub
from backend.api.imports import Imports
from backend.api.names import Names
from backend.api.notifications import Notifications
from backend.api.projects import Projects
from backend.api.readings import Readings
from backend.api.reviews import Reviews
from backend.api.runs import Runs
from backend.api.teacher_trial import TeacherTrial
from backend.api.trash import Trash
from backend.core import refs
from backend.core.artifacts import Manifest, read_manifest
from backend.core.errors import Problem, StudioError
from backend.core.paths import absolute, assets
from backend.core.refs import refs_of
from backend.core.schemas import ArtifactView, JobView, Kind, LogLine, MetricPoint, RunView, Storage, WorkerView
from backend.core.settings import Settings
from backend.core.stage import Params
from backend.data.baseline_scores import stored_baseline
from backend.data.dataset import DataFolder, Row
from backend.data.token_view import TokenLengths, TokenView, token_lengths, token_view
from backend.db import Store
from backend.files import disk, trash
from backend.jobs.service import JobService, NewJob
from backend.models import catalogue
from backend.models.builtin import BUILTIN
from backend.models.card import Card, card
from backend.planning import planner, recipes
from backend.planning.planner import Plan, PlanWorld
from backend.planning.recipes import Recipe
from backend.results.answers import Answers, Confusion, confusion
from backend.results.evaluations import EvaluationView, evaluations

MODEL_KINDS = (Kind.MODEL, Kind.ADAPTER, Kind.ONNX)


class Studio(
    Datasets, Projects, Ablations, Checkpoints, Endpoints, Hub, Imports, Readings, Names, Runs, TeacherTrial, Trash
):
    """One per process: `Studio.open()` takes its settings from the environment."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings.prepare()
        self.store = Store(settings.store_url)
        self.reviews, self.arena = Reviews(self.store, self.settings), Arena(self.store, self.settings)
        if settings.project:
            self.store.within = self.project_named(settings.project).id

    @classmethod
    def open(cls, **settings: Any) -> Studio:
        return cls(Settings(**settings))

    @cached_property
    def jobs(self) -> JobService:
        return JobService(self.store)

    @cached_property
    def notifications(self) -> Notifications:
        return Notifications(self.store)

    # data

    def token_view(self, dataset: str, row_id: str, split: str, model: str) -> TokenView:
        """The tokens of a row as `model` reads them, and which carry loss. Raises StudioError."""
        return token_view(self.dataset(dataset).path, row_id, split, self.model(model).path)

    def token_lengths(self, dataset: str, model: str, split: str, max_length: int) -> TokenLengths:
        """How long the rows of a split are for `model`, and how many `max_length` truncates or drops. Raises StudioError."""
        return token_lengths(self.dataset(dataset).path, self.model(model).path, split, max_length)

    def rows(self, dataset: str, split: str, start: int = 0, count: int = 20) -> list[Row]:
        """Rows `start` to `start + count` of a split as they are stored. Reads no more than needed."""
        folder = self.dataset(dataset).path
        if not folder.is_dir():
            raise StudioError("core.artifact_damaged", ref=dataset, file=folder.name)
        return list(islice(DataFolder(folder).rows(split), start, start + count))

    # recipes

    def recipes(self) -> list[tuple[str, str, Path]]:
        """The recipes that are shipped: (name, description, file)."""
        found = []
        for path in sorted((assets() / "recipes").glob("*.yaml")):
            recipe = recipes.load(path)
            found.append((recipe.name, recipe.description, path))
        return found

    def plan(self, recipe: Recipe, fetch: bool = False) -> Plan:
        """Check and quote a whole recipe. Built-in models that it names are imported first; `fetch` as in `model`."""
        for name in self.builtins_of(recipe):
            catalogue.import_builtin(self.store, self.settings, name, fetch)
        return planner.plan(recipe, self.store, self.settings)

    def plan_stage(self, stage: str, params: dict[str, Any], name: str) -> Plan:
        """One stage as a run of its own, called `name`. Raises StudioError with every problem at once."""
        return self.plan(recipes.build({"name": name, "stages": [{"id": stage, "stage": stage, "params": params}]}))

    def start(self, plan: Plan, *, project: str | None = None, key: str | None = None, priority: int = 5) -> RunView:
        """Enqueue a plan. The same `key` twice gives the same run. Raises StudioError with all blocking problems."""
        if plan.blocking:
            raise StudioError.of(plan.blocking)
        plan = self._frozen(plan)
        jobs = [
            NewJob(
                stage_id=planned.step.id,
                stage=planned.step.stage,
                params=self._pinned(planned.params),
                needs=planned.needs,
                seed=plan.recipe.seed_of(planned.step),
                priority=priority,
                quote=planned.quote,
            )
            for planned in plan.steps
        ]
        return self.jobs.submit(plan.recipe.name, jobs, plan.content, project, key=key)

    def _frozen(self, plan: Plan) -> Plan:
        """The plan with everything in it that may change after the start."""
        steps = [
            replace(step, params=freeze(step.params, self))
            if (freeze := stages.stage(step.step.stage).freeze)
            else step
            for step in plan.steps
        ]
        return replace(plan, steps=steps)

    def _pinned(self, params: Params) -> dict[str, Any]:
        """Parameters with names of artifacts replaced by ids: what is imported under a name later changes no run."""
        plain = params.model_dump(mode="json")
        for place, (ref, mark) in refs_of(params).items():
            field, _, index = place.partition(".")
            if refs.reference_id(ref) is None:
                id_ = self.store.artifact(ref, mark.kinds).id
                plain[field] = [*plain[field]] if index else id_
                if index:
                    plain[field][int(index)] = id_
        return plain

    def start_stage(self, stage: str, params: dict[str, Any], project: str | None = None) -> RunView:
        return self.start_stages({stage: params}, project)

    def start_stages(self, stages: dict[str, dict[str, Any]], project: str | None = None) -> RunView:
        """Stages with their parameters as one run of the first one's name; `${stage}` in the parameters of one stands for what
        that earlier one made. Raises StudioError with all problems."""
        steps = [{"id": stage, "stage": stage, "params": params} for stage, params in stages.items()]
        content = {"name": next(iter(stages)), "stages": steps}
        return self.start(planner.plan(recipes.build(content), self.store, self.settings), project=project)

    def start_recipe(
        self,
        recipe: str | Path,
        overrides: dict[str, str] | None = None,
        key: str | None = None,
        project: str | None = None,
        fetch: bool = False,
    ) -> RunView:
        """Load a recipe by the name of a shipped one or by path, check it, and enqueue it in the project of that name,
        else in the oldest. `fetch` as in `model`."""
        return self.start(self.plan(self.load_recipe(recipe, overrides), fetch), key=key, project=project)

    def load_recipe(self, recipe: str | Path, overrides: dict[str, str] | None = None) -> Recipe:
        path = Path(recipe)
        shipped = assets() / "recipes" / f"{recipe}.yaml"
        if not path.is_file() and path.name == str(recipe) and shipped.is_file():
            path = shipped
        return recipes.load(path, overrides)

    def recipe_of(self, run_id: str) -> str:
        """The recipe of a run as YAML: run again, it gives the same result."""
        return recipes.dump(self.store.recipe(run_id))

    # runs and jobs

    def runs(self, limit: int = 50, project: str | None = None) -> list[RunView]:
        """Newest first; `project` is an id."""
        return self.store.runs(limit, project=project)

    def run(self, run_id: str) -> RunView:
        return self.store.run(run_id)

    def job(self, job_id: str) -> JobView:
        return self.store.job(job_id)

    def logs(self, job_id: str, last: int = 200) -> list[LogLine]:
        return self.store.logs(job_id, last)

    def points(self, job_id: str, name: str | None = None) -> list[MetricPoint]:
        return self.store.points(job_id, name)

    def workers(self) -> list[WorkerView]:
        return list(self.jobs.workers())

    def cancel(self, job_id: str) -> None:
        self.jobs.cancel(job_id)

    def cancel_run(self, run_id: str) -> None:
        self.jobs.cancel_run(run_id)

    def undo_cancel(self, job_id: str) -> None:
        self.jobs.undo_cancel(job_id)

    def retry(self, job_id: str) -> None:
        self.jobs.retry(job_id)

    def changes(self) -> dict[str, int]:
        """Counters of what the store holds (backend.db.changes): equal ones mean that nothing was written between."""
        return self.store.changes()

    # artifacts

    def artifacts(self, kinds: Iterable[Kind] = (), project: str | None = None) -> list[ArtifactView]:
        """Newest first; `project` is an id."""
        return self.store.artifacts(kinds, project)

    def artifact(self, ref: str, kinds: Collection[Kind] = ()) -> ArtifactView:
        """By id or name; `kinds`: those that a name is meant of."""
        return self.store.artifact(ref, kinds)

    def model(self, ref: str, fetch: bool = False) -> ArtifactView:
        """A model by id, name, the name of a built-in one, or the path of a model folder; the last two are imported once.
        `fetch`: somebody asked for a built-in one, so pip may fetch it where it is not installed. Raises StudioError."""
        found = self.store.find_artifact(ref, MODEL_KINDS)
        known = found is not None and found.kind in MODEL_KINDS
        if not known and ref in BUILTIN:
            found = catalogue.import_builtin(self.store, self.settings, ref, fetch)
        elif not known and ref and absolute(ref).is_dir():
            found = self.import_model(Path(ref), absolute(ref).name)
        else:
            found = self.store.artifact(ref, MODEL_KINDS)
        if found.kind not in MODEL_KINDS:
            raise StudioError("core.artifact_kind", ref=ref, kind=found.kind, wanted=" / ".join(MODEL_KINDS))
        return found

    def dataset(self, ref: str) -> ArtifactView:
        """Raises StudioError when it is no dataset."""
        found = self.store.artifact(ref, (Kind.DATASET,))
        if found.kind is not Kind.DATASET:
            raise StudioError("core.artifact_kind", ref=ref, kind=found.kind, wanted=Kind.DATASET)
        return found

    def card(self, ref: str) -> Card:
        """What a model is, what it needs, and whether that fits this machine."""
        found = self.model(ref)
        return card(found.facts, PlanWorld(self.store, self.settings), found.license, found.size_bytes, found.path)

    def evaluations(self, project: str | None = None) -> list[EvaluationView]:
        """The newest measurement of each model on each benchmark, newest first; `project` is an id."""
        return evaluations(self.store.artifacts(), project)

    def against_baseline(self, evaluation: str) -> Problem | None:
        """Whether the model of an evaluation beats the quick baseline; None for an evaluation of before, or that is gone."""
        view = self.store.find_artifact(evaluation)
        found = stored_baseline(view.facts) if view else None
        return found.comparison if found else None

    def answers(self, evaluation: str, other: str | None = None) -> Answers:
        """The single answers of one evaluation, or of two on the same rows."""
        return Answers(self.store.artifact(evaluation).path, self.store.artifact(other).path if other else None)

    def confusion(self, evaluation: str) -> Confusion | None:
        """Which label was taken for which; None for answers in free text."""
        return confusion(self.store.artifact(evaluation).path)

    def manifest(self, ref: str) -> Manifest:
        """What made an artifact, with a SHA-256 for every file."""
        return read_manifest(self.store.artifact(ref).path)

    def descendants(self, ref: str) -> list[ArtifactView]:
        """Everything that was made from it, directly or not."""
        return disk.descendants(self.store, self.store.artifact(ref).id)

    # disk

    def storage(self) -> Storage:
        return disk.storage(self.store, self.settings)

    def gc(self, older_than_days: float = 30, cache: bool = False) -> int:
        freed = trash.empty_expired(self.store, self.settings)
        return freed + disk.gc(self.store, self.settings, older_than_days, cache)
