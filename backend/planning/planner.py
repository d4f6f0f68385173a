"""From a recipe to jobs: pre-flight check and quote of every stage, in order, before anything starts.

A stage whose input is made by an earlier one is checked against that one's forecast.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from backend import stages
from backend.core import machine, refs
from backend.core.cards import usable_cards
from backend.core.endpoints import EndpointView
from backend.core.errors import Problem, StudioError
from backend.core.schemas import FINISHED, Kind, Quote, whole_range
from backend.core.settings import Settings
from backend.core.stage import ArtifactInfo, Params, check_fits
from backend.db import Store
from backend.files.project_file import LEFT_OUT
from backend.planning.calibration import RUNS, calibrate
from backend.planning.recipes import Recipe, RecipeStage


class PlanWorld:
    """What `check` and `quote` may ask: the store's artifacts and the forecasts of earlier stages."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.memory_bytes = machine.memory_bytes()
        self.free_disk_bytes = machine.free_disk_bytes(settings.home)
        found = usable_cards()
        self.card_bytes = min((card.total_bytes for card in found), default=0)
        self.processes = settings.shared_by(len(found))
        self.forecasts: dict[str, ArtifactInfo] = {}
        self.kinds: dict[str, tuple[Kind, ...]] = {}
        self._speed: float | None = None

    def told_apart(self, params: Params) -> Params:
        """With ids in place of a name that two fields mean of different kinds."""
        named = refs.refs_of(params)
        kinds: dict[str, set[tuple[Kind, ...]]] = {}
        for ref, mark in named.values():
            kinds.setdefault(ref, set()).add(mark.kinds)
        ids = {
            place: found.id
            for place, (ref, mark) in named.items()
            if "." not in place and len(kinds[ref]) > 1 and (found := self.store.find_artifact(ref, mark.kinds))
        }
        return params.model_copy(update=ids)

    def look_for(self, params: Params) -> list[Problem]:
        """From now on a name is one of the kinds that these parameters ask for. The names that several have."""
        named = {place: ref for place, ref in refs.refs_of(params).items() if refs.reference_id(ref[0]) is None}
        self.kinds = {ref: mark.kinds for ref, mark in named.values()}
        found = []
        for place, (ref, mark) in named.items():
            if self.store.find_artifact(ref, mark.kinds):
                try:
                    self.store.artifact(ref, mark.kinds)
                except StudioError as error:
                    found += [problem.model_copy(update={"field": place}) for problem in error.problems]
        return found

    def describe(self, ref: str) -> ArtifactInfo | None:
        step_id = refs.reference_id(ref)
        if step_id is not None:
            return self.forecasts.get(step_id)
        found = self.store.find_artifact(ref, self.kinds.get(ref, ()))
        return ArtifactInfo(found.kind, found.facts, path=str(found.path)) if found else None

    def endpoint(self, name: str) -> EndpointView | None:
        return self.store.find_endpoint(name)

    def auditions(self, data: str) -> list[dict[str, Any]]:
        found = self.store.find_artifact(data, (Kind.DATASET,))
        held = self.store.artifacts([Kind.AUDITION]) if found else []
        return [view.facts for view in held if found and view.facts.get("data") == found.id]

    def trashed(self) -> frozenset[str]:
        return self.store.trashed_artifacts()

    def speed(self) -> float:
        if self._speed is None:
            self._speed = machine.speed(self.settings.home)
        return self._speed

    def calibrated(self, stage: str, quote: Quote) -> Quote:
        """A stage's own quote, corrected by what its last runs took here."""
        return calibrate(self.store.jobs(states=FINISHED, stage=stage, limit=RUNS), quote.seconds).of(quote)


@dataclass
class PlannedStage:
    step: RecipeStage
    params: Params
    quote: Quote
    needs: list[str]


@dataclass
class Plan:
    """What a run will do and cost. Nothing may start while a problem is blocking."""

    recipe: Recipe
    steps: list[PlannedStage] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def content(self) -> dict[str, Any]:
        """The recipe as plain data with overrides applied and paths made absolute: what was asked, to be run again."""
        kept = {step.step.id: step.params.model_dump(mode="json", exclude_unset=True) for step in self.steps}
        steps = [
            {**step.model_dump(exclude={"params"}, exclude_defaults=True), "params": kept[step.id]}
            for step in self.recipe.stages
        ]
        return self.recipe.model_dump(mode="json", exclude={"stages"}) | {"stages": steps}

    @property
    def blocking(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.blocking]

    @property
    def seconds(self) -> float:
        return sum(step.quote.seconds for step in self.steps)

    @property
    def seconds_range(self) -> tuple[float, float]:
        """Between which most such runs end."""
        return whole_range(step.quote for step in self.steps)

    @property
    def money(self) -> float:
        """USD."""
        return sum(step.quote.money for step in self.steps)

    @property
    def memory_bytes(self) -> int:
        return max((step.quote.memory_bytes for step in self.steps), default=0)

    @property
    def disk_bytes(self) -> int:
        return sum(step.quote.disk_bytes for step in self.steps)


def _without_weights(params: Params, world: PlanWorld) -> list[Problem]:
    """Inputs that came with an imported project, without their weights."""
    named = {field: ref for field, (ref, _mark) in refs.refs_of(params).items()}
    known = {field: world.describe(ref) for field, ref in named.items()}
    return [
        Problem(code="projects.weights_left_out", args={"ref": named[field]}, field=field)
        for field, info in known.items()
        if info and info.facts.get(LEFT_OUT)
    ]


def plan(recipe: Recipe, store: Store, settings: Settings) -> Plan:
    """Check and quote every stage. Problems carry the id of their stage."""
    world = PlanWorld(store, settings)
    made = Plan(recipe)
    for step in recipe.ordered():
        stage = stages.stage(step.stage)
        params = world.told_apart(recipe.parsed(step))
        found = world.look_for(params) or _without_weights(params, world) or stage.check(params, world)
        broken = any(need not in world.forecasts for need in refs.referenced_ids(step.params))
        if broken:  # an earlier stage has a problem of its own, which is the one worth telling
            found = [problem for problem in found if not refs.reference_id(problem.args.get("ref"))]
        elif not any(problem.blocking for problem in found):
            quote = world.calibrated(stage.name, stage.quote(params, world))
            if kind := stage.makes(params):
                world.forecasts[step.id] = ArtifactInfo(kind, quote.forecast, pending=True)
            made.steps.append(PlannedStage(step, params, quote, sorted(step.needs)))
        found += [
            Problem(code="recipe.renamed", args={"old": old, "new": new}, blocking=False) for old, new in step.old_words
        ]
        made.problems += [problem.model_copy(update={"stage": step.id}) for problem in found]
    disk = made.disk_bytes
    if disk > world.free_disk_bytes:
        made.problems += check_fits(Quote(seconds=0, memory_bytes=0, disk_bytes=disk), world)
    return made
