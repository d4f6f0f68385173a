"""What of the measurements is looked at: benchmark, measure of quality, axis, and the two models that stand face to face."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from backend.api.metrics import costs, higher_is_better
from backend.results.evaluations import (
    EvaluationView,
    benchmarks,
    measured_qualities,
    recommended,
    reference,
)
from studio.ui.compare.labels import axis_name, benchmark_label, names
from studio.ui.shared import address
from studio.ui.shared.formatting import format_metric
from studio.ui.shared.i18n import _

WIDE = 8
"""A chart whose largest cost is more than this many times the smallest begins with a logarithmic scale."""


@dataclass(frozen=True)
class Selection:
    """`group`: the models of one benchmark, best first by `quality`; `drawn`: those that the chart shows, over the cost `x`;
    `picked` stands face to face with `against`."""

    group: list[EvaluationView]
    quality: str
    against: EvaluationView
    picked: EvaluationView
    x: str = costs()[0]
    log: bool = False
    untuned: bool = False

    @property
    def drawn(self) -> list[EvaluationView]:
        hidden = set() if self.untuned else {one.id for one in untuned(self.group)}
        return [one for one in self.group if one.id not in hidden and {self.x, self.quality} <= one.metrics.keys()]

    @property
    def names(self) -> dict[str, str]:
        return names(self.group)


def untuned(group: list[EvaluationView]) -> list[EvaluationView]:
    """Models as they were imported or cut, in whatever precision, where there are others: far below, they would press the
    rest of a chart together."""
    raw = [one for one in group if _come_from(one) in ("imported", "pruned")]
    return raw if len(raw) < len(group) else []


def _come_from(one: EvaluationView) -> str:
    """How a model was made, apart from its precision; "" for unknown."""
    return next((each.how for each in reversed(one.origins) if each.how != "quantized"), "")


def controls(found: list[EvaluationView]) -> Selection:
    """Benchmark and quality, below the title. There is at least one benchmark."""
    groups = benchmarks(found)
    with st.container(horizontal=True, key="cmp_controls"):
        group = groups[_benchmark(groups)]
        quality = _quality(group)
    group = sorted(group, key=lambda one: _rank(one, quality))
    against = reference(group)
    return Selection(group, quality, against, recommended(group, against, quality))


def _rank(one: EvaluationView, quality: str) -> tuple[bool, float]:
    value = one.metrics.get(quality, 0.0)
    return quality not in one.metrics, -value if higher_is_better(quality) else value


def _benchmark(groups: dict[str, list[EvaluationView]]) -> str:
    labels = {key: benchmark_label(group) for key, group in groups.items()}
    seen: Counter[str] = Counter()
    for key, label in reversed(list(labels.items())):
        seen[label] += 1
        labels[key] = label if seen[label] == 1 else f"{label} ({seen[label]})"
    chosen = st.selectbox(
        _("Benchmark"),
        list(groups),
        format_func=lambda each: labels.get(each, each),
        **address.bound("benchmark", next(iter(groups)), groups, key="cmp_benchmark"),
        help=_("Only models evaluated on the same rows can be compared."),
        filter_mode=None,
        width=340,
        persist_state="session",
    )
    return str(chosen)


def _quality(group: list[EvaluationView]) -> str:
    options = measured_qualities(group)
    chosen = st.selectbox(
        _("Quality"),
        options,
        format_func=lambda each: format_metric(each, 0.0)[0],
        **address.bound("quality", next(iter(options), ""), options, key="cmp_quality"),
        help=_("Perplexity: lower is better. Comparable only between models with the same tokenizer.")
        if "perplexity" in options
        else None,
        filter_mode=None,
        width=180,
        persist_state="session",
    )
    return str(chosen)


def axis(choice: Selection, beside: DeltaGenerator) -> Selection:
    """What the chart shows: its cost, and, drawn into `beside`, its scale and whether untuned models are in it."""
    options = [name for name in costs() if any(name in one.metrics for one in choice.group)]
    x = st.segmented_control(
        _("X axis"),
        options,
        format_func=axis_name,
        **address.bound("x", options[0], options, key="cmp_x"),
        required=True,
        wrap=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    choice = replace(choice, x=str(x or options[0]))
    values = [one.metrics[choice.x] for one in choice.drawn]
    wide = bool(values) and 0 < min(values) * WIDE < max(values)
    with beside:
        raw = bool(untuned(choice.group)) and st.toggle(
            _("Untuned models"), persist_state="session", **address.bound_switch("untuned", False, "cmp_untuned")
        )
        log = st.toggle(_("Log scale"), persist_state="session", **address.bound_switch("log", wide, "cmp_log"))
    return replace(choice, log=log, untuned=raw)


def model_choice(label: str, choice: Selection, key: str, default: EvaluationView) -> EvaluationView:
    """One of the models; until somebody chooses, it follows `default` as new measurements arrive."""
    options = [one.id for one in choice.group]
    name = choice.names
    found = st.selectbox(
        label,
        options,
        format_func=lambda each: name.get(each, each),
        filter_mode=None,
        persist_state="session",
        **address.bound(key, default.id, options, key=f"cmp_{key}_{choice.group[0].benchmark}"),
    )
    return next(one for one in choice.group if one.id == found)
