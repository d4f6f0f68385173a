"""Trials of a search by Optuna: which values are tried next, which trial ends early, what came out.

Where there are few combinations, all are tried. Else values are proposed by TPE (Bergstra et al. 2011; it knows which trials
keep too little quality) or at random. A trial whose validation loss lies above the median of the others at the same share of
its training ends early (Optuna's MedianPruner). Importances are PED-ANOVA's (Watanabe et al. 2023). All that is known stands in
a journal in the job's folder: after a kill the trial at work goes on from its checkpoint.
"""

from __future__ import annotations

import gc
import logging
import shutil
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from backend.core.errors import Problem, StudioError
from backend.core.stage import Context, Report
from backend.results.search_report import Trial
from backend.training.search_space import Outcome, Range, Value, grid

optuna.logging.set_verbosity(logging.ERROR)
warnings.filterwarnings("ignore", category=ExperimentalWarning)

CURVE = "eval_loss"
"""What a trial tells while it runs."""
RunTrial = Callable[[Context, int, dict[str, Any]], Outcome]
"""Runs the stage with the values of the trial of this number."""
_FIRST = 4
"""Trials before TPE learns from them and before any ends early."""


@dataclass(frozen=True)
class Budget:
    """How much is tried: trials at most, and minutes after which none begins."""

    trials: int
    minutes: float


