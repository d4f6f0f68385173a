"""What of the measurements is looked at: benchmark, measure of quality, axis, and the two models that stand face to face."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from backend.api.metrics import costs, headline, higher_is_better
from backend.results.evaluations import (
    EvaluationView,
    benchmarks,
    measured_qualities,
    recommended,
    reference,
)
from studio.ui.compare.labels import axis_name, benchmark_label, names
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
    key = "cmp_benchmark"
    _follow(key, list(groups), next(iter(groups)))
    return st.selectbox(
        _("Benchmark"),
        list(groups),
        format_func=lambda each: labels.get(each, each),
        key=key,
        on_change=_by_hand,
        args=(key,),
        help=_("Only models that were asked the same rows can be compared."),
        filter_mode=None,
        width=340,
        persist_state="session",
    )


def _quality(group: list[EvaluationView]) -> str:
    options = measured_qualities(group)
    key = "cmp_quality"
    _follow(key, options, headline(options))
    return st.selectbox(
        _("Quality"),
        options,
        format_func=lambda each: format_metric(each, 0.0)[0],
        key=key,
        on_change=_by_hand,
        args=(key,),
        help=_("Perplexity: lower is better, and only models with the same tokenizer compare.")
        if "perplexity" in options
        else None,
        filter_mode=None,
        width=180,
        persist_state="session",
    )


def axis(choice: Selection, beside: DeltaGenerator) -> Selection:
    """What the chart shows: its cost, and, drawn into `beside`, its scale and whether untuned models are in it."""
    options = [name for name in costs() if any(name in one.metrics for one in choice.group)]
    _follow("cmp_x", options, options[0])
    x = st.segmented_control(
        _("X axis"),
        options,
        format_func=axis_name,
        key="cmp_x",
        on_change=_by_hand,
        args=("cmp_x",),
        required=True,
        wrap=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    choice = replace(choice, x=str(x or options[0]))
    values = [one.metrics[choice.x] for one in choice.drawn]
    _follow("cmp_log", [True, False], bool(values) and 0 < min(values) * WIDE < max(values))
    with beside:
        raw = bool(untuned(choice.group)) and st.toggle(_("Untuned models"), key="cmp_untuned", persist_state="session")
        log = st.toggle(_("Log scale"), key="cmp_log", on_change=_by_hand, args=("cmp_log",), persist_state="session")
    return replace(choice, log=log, untuned=raw)


def model_choice(label: str, choice: Selection, key: str, default: EvaluationView) -> EvaluationView:
    """One of the models; until somebody chooses, it follows `default` as new measurements arrive."""
    options = [one.id for one in choice.group]
    name = choice.names
    key = f"cmp_{key}_{choice.group[0].benchmark}"
    _follow(key, options, default.id)
    found = st.selectbox(
        label,
        options,
        format_func=lambda each: name.get(each, each),
        key=key,
        on_change=_by_hand,
        args=(key,),
        filter_mode=None,
        persist_state="session",
    )
    return next(one for one in choice.group if one.id == found)


def _follow(key: str, options: Sequence[object], default: object) -> None:
    if not st.session_state.get(f"{key}_by_hand") or st.session_state.get(key) not in options:
        st.session_state[key] = default


def _by_hand(key: str) -> None:
    st.session_state[f"{key}_by_hand"] = True
