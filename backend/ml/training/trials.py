"""Trials of hyperparameters by Optuna: which values are tried next, which trial ends early, what came out.

Values are proposed by TPE (Bergstra et al. 2011) or at random; a trial whose validation loss lies above the median of the
others at the same share of its training ends early (Optuna's MedianPruner). Importances are PED-ANOVA's (Watanabe et al. 2023).
All that is known stands in a journal in the job's folder: after a kill the trial at work goes on from its checkpoint.
"""

from __future__ import annotations

import gc
import logging
import shutil
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from backend.core.errors import StudioError
from backend.core.stage import Context
from backend.training.search_space import Range, Value
from backend.training.trial_context import TrialContext

optuna.logging.set_verbosity(logging.ERROR)

OBJECTIVE = "eval_loss"
RunTrial = Callable[[TrialContext, dict[str, Any]], dict[str, float]]
"""Runs the stage with the values of a trial; its metrics hold OBJECTIVE."""
_FIRST = 4
"""Trials before TPE learns from them and before any ends early."""


@dataclass(frozen=True)
class Budget:
    """How much is tried: trials at most, and minutes after which none begins."""

    trials: int
    minutes: float


class Search:
    """`first`: values that are tried before any others, as far as the ranges hold them."""

    def __init__(
        self,
        ctx: Context,
        ranges: Sequence[Range],
        sampler: Literal["tpe", "random"],
        prune: bool,
        first: dict[str, Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ctx, self.ranges, self.sampler, self.prune, self.clock = ctx, ranges, sampler, prune, clock
        storage = JournalStorage(JournalFileBackend(str(ctx.dir / "study.log")))
        early: optuna.pruners.BasePruner = optuna.pruners.MedianPruner(_FIRST) if prune else optuna.pruners.NopPruner()
        self.study = optuna.create_study(
            storage=storage, study_name="search", direction="minimize", load_if_exists=True, pruner=early
        )
        if not self.study.trials:
            held = {each.name: first[each.name] for each in ranges if each.holds(first.get(each.name))}
            self.study.enqueue_trial(held)

    def run(self, budget: Budget, run_one: RunTrial) -> None:
        """Try until the budget is used up. Raises StudioError when no trial came to an end, Cancelled when a stop is asked."""
        while len(self._ended()) < budget.trials:
            if self.best is not None and self._spent() >= budget.minutes * 60:
                self.ctx.log(f"The time budget is used up after {len(self._ended())} trials.", "warning")
                break
            self._try(self._next(), budget, run_one)
        if self.best is None:
            failed = [trial.user_attrs["failure"] for trial in self._ended() if "failure" in trial.user_attrs]
            raise StudioError("search.none", failure=failed[0] if failed else "")

    @property
    def best(self) -> FrozenTrial | None:
        """The trial with the least loss so far."""
        return min(self._ended(TrialState.COMPLETE), key=lambda trial: trial.value or 0.0, default=None)

    def folder(self, number: int) -> Path:
        return self.ctx.dir / f"trial-{number:03d}"

    def importances(self) -> dict[str, float]:
        """The share of each field in what makes a trial good, the largest first; empty where too few trials tell."""
        if len(self._ended(TrialState.COMPLETE)) < _FIRST:
            return {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found = get_param_importances(self.study, evaluator=PedAnovaImportanceEvaluator())
            except (ValueError, RuntimeError):  # all trials alike
                return {}
        return {name: float(share) for name, share in found.items()}

    def told(self) -> list[dict[str, Any]]:
        """Every trial that ended: `number`, `values`, `state` (complete, pruned, fail), `loss`, `seconds`, `curve` as pairs of
        percent done and loss, `failure` where it failed."""
        return [
            {
                "number": trial.number,
                "values": trial.params,
                "state": trial.state.name.lower(),
                "loss": trial.value,
                "seconds": trial.user_attrs.get("seconds", 0.0),
                "curve": sorted(trial.intermediate_values.items()),
                **({"failure": trial.user_attrs["failure"]} if "failure" in trial.user_attrs else {}),
            }
            for trial in self._ended()
        ]

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
            else optuna.samplers.TPESampler(seed=seed, n_startup_trials=_FIRST)
        )
        return optuna.Trial(self.study, begun[0]._trial_id) if begun else self.study.ask()

    def _try(self, trial: optuna.Trial, budget: Budget, run_one: RunTrial) -> None:
        values = {each.name: _suggest(trial, each) for each in self.ranges}
        self.ctx.log(f"Trial {trial.number + 1}: {_listed(values)}")
        begun, before = self.clock(), float(trial.user_attrs.get("seconds", 0.0))
        inner = TrialContext(self.ctx, self.folder(trial.number), *self._listeners(trial, budget.trials))
        loss, state = None, TrialState.FAIL
        try:
            loss, state = float(run_one(inner, values)[OBJECTIVE]), TrialState.COMPLETE
        except optuna.TrialPruned:
            state = TrialState.PRUNED
        except StudioError as error:
            trial.set_user_attr("failure", error.text())
        finally:
            trial.set_user_attr("seconds", before + self.clock() - begun)
        self.study.tell(trial, loss, state=state)
        ends = {TrialState.PRUNED: "ended early", TrialState.FAIL: str(trial.user_attrs.get("failure"))}
        said = ends.get(state) or f"validation loss {loss:.4f}"
        self.ctx.log(f"Trial {trial.number + 1}: {said}.", "warning" if state is TrialState.FAIL else "info")
        self._tidy()

    def _listeners(
        self, trial: optuna.Trial, trials: int
    ) -> tuple[Callable[[str, float, float], None], Callable[[float, str], None]]:
        done = len(self._ended())

        def told(name: str, value: float, share: float) -> None:
            if name != OBJECTIVE:
                return
            percent = round(share * 100)
            if percent not in self.study.get_trials(deepcopy=False)[trial.number].intermediate_values:
                trial.report(value, percent)
            if self.prune and percent < 100 and trial.should_prune():
                raise optuna.TrialPruned

        def moved(share: float, note: str) -> None:
            self.ctx.progress(done + share, trials, note)

        return told, moved

    def _tidy(self) -> None:
        """What the best trial made stays, until a better one has."""
        gc.collect()  # a trainer holds itself, and so its model, until it is collected
        for trial in self._ended():
            if self.best is None or trial.number != self.best.number:
                shutil.rmtree(self.folder(trial.number), ignore_errors=True)


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