class Search:
    """`first`: values that are tried before any others, as far as the ranges hold them; `prune`: whether trials end early."""

    def __init__(
        self,
        ctx: Context,
        ranges: Sequence[Range],
        sampler: Literal["tpe", "random"],
        prune: bool,
        first: dict[str, Any],
        budget: Budget,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ctx, self.ranges, self.sampler, self.prune, self.clock = ctx, ranges, sampler, prune, clock
        points = grid(ranges, budget.trials)
        self.budget = replace(budget, trials=len(points) or budget.trials)
        self.study = self._opened()
        if not self.study.trials:
            held = {each.name: first[each.name] for each in ranges if each.holds(first.get(each.name))}
            for point in sorted(points, key=lambda point: point != held) or [held]:
                self.study.enqueue_trial(point)

    def _opened(self) -> optuna.Study:
        """With what an earlier attempt knew, unless all of that failed."""
        file = self.ctx.dir / "study.log"
        early: optuna.pruners.BasePruner = optuna.pruners.NopPruner()
        if self.prune:
            early = optuna.pruners.MedianPruner(_FIRST)
        while True:
            storage = JournalStorage(JournalFileBackend(str(file)))
            study = optuna.create_study(
                storage=storage, study_name="search", direction="minimize", load_if_exists=True, pruner=early
            )
            if {trial.state for trial in study.get_trials(deepcopy=False)} != {TrialState.FAIL}:
                return study
            file.unlink()

    def run(self, run_one: RunTrial) -> None:
        """Try until the budget is used up. Raises StudioError when no trial came to an end, Cancelled when a stop is asked."""
        while len(self._ended()) < self.budget.trials:
            if self.best is not None and self._spent() >= self.budget.minutes * 60:
                self.ctx.log(f"The time budget is used up after {len(self._ended())} trials.", "warning")
                break
            self._try(self._next(), run_one)
        if self.best is None:
            failed = [trial.failure for trial in self.told() if trial.failure]
            raise StudioError("search.none", failure=failed[0].sentence() if failed else "")

    @property
    def best(self) -> FrozenTrial | None:
        """The trial that keeps enough quality, or lacks the least of it, and among such the one of the least value."""
        return min(self._ended(TrialState.COMPLETE), key=_rank, default=None)

    def folder(self, number: int) -> Path:
        return self.ctx.dir / f"trial-{number:03d}"

    def importances(self) -> dict[str, float]:
        """The share of each field in what makes a trial good, the largest first; empty where too few trials tell."""
        if len(self._ended(TrialState.COMPLETE)) < _FIRST:
            return {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found = get_param_importances(self.study, evaluator=PedAnovaImportanceEvaluator(), target=_loss)
            except (ValueError, RuntimeError):  # all trials alike
                return {}
        return {name: float(share) for name, share in found.items()}

    def told(self) -> list[Trial]:
        """Every trial that ended."""
        return [
            Trial(
                number=trial.number,
                values=trial.params,
                state=trial.state.name.lower(),
                value=trial.value,
                curve=sorted(trial.intermediate_values.items()),
                **{name: value for name, value in trial.user_attrs.items() if name != "loss"},
            )
            for trial in self._ended()
        ]

    def untried(self) -> list[dict[str, Value]]:
        """The combinations for which no time was left."""
        waiting = self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        return [trial.system_attrs["fixed_params"] for trial in waiting]

    def _ended(self, *states: TrialState) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=states or tuple(s for s in TrialState if s.is_finished()))

    def _spent(self) -> float:
        return sum(trial.user_attrs.get("seconds", 0.0) for trial in self._ended())

    def _next(self) -> optuna.Trial:
        """The one that a kill interrupted, else a new one; the seed depends on its number alone, so that an interruption
        changes no proposal."""
        begun = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        seed = self.ctx.seed * 1009 + len(self._ended())
        self.study.sampler = (
            optuna.samplers.RandomSampler(seed)
            if self.sampler == "random"
            else optuna.samplers.TPESampler(seed=seed, n_startup_trials=_FIRST, constraints_func=_constraints)
        )
        return optuna.Trial(self.study, begun[0]._trial_id) if begun else self.study.ask()

    def _try(self, trial: optuna.Trial, run_one: RunTrial) -> None:
        values = {each.name: _suggest(trial, each) for each in self.ranges}
        self.ctx.log(f"Trial {trial.number + 1}: {_listed(values)}")
        begun, before = self.clock(), float(trial.user_attrs.get("seconds", 0.0))
        inner = self.ctx.within(self.folder(trial.number), self._hears(trial))
        found, state = None, TrialState.FAIL
        try:
            found, state = run_one(inner, trial.number, values), TrialState.COMPLETE
            for name in ("loss", "violation", "metrics"):
                trial.set_user_attr(name, getattr(found, name))
        except optuna.TrialPruned:
            state = TrialState.PRUNED
        except StudioError as error:
            trial.set_user_attr("failure", error.problems[0].model_dump(mode="json"))
        finally:
            trial.set_user_attr("seconds", before + self.clock() - begun)
        self.study.tell(trial, found.value if found else None, state=state)
        self._log_end(trial, state, found)
        self._tidy()

    def _log_end(self, trial: optuna.Trial, state: TrialState, found: Outcome | None) -> None:
        said = "ended early"
        if state is TrialState.FAIL:
            said = Problem.model_validate(trial.user_attrs["failure"]).sentence()
        elif found:
            told = found.metrics or {CURVE: found.value}
            said = ", ".join(f"{name} {value:.4g}" for name, value in told.items())
        self.ctx.log(f"Trial {trial.number + 1}: {said}.", "warning" if state is TrialState.FAIL else "info")

    def _hears(self, trial: optuna.Trial) -> Report:
        done, share = len(self._ended()), 0.0

        def hears(event: dict[str, Any]) -> None:
            nonlocal share
            if event["event"] == "log":
                self.ctx.log(event["text"], event["level"])
            elif event["event"] == "progress":
                share = event["done"] / event["total"] if event["total"] else 0.0
                note = event["note"]
                self.ctx.progress(done + share, self.budget.trials, note)
            elif event["event"] == "metric" and event["name"] == CURVE:
                self._weigh(trial, event["value"], round(share * 100))

        return hears

    def _weigh(self, trial: optuna.Trial, value: float, percent: int) -> None:
        """A point of the trial's curve. Raises TrialPruned where it has to end."""
        if percent not in self.study.get_trials(deepcopy=False)[trial.number].intermediate_values:
            trial.report(value, percent)
        if self.prune and percent < 100 and trial.should_prune():
            raise optuna.TrialPruned

    def _tidy(self) -> None:
        """What the best trial made stays, until a better one has."""
        gc.collect()  # a trainer holds itself, and so its model, until it is collected
        for trial in self._ended():
            if self.best is None or trial.number != self.best.number:
                shutil.rmtree(self.folder(trial.number), ignore_errors=True)


def _rank(trial: FrozenTrial) -> tuple[float, float]:
    return trial.user_attrs.get("violation", 0.0), trial.value or 0.0


def _loss(trial: FrozenTrial) -> float:
    return float(trial.user_attrs["loss"])


def _constraints(trial: FrozenTrial) -> tuple[float]:
    """As Optuna asks for them: above 0 where one is violated."""
    return (trial.user_attrs.get("violation", 0.0),)


def _suggest(trial: optuna.Trial, each: Range) -> Value:
    if each.choices:
        return next(value for value in each.choices if value == trial.suggest_categorical(each.name, each.choices))
    if each.whole:
        return trial.suggest_int(each.name, int(each.low), int(each.high), log=each.log)
    return trial.suggest_float(each.name, each.low, each.high, log=each.log)


def _listed(values: dict[str, Value]) -> str:
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in values.items()
    )
