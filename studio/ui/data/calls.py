"""What other parts of the back end offer to these pages, each in one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from backend.api.datasets import BaselineReport, Finding, ScoreCard
from backend.core import refs
from backend.core.schemas import ArtifactView, JobView, RunView
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import option_label
from studio.ui.shared.project import project

CHECK, CLEAN, BASELINE = "check_data", "clean_data", "baseline"
DROP_ROWS = "drop_rows"
"""The fix that needs to know which rows."""


@st.cache_resource(ttl="10m", max_entries=64, show_spinner=False)
def token_view(dataset: str, row_id: str, split: str, model: str) -> Any:
    """`pieces` (each with text, id, kind, loss), `prompt_tokens`, `answer_tokens`. Raises StudioError."""
    return api_cache.studio().token_view(dataset, row_id, split, model)


@st.cache_resource(ttl="10m", max_entries=32, show_spinner=False)
def token_lengths(dataset: str, model: str, split: str, max_length: int) -> Any:
    """`total` (with `edges`, `counts` and `percentiles`), `measured` of `rows`, `sampled`, and of the measured `truncated`
    and `dropped`. Raises StudioError."""
    return api_cache.studio().token_lengths(dataset, model, split, max_length)


def score_card(dataset: str) -> ScoreCard | None:
    return api_cache.studio().score_card(dataset)


def check_report(dataset: str) -> ArtifactView | None:
    """The newest check, which the score card is of."""
    return api_cache.studio().check_report(dataset)


def baseline(dataset: str) -> BaselineReport | None:
    return api_cache.studio().baseline(dataset)


def measure_baseline(dataset: str) -> RunView:
    """Raises StudioError, as for a dataset without validation rows."""
    return api_cache.studio().start_stage(BASELINE, {"data": dataset}, project().name)


def check_again(dataset: str, accepted: dict[str, str] | None = None) -> RunView:
    """`accepted`: finding -> the reason why it may stay. Raises StudioError."""
    params = {"data": dataset, "accepted": _reasons(accepted or {})}
    return api_cache.studio().start_stage(CHECK, params, project().name)


def _reasons(accepted: dict[str, str]) -> list[dict[str, str]]:
    return [{"gate": name, "reason": reason} for name, reason in accepted.items()]


def fix(dataset: str, findings: Sequence[Finding], accepted: dict[str, str]) -> RunView:
    """A new version of the dataset without those faults, which is checked at once; `accepted` as in `check_again`. Raises
    StudioError."""
    params: dict[str, Any] = {"data": dataset, "fixes": list(dict.fromkeys(finding.fix for finding in findings))}
    named = [finding.gate for finding in findings if finding.fix == DROP_ROWS]
    report = api_cache.studio().check_report(dataset)
    if named and report:
        params |= {"report": report.id, "gates": named}
    check = {"data": f"${{{CLEAN}}}", "accepted": _reasons(accepted)}
    return api_cache.studio().start_stages({CLEAN: params, CHECK: check}, project().name)


def fix_label(finding: Finding) -> str:
    """What the fix does, in a word or two."""
    return option_label(CLEAN, "fixes", finding.fix)


def jobs_on(dataset: str) -> list[JobView]:
    """The checks, fixes and baselines of this dataset that have not ended."""
    stages = (CHECK, CLEAN, BASELINE)
    return [job for job in api_cache.open_jobs() if job.stage in stages and _data_of(job) == dataset]


def _data_of(job: JobView) -> str:
    """The id of the dataset that a job reads; "" while an earlier job of its run is yet to make it."""
    data = str(job.params.get("data"))
    needed = refs.referenced_ids({"data": data})
    if not needed:
        return data
    made = {each.stage_id: each.result.get("artifact") for each in api_cache.one_run(job.run_id).jobs}
    return str(made.get(next(iter(needed))) or "")
