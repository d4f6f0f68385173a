"""A result in sentences and figures. Wins and losses are said alike; nothing is said that was not measured."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from backend.api.metrics import higher_is_better, metrics
from backend.core.schemas import JobView, RunView
from backend.results.evaluations import EvaluationView, metric_ratio
from backend.results.run_result import RunResult
from studio.ui.compare.labels import ALPHA, quality_text
from studio.ui.result.correct import correct_words
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import format_metric, money, number
from studio.ui.shared.i18n import _

COSTS = ("size_bytes", "latency_ms_p50", "peak_memory_bytes")
PER = 1000
_MUCH = 0.05
"""A share lost that is worth a warning, also where the rows are too few to be sure."""
_SAME = 1.05
"""Ratios nearer to 1 than this are called the same."""


@dataclass(frozen=True)
class Tile:
    """One figure of the page; `below`: what it is compared with."""

    label: str
    icon: str
    value: str
    below: str = ""


def headline(result: RunResult) -> str:
    """The gain in one sentence, or that a plain method does as well; empty where nothing was measured."""
    best = result.best
    if best is None:
        return ""
    if best.baseline and lost_to_baseline(result):
        return best.baseline.comparison.fact(_)
    return _gain(result, best)


def lost_to_baseline(result: RunResult) -> bool:
    """Whether a plain method without a language model answers as well or better; it is the first thing to be said then."""
    return bool(result.best and result.best.baseline and result.best.baseline.beaten is False)


def _gain(result: RunResult, best: EvaluationView) -> str:
    other = result.teacher or result.before
    value = format_metric(result.quality, best.metrics[result.quality])[1]
    measure = format_metric(result.quality, 0.0)[0]
    if other is None or result.quality not in other.metrics:
        words = _("{measure} {value} on {n} unseen rows.")
        return words.format(measure=measure, value=value, n=number(best.n))
    role = _("its teacher") if result.teacher else _("the same model before training")
    said = {
        "better": _("{measure} {value}: better than {role} ({other}), on {n} unseen rows."),
        "worse": _("{measure} {value}: worse than {role} ({other}), on {n} unseen rows."),
        "open": _("{measure} {value}, {role} {other}: no clear difference on {n} unseen rows."),
    }[verdict(result.quality, best, other)]
    there = format_metric(result.quality, other.metrics[result.quality])[1]
    return said.format(measure=measure, value=value, role=role, other=there, n=number(best.n))


def verdict(quality: str, one: EvaluationView, other: EvaluationView) -> str:
    """`better`, `worse` or `open`: by McNemar's test on equal rows where answers are right or wrong, else by whether the 95 %
    intervals lie apart; without either nothing is claimed."""
    better = (one.metrics[quality] > other.metrics[quality]) == higher_is_better(quality)
    if one.metrics[quality] == other.metrics[quality] or not _sure(quality, one, other):
        return "open"
    return "better" if better else "worse"


def _sure(quality: str, one: EvaluationView, other: EvaluationView) -> bool:
    if quality in ("accuracy", "exact_match"):
        return bool(api_cache.studio().answers(one.id, other.id).paired().p < ALPHA)
    mine, theirs = one.interval(quality), other.interval(quality)
    return bool(mine and theirs and (mine[0] > theirs[1] or theirs[0] > mine[1]))


def sentences(result: RunResult) -> list[str]:
    """What else is worth saying: the quick baseline, the costs against the teacher, what four bits took."""
    best = result.best
    if best is None:
        return []
    if lost_to_baseline(result):
        said = [_gain(result, best)]
    else:
        said = [best.baseline.comparison.sentence(_)] if best.baseline else []
    said = correct_words(result) + said
    if cheaper := _cheaper(result):
        said.append(cheaper)
    return said


def bits_words(result: RunResult) -> tuple[str, bool]:
    """(what four bits took, whether something should be done about it)."""
    if result.best is None or result.tuned is None or result.quality not in result.tuned.metrics:
        return "", False
    before = format_metric(result.quality, result.tuned.metrics[result.quality])[1]
    now = format_metric(result.quality, result.best.metrics[result.quality])[1]
    if verdict(result.quality, result.best, result.tuned) == "worse":
        words = _("INT4 lost quality: {before} before, {now} after. Quantize again with more bits.")
        return words.format(before=before, now=now), True
    if _lost_much(result.quality, result.best, result.tuned):
        words = _(
            "INT4 may have lost quality: {before} before, {now} after. Evaluate on more rows, or quantize with more bits."
        )
        return words.format(before=before, now=now), True
    return _("Before INT4 it was {value}.").format(value=before), False


def _lost_much(quality: str, now: EvaluationView, before: EvaluationView) -> bool:
    known = metrics().get(quality)
    shares = known is not None and known.unit == "share" and known.better == "higher"
    return shares and before.metrics[quality] - now.metrics[quality] > _MUCH


def _cheaper(result: RunResult) -> str:
    other = result.teacher or result.tuned
    best = result.best
    assert best
    if other is None:
        return ""
    parts = []
    for metric, smaller, larger in (
        ("size_bytes", _("{n}× smaller"), _("{n}× larger")),
        ("latency_ms_p50", _("{n}× faster"), _("{n}× slower")),
        ("peak_memory_bytes", _("{n}× less memory"), _("{n}× more memory")),
    ):
        ratio = metric_ratio(best, other, metric) or 0.0
        if ratio and ratio * _SAME < 1:
            parts.append(smaller.format(n=number(round(1 / ratio, 1))))
        elif ratio > _SAME:
            parts.append(larger.format(n=number(round(ratio, 1))))
    role = _("Against its teacher: {parts}.") if result.teacher else _("Against the model before INT4: {parts}.")
    return role.format(parts=", ".join(parts)) if parts else ""


def tiles(run: RunView, result: RunResult) -> list[Tile]:
    best, other = result.best, result.teacher or result.before
    if best is None:
        return []
    icons = (":material/hard_drive:", ":material/speed:", ":material/memory:")
    interval = best.interval(result.quality)
    between = " – ".join(format_metric(result.quality, each)[1] for each in interval) if interval else ""
    found = [
        Tile(
            format_metric(result.quality, 0.0)[0],
            ":material/verified:",
            format_metric(result.quality, best.metrics[result.quality])[1],
            _("95% CI {between}").format(between=between) if between else "",
        )
    ]
    for metric, icon in zip(COSTS, icons, strict=True):
        if metric in best.metrics:
            there = format_metric(metric, other.metrics[metric])[1] if other and metric in other.metrics else ""
            words = _("teacher: {value}") if result.teacher else _("before: {value}")
            label, value = format_metric(metric, best.metrics[metric])
            found.append(Tile(label, icon, value, words.format(value=there) if there else ""))
    paid = teacher_price(run)
    if paid is not None:
        words = _("teacher: {value}").format(value=money(paid))
        found.append(Tile(_("Fees per 1,000 answers"), ":material/payments:", money(0), words))
    return found


def teacher_price(run: RunView) -> float | None:
    """USD that an endpoint took for 1,000 answers in this run; None where no endpoint was paid."""
    for job in run.jobs:
        metrics: dict[str, float] = job.result.get("metrics", {})
        asked = metrics.get("asked") if job.stage == "teacher" else None
        if asked and metrics.get("spent_usd"):
            return PER * metrics["spent_usd"] / asked
    return None


def roles(result: RunResult) -> list[tuple[str, EvaluationView]]:
    """(what it is here, the evaluation), each once, the recommended model first."""
    named = [
        (_("Your model"), result.best),
        (_("Teacher"), result.teacher),
        (_("Before INT4"), result.tuned),
        (_("Before training"), result.before),
    ]
    if bits_words(result)[1]:
        named[0] = ("INT4", result.best)
        named.insert(0, (_("Your model before INT4"), named.pop(2)[1]))
    found = [(role, one) for role, one in named if one]
    there = {one.id for _role, one in found}
    others = sorted(
        (one for one in result.group if one.id not in there), key=lambda one: one.metrics.get("size_bytes", inf)
    )
    return [*found, *((_("Also measured"), one) for one in others)]


def quality_cell(one: EvaluationView, quality: str) -> str:
    return quality_text(one, quality) if quality in one.metrics else "–"


def missing_words(result: RunResult, run: RunView) -> list[str]:
    """What the run has not given, as sentences."""
    if not run.state.ended:
        return []
    words = {
        "model": _("No model was made."),
        "measured": _("Nothing was measured."),
        "package": _("No package to download."),
    }
    return [words[name] for name in result.missing]


def work_seconds(jobs: list[JobView]) -> float:
    return sum(job.seconds or 0.0 for job in jobs)
