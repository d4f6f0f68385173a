"""Which rows of a dataset are good enough to learn: filters, confidence, near-duplicates, balance, and what people decided.

A row goes for the first reason that fits, in the order of `DROPS`. What people accepted stays whatever the rules say,
unless it is a row that measures.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from backend.core.messages.words import DROPS
from backend.data.dataset import Row, Template
from backend.data.filter_report import Drop
from backend.data.filters import FilterParams, RowFilter
from backend.data.near_duplicates import NearDuplicateIndex


@dataclass(frozen=True)
class RowDecision:
    """What a person said of a row: keep it, maybe with a better answer, or not."""

    accept: bool
    output: str | None = None


@dataclass
class CurationResult:
    """The rows that stay, in their order, and those that go."""

    kept: list[Row] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Reason -> rows, in the order of `DROPS`, only those that occur."""
        found = Counter(drop.reason for drop in self.drops)
        return {reason: found[reason] for reason in DROPS if found[reason]}


def curate(
    params: FilterParams,
    template: Template,
    rows: Sequence[Row],
    held_out: Iterable[Row] = (),
    decisions: Mapping[str, RowDecision] | None = None,
    seed: int = 0,
    tick: Callable[[], None] = lambda: None,
) -> CurationResult:
    """Apply the rules to `rows`. `held_out`: the rows that measure; `decisions`: what people said, by row id: rejected rows
    go, accepted ones stay and take the person's answer, but go when they are too close to `held_out`; `tick` is called per
    row. Raises StudioError when a pattern takes too long."""
    said = decisions or {}
    drops: dict[str, Drop] = {}
    rows = [_with_decision(row, said.get(row.id)) for row in rows]
    free = [row for row in rows if row.id not in said]
    for row in rows:
        if row.id in said and not said[row.id].accept:
            drops[row.id] = Drop(row, "rejected")
    row_filter = RowFilter(params, template, free)
    for row in free:
        tick()
        if reason := row_filter.of(row):
            drops[row.id] = Drop(row, reason)
    left = [row for row in rows if row.id not in drops]
    sure = {id_ for id_, decision in said.items() if decision.accept}
    for drop in _near_duplicates(params, template, left, list(held_out), sure, tick):
        drops[drop.row.id] = drop
    left = [row for row in left if row.id not in drops]
    for row in _over_class_limit(params, template, left, sure, seed):
        drops[row.id] = Drop(row, "balance")
    return CurationResult(
        [row for row in rows if row.id not in drops], [drops[row.id] for row in rows if row.id in drops]
    )


def _with_decision(row: Row, decision: RowDecision | None) -> Row:
    if decision is None or not decision.accept or decision.output is None:
        return row
    return row.model_copy(update={"output": decision.output, "gold": decision.output, "confidence": None})


def prompt_text(row: Row) -> str:
    """All that a model is given of a row, for comparing."""
    return "\n".join([*(message["content"] for message in row.context), row.input])


def _near_duplicates(
    params: FilterParams,
    template: Template,
    rows: Sequence[Row],
    held_out: Sequence[Row],
    sure: set[str],
    tick: Callable[[], None],
) -> list[Drop]:
    """Rows too like one that measures, or one that stays: what people accepted stays first, then what was surest."""
    texts = {row.id: prompt_text(row) for row in rows}
    measuring = NearDuplicateIndex(params.near_duplicates or 1.0, texts.values())
    for row in held_out if params.drop_leaks else ():
        measuring.add(row.id, prompt_text(row))
    staying = NearDuplicateIndex(params.near_duplicates or 1.0, texts.values())
    found = []
    for row in sorted(rows, key=lambda row: (row.id not in sure, -(1.0 if row.confidence is None else row.confidence))):
        tick()
        group = (row.output or "") if template.answer == "label" else ""
        if leak := measuring.find(texts[row.id]):
            found.append(Drop(row, "leak", leak[0]))
        elif row.id not in sure and params.near_duplicates and (near := staying.find(texts[row.id], group)):
            found.append(Drop(row, "near_duplicate", near[0]))
        else:
            staying.add(row.id, texts[row.id], group)
    return found


def _over_class_limit(
    params: FilterParams, template: Template, rows: Sequence[Row], sure: set[str], seed: int
) -> list[Row]:
    """Rows of classes that have more than they may, chosen by seed and content."""
    if template.answer != "label":
        return []
    classes: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        classes[row.output or ""].append(row)
    limits = [params.max_per_class] if params.max_per_class else []
    if params.balance == "median" and classes:
        limits.append(max(1, int(median(len(members) for members in classes.values()))))
    if not limits:
        return []
    gone: list[Row] = []
    for members in classes.values():
        ranked = sorted(members, key=lambda row: (row.id not in sure, _rank(seed, row)))
        gone += [row for row in ranked[min(limits) :] if row.id not in sure]
    return gone


def _rank(seed: int, row: Row) -> str:
    return hashlib.blake2b(f"{seed}\x1f{row.input}\x1f{row.id}".encode(), digest_size=16).hexdigest()
