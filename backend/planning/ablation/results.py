"""What an ablation has shown so far: every variant over its seeds, and the paired differences between variants.

All of it is read from the jobs of the run and from the answers of its evaluations. Every model was asked the same rows, so a
difference is taken row by row and seed by seed.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from statistics import fmean, stdev
from typing import NamedTuple

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, JobView, Kind, RunView, View
from backend.db import Store
from backend.planning.ablation.recipe import VARIANTS
from backend.results.answers import FILE, PairedCounts
from backend.stats.token_f1 import token_f1

SIGNIFICANCE_LEVEL = 0.05
_EVALUATION = re.compile(rf"^(teacher|base|{'|'.join(VARIANTS)})(?:-(\d+))?(-int4)?-eval$")
_COMPARISON_JOB = re.compile(rf"(?:{'|'.join(VARIANTS)})-\d+(-int4)?(-eval)?|(?:teacher|base)(-int4)?-eval")
_COMPARED = (("sequence", "gold"), ("logit", "gold"), ("logit", "sequence"), ("base", "gold"), ("teacher", "gold"))


class Arm(View):
    """One variant in one precision. `scores`: seed -> mean over the rows, shares of 1; `low`, `high`: 95 % interval of the mean
    over rows and seeds; `spread`: standard deviation between seeds, None for one. Costs are None where nothing is known:
    `seconds` and `tokens` of training are means of a seed, `teacher_seconds` those of answers and capture together."""

    variant: str
    precision: str
    scores: dict[int, float]
    mean: float
    low: float
    high: float
    spread: float | None
    steps: int | None = None
    seconds: float | None = None
    tokens: float | None = None
    teacher_seconds: float | None = None


class Difference(View):
    """`one` minus `other`, both in one precision, in shares of 1. `p`: exact sign test over the `differ` rows on which they
    are not equal (sums over seeds; with one seed it is McNemar's)."""

    one: str
    other: str
    precision: str
    mean: float
    low: float
    high: float
    seeds: int
    differ: int
    p: float

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0

    @property
    def shown(self) -> bool:
        """Whether a difference can be claimed: with few rows that differ an interval by bootstrap claims too early."""
        return self.clear and self.p < SIGNIFICANCE_LEVEL


class Ablation(View):
    """`done` of `total` jobs have succeeded; `n` rows of `split` were asked; `metric` is what the scores are."""

    run: RunView
    done: int
    total: int
    metric: str = "accuracy"
    split: str = ""
    n: int = 0
    arms: list[Arm] = []
    differences: list[Difference] = []

    def arm(self, variant: str, precision: str = "fp32") -> Arm | None:
        return next((arm for arm in self.arms if (arm.variant, arm.precision) == (variant, precision)), None)

    def difference(self, one: str, other: str, precision: str = "fp32") -> Difference | None:
        wanted = (one, other, precision)
        return next((each for each in self.differences if (each.one, each.other, each.precision) == wanted), None)


class _Model(NamedTuple):
    """What an evaluation measured; `seed` is 0 for what was not trained."""

    variant: str
    seed: int
    precision: str


Table = dict[_Model, list[float]]
"""Model -> the scores of its rows, in one order for all."""


def is_ablation(run: RunView) -> bool:
    """Told by its steps, so that a saved recipe that is run again is one too."""
    kinds = {match[1] for job in run.jobs if (match := _EVALUATION.match(job.stage_id))}
    return {"base", "gold"} < kinds


def is_comparison_job(job: JobView) -> bool:
    """Whether a job of an ablation is one of its comparison: a variant's training or INT4, or a measurement. The others (data,
    teacher, cut student, capture) are what any recipe makes."""
    return bool(_COMPARISON_JOB.fullmatch(job.stage_id))


def read(run: RunView, store: Store) -> Ablation:
    """An evaluation that was deleted counts as not measured."""
    found = dict(pair for job in run.jobs if (pair := _measured(job, store)))
    done = sum(job.state.finished for job in run.jobs)
    if not found:
        return Ablation(run=run, done=done, total=len(run.jobs))
    facts = next(iter(found.values())).facts
    metric = "accuracy" if "accuracy" in facts else "token_f1"
    rows = {model: _row_scores(view.path, metric) for model, view in found.items()}
    ids = set.intersection(*(set(scores) for scores in rows.values()))
    table = {model: [scores[id_] for id_ in sorted(ids)] for model, scores in rows.items()}
    return Ablation(
        run=run,
        done=done,
        total=len(run.jobs),
        metric=metric,
        split=str(facts["split"]),
        n=len(ids),
        arms=_arms(run, table, store),
        differences=_differences(table),
    )


def _measured(job: JobView, store: Store) -> tuple[_Model, ArtifactView] | None:
    match = _EVALUATION.match(job.stage_id)
    view = store.find_artifact(job.result["artifact"]) if match and job.result.get("artifact") else None
    if not match or view is None or not (view.path / FILE).is_file():
        return None
    return _Model(match[1], int(match[2] or 0), "int4" if match[3] else "fp32"), view


@lru_cache(maxsize=128)
def _row_scores(folder: Path, metric: str) -> dict[str, float]:
    """Row id -> 1 or 0 for a label that is right or wrong, F1 of words for a text. An artifact never changes."""
    scores = {}
    with (folder / FILE).open(encoding="utf-8") as stream:
        for line in map(json.loads, stream):
            right = line["correct"] if metric == "accuracy" else token_f1(line["expected"], line["answer"])
            scores[line["id"]] = float(right)
    return scores


def _arms(run: RunView, table: Table, store: Store) -> list[Arm]:
    order = ["base", *VARIANTS, "teacher"]
    groups: dict[tuple[str, str], list[_Model]] = {(one.variant, one.precision): [] for one in table}
    for one in table:
        groups[one.variant, one.precision].append(one)
    keys = sorted(groups, key=lambda key: (key[1] != "fp32", order.index(key[0])))
    return [_arm(run, groups[key], table, store) for key in keys]


def _arm(run: RunView, group: list[_Model], table: Table, store: Store) -> Arm:
    import numpy as np

    from backend.stats.bootstrap import bootstrap_interval

    scores = {one.seed: fmean(table[one]) for one in sorted(group, key=lambda one: one.seed)}
    low, high = _exact_limits(*bootstrap_interval(np.array([table[one] for one in group])), rows=len(table[group[0]]))
    first = group[0]
    trained = {job.stage_id: job for job in run.jobs if job.stage == "distill" and job.state.finished}
    jobs = [trained[name] for one in group if (name := f"{one.variant}-{one.seed}") in trained]
    metrics = [job.result.get("metrics", {}) for job in jobs]
    seconds = [job.seconds for job in jobs if job.seconds is not None]
    tokens = [each["trained_tokens"] for each in metrics if "trained_tokens" in each]
    return Arm(
        variant=first.variant,
        precision=first.precision,
        scores=scores,
        mean=fmean(scores.values()),
        low=low,
        high=high,
        spread=stdev(scores.values()) if len(scores) > 1 else None,
        steps=int(metrics[0]["steps"]) if metrics and "steps" in metrics[0] else None,
        seconds=fmean(seconds) if seconds else None,
        tokens=fmean(tokens) if tokens else None,
        teacher_seconds=_teacher_seconds(jobs[0], store) if jobs else None,
    )


def _exact_limits(low: float, high: float, rows: int) -> tuple[float, float]:
    """Where every answer is right, or none, nothing can be drawn that differs: then the exact limit for so many rows
    (Clopper and Pearson 1934, "The use of confidence or fiducial limits", Biometrika 26(4))."""
    if low == high == 1.0:
        return 0.025 ** (1 / rows), 1.0
    if low == high == 0.0:
        return 0.0, 1 - 0.025 ** (1 / rows)
    return low, high


def _teacher_seconds(training: JobView, store: Store) -> float | None:
    """What the teacher took for all that this training learned from. None where its jobs were cleared away, or found answers
    in the cache, which say nothing about their cost."""
    total = 0.0
    for view in _taught_by(training, store):
        try:
            job = store.job(view.job_id or "")
        except StudioError:
            return None
        if job.stage in ("teacher", "capture"):
            if job.seconds is None or job.result.get("metrics", {}).get("cached"):
                return None
            total += job.seconds
    return total


def _taught_by(training: JobView, store: Store) -> list[ArtifactView]:
    """The capture, and the dataset with all those before it that hold a teacher's answers."""
    found = []
    left = [str(training.params.get(name) or "") for name in ("data", "capture")]
    while left:
        view = store.find_artifact(left.pop())
        if view and (view.kind is not Kind.DATASET or view.facts.get("teacher")):
            found.append(view)
            parents = [store.find_artifact(id_) for id_ in view.parents] if view.kind is Kind.DATASET else []
            left += [parent.id for parent in parents if parent and parent.kind is Kind.DATASET]
    return found


def _differences(table: Table) -> list[Difference]:
    found = []
    for precision in dict.fromkeys(one.precision for one in table):
        for first, second in _COMPARED:
            pairs = _pairs(table, first, second, precision)
            if pairs:
                found.append(_difference(first, second, precision, pairs))
    return found


def _pairs(table: Table, first: str, second: str, precision: str) -> list[tuple[list[float], list[float]]]:
    """The rows of both, seed by seed; what was not trained is the same for every seed."""
    ones = {one.seed: rows for one, rows in table.items() if (one.variant, one.precision) == (first, precision)}
    others = {one.seed: rows for one, rows in table.items() if (one.variant, one.precision) == (second, precision)}
    if first in ("base", "teacher"):
        ones = dict.fromkeys(others, next(iter(ones.values()))) if ones else {}
    return [(ones[seed], others[seed]) for seed in sorted(ones.keys() & others.keys())]


def _difference(one: str, other: str, precision: str, pairs: list[tuple[list[float], list[float]]]) -> Difference:
    import numpy as np

    from backend.stats.bootstrap import bootstrap_interval

    values = np.array([first for first, _ in pairs]) - np.array([second for _, second in pairs])
    low, high = bootstrap_interval(values)
    sums = values.sum(axis=0)
    more, less = int((sums > 1e-9).sum()), int((sums < -1e-9).sum())
    sign = PairedCounts(both=0, only_first=more, only_second=less, neither=len(sums) - more - less)
    return Difference(
        one=one,
        other=other,
        precision=precision,
        mean=float(values.mean()),
        low=low,
        high=high,
        seeds=len(pairs),
        differ=more + less,
        p=sign.p,
    )
