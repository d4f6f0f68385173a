"""The stages that `search` can try, one row each: how their trials are compared, their usual ranges, what a trial runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from backend.core.artifacts import made_in, read_manifest
from backend.core.errors import Problem
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import AnyStage, Context, Result, World
from backend.inference import time_estimates
from backend.models import costs
from backend.models.quantization import scheme_params
from backend.results.search_report import SCHEME
from backend.stages import distill, finetune, prune, quantize
from backend.training.params import TrainingParams
from backend.training.search_space import TEST_ROWS, Range, Value, grid, parse_settings, parse_space, searchable

_INPUTS = ("model", "data", "teacher", "capture")
_MEASURED = ("keep", "rows", "max_too_long")


@dataclass(frozen=True)
class Searched:
    """`model`: the field that takes the model; `objective`: the lowest validation loss, or the fewest bytes among those that
    keep the quality; `reads`: the fields of a search that count for it; `space`: its usual ranges, for a model with these
    facts."""

    stage: AnyStage
    model: str
    objective: Literal["loss", "size"]
    reads: tuple[str, ...]
    space: Callable[[Mapping[str, Any]], list[str]]


def _layers(facts: Mapping[str, Any]) -> list[str]:
    """A fifth to four fifths of the layers, chosen in both ways."""
    layers = int(facts.get("layers", 30))
    keeps = dict.fromkeys(max(1, layers * fifths // 5) for fifths in (1, 2, 3, 4))
    return [f"keep_layers={'|'.join(map(str, keeps))}"] * (len(keeps) > 1) + ["choose=importance|even"]


SEARCHED = {
    each.stage.name: each
    for each in (
        Searched(
            finetune.STAGE,
            "model",
            "loss",
            ("prune",),
            lambda facts: ["learning_rate=2e-4..5e-3 log", "rank=8|16|32", "epochs=1..4"],
        ),
        Searched(
            distill.STAGE,
            "student",
            "loss",
            ("prune", "teacher", "capture"),
            lambda facts: ["learning_rate=2e-4..5e-3 log", "epochs=1..4"],
        ),
        Searched(prune.STAGE, "model", "size", ("heal", *_MEASURED), _layers),
        Searched(quantize.STAGE, "model", "size", ("schemes", *_MEASURED), lambda facts: []),
    )
}


@dataclass(frozen=True)
class Asked:
    """What a search was asked, read. `fixed`: values of all trials; `given`: their inputs; `facts`: of the model."""

    searched: Searched
    facts: dict[str, Any]
    given: dict[str, Any]
    ranges: list[Range]
    fixed: dict[str, Any]
    problems: list[Problem]

    @classmethod
    def read(
        cls,
        stage: str,
        facts: dict[str, Any],
        given: dict[str, Any],
        schemes: Iterable[str],
        space: list[str],
        settings: list[str],
    ) -> Asked:
        """Also what is wrong, which a search can't begin with."""
        searched = SEARCHED[stage]
        params = searched.stage.params
        ranges, problems = parse_space(space or searched.space(facts), params)
        fixed, refused = parse_settings(settings, params)
        problems += refused
        names = [each.name for each in ranges]
        schemes = tuple(schemes) if "schemes" in searched.reads else ()
        if schemes:
            ranges.insert(0, Range(SCHEME, choices=schemes))
        taken = {name for scheme in schemes for name in scheme_params(scheme, facts)}
        twice = [name for name in names if name in taken | fixed.keys()]
        problems += [
            Problem(code="search.twice", args={"name": name}, field="space" if name in taken else "settings")
            for name in twice
        ]
        twice = [name for name in fixed if name in taken]
        problems += [Problem(code="search.twice", args={"name": name}, field="settings") for name in twice]
        if not ranges and not problems:
            problems.append(Problem(code="search.empty", field="space"))
        return cls(searched, facts, given, ranges, fixed, problems)

    @property
    def stage(self) -> AnyStage:
        return self.searched.stage

    @property
    def by_size(self) -> bool:
        return self.searched.objective == "size"

    @property
    def base(self) -> dict[str, Any]:
        """The parameters of a trial without the values that are searched."""
        return self.fixed | self.given

    @property
    def first(self) -> dict[str, Any]:
        """What the stage does by itself."""
        fields = searchable(self.stage.params).items()
        found = {name: info.get_default(call_default_factory=True) for name, info in fields}
        usual = self.stage.parse(self.base)
        return found | (
            {"learning_rate": usual.resolved(self.facts).learning_rate} if isinstance(usual, TrainingParams) else {}
        )

    @property
    def middle(self) -> dict[str, Value]:
        return {each.name: each.middle for each in self.ranges}

    @property
    def ends(self) -> list[dict[str, Value]]:
        """Points that hold every end and choice of every range."""
        most = max(len(each.ends) for each in self.ranges)
        return [{each.name: each.ends[min(at, len(each.ends) - 1)] for each in self.ranges} for at in range(most)]

    @property
    def kinds(self) -> set[Kind | None]:
        """What trials leave, by the method that they have."""
        methods = [each.ends for each in self.ranges if each.name == "method"]
        tried = [{"method": value} for value in methods[0]] if methods else [{}]
        return {self.stage.makes(self.stage.parse(self.base | values)) for values in tried}

    def grid(self, most: int) -> list[dict[str, Value]]:
        return grid(self.ranges, most)

    def params(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """What the stage is given for the values of a trial."""
        own = {name: value for name, value in values.items() if name != SCHEME}
        return (scheme_params(str(values[SCHEME]), self.facts) if SCHEME in values else {}) | own

    def healed(self, epochs: float) -> bool:
        """Whether a trial is trained before it is measured."""
        return epochs > 0 and "heal" in self.searched.reads

    def check(self, world: World) -> list[Problem]:
        """What the stage says against the ends of the ranges, each thing once and where it can be changed in a search."""
        found: dict[str, Problem] = {}
        for values in self.ends:
            params = self.params(values)
            for problem in self.stage.check(self.stage.parse(self.base | params), world):
                if problem.code.startswith("fits."):  # of one trial: the search has other fields
                    continue
                place = {self.searched.model: "model"}.get(problem.field or "", problem.field)
                if place not in _INPUTS:
                    scheme = "schemes" if place in params and place not in values else None
                    place = "space" if place in values else "settings" if place in self.fixed else scheme
                found.setdefault(problem.code, problem.model_copy(update={"field": place}))
        return list(found.values())

    def quote(self, values: Mapping[str, Value], heal: float, rows: int, world: World) -> Quote:
        """One trial; where size counts, with its measuring."""
        made = self.stage.quote(self.stage.parse(self.base | self.params(values)), world)
        if not self.by_size:
            return made
        seconds, memory = made.seconds, made.memory_bytes
        if self.healed(heal):
            student = {"student": self.given[self.searched.model], "data": self.given["data"], "epochs": heal}
            training = distill.quote(distill.STAGE.parse(student), world)
            seconds, memory = seconds + training.seconds, max(memory, training.memory_bytes)
        seconds += measuring_seconds(made.forecast, self.given["data"], "validation", rows, world)
        original = costs.answer_bytes({**costs.merged(self.facts), "format": "torch"})
        return made.model_copy(update={"seconds": seconds, "memory_bytes": int(max(memory, original))})

    def run(self, values: Mapping[str, Value], heal: float, ctx: Context, given: Sequence[ArtifactView]) -> Result:
        """One trial; what it makes stays in the folder of `ctx`. `given`: inputs in place of those of the same id."""
        params = self.stage.parse(self.base | self.params(values))
        if not self.healed(heal):
            return _bare(self.stage.run(params, ctx.within(ctx.dir, None, given)))
        folder = ctx.dir / "pruned"
        self.stage.run(params, ctx.within(folder, None, given))
        path = made_in(folder)
        about = read_manifest(path)
        pruned = given[0].model_copy(update={"id": about.id, "name": about.name, "path": path, "facts": about.facts})
        student = {"student": pruned.id, "data": self.given["data"], "epochs": heal}
        return _bare(distill.run(distill.STAGE.parse(student), ctx.within(ctx.dir, None, [pruned])))


def _bare(result: Result) -> Result:
    return Result(metrics=result.metrics, findings=result.findings)


def original_seconds(model: str, data: str, rows: int, world: World) -> float:
    """Measuring the original, on test rows too."""
    known = world.describe(model)
    facts = {**costs.merged(known.facts if known else {}), "format": "torch"}
    splits = (("validation", rows), ("test", TEST_ROWS))
    return sum(measuring_seconds(facts, data, split, most, world) for split, most in splits)


def measuring_seconds(facts: dict[str, Any], data: str, split: str, most: int, world: World) -> float:
    """Answers, times, and the right answers read once more."""
    known = world.describe(data)
    about = known.facts if known else {}
    rows = min(most, about.get("rows", {}).get(split, most if split == "validation" else 0))
    load, single = time_estimates.Load.of(about, rows, 0), time_estimates.Load.of(about, min(rows, 10), 0)
    reading = load.rows * time_estimates.first_token_seconds(facts, load)
    seconds = time_estimates.answer_seconds(facts, load) + time_estimates.single_seconds(facts, single) + reading
    return seconds / world.speed()
