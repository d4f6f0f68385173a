"""What other parts of the back end offer to these pages, each in one place."""

from __future__ import annotations

from typing import Any

import streamlit as st

from backend.api.datasets import ScoreCard
from backend.core.schemas import JobView, RunView
from studio.ui.shared import api_cache
from studio.ui.shared.project import project

CHECK, CLEAN = "check_data", "clean_data"


def offered(name: str) -> bool:
    """Whether this studio can do it."""
    return hasattr(api_cache.studio(), name)


@st.cache_resource(ttl="10m", max_entries=64, show_spinner=False)
def token_view(dataset: str, row_id: str, split: str, model: str) -> Any:
    """`pieces` (each with text, id, kind, loss), `prompt_tokens`, `answer_tokens`. Raises StudioError."""
    return api_cache.studio().token_view(dataset, row_id, split, model)  # type: ignore[attr-defined]


@st.cache_resource(ttl="10m", max_entries=32, show_spinner=False)
def token_lengths(dataset: str, model: str, split: str, max_length: int) -> Any:
    """`edges` and `counts` of the histogram, `percentiles`, `truncated`, `dropped`, `sampled`. Raises StudioError."""
    return api_cache.studio().token_lengths(dataset, model, split, max_length)  # type: ignore[attr-defined]


def score_card(dataset: str) -> ScoreCard | None:
    return api_cache.studio().score_card(dataset)


def check_again(dataset: str, accepted: dict[str, str] | None = None) -> RunView:
    """`accepted`: finding -> the reason why it may stay. Raises StudioError."""
    params = {"data": dataset, "accepted": accepted or {}}
    return api_cache.studio().start_stage(CHECK, params, project().name)


def fix(dataset: str, name: str) -> RunView:
    """A new version of the dataset without that fault. Raises StudioError."""
    return api_cache.studio().start_stage(CLEAN, {"data": dataset, "fixes": [name]}, project().name)


def jobs_on(dataset: str) -> list[JobView]:
    """The checks and fixes of this dataset that have not ended."""
    stages = (CHECK, CLEAN)
    return [job for job in api_cache.open_jobs() if job.stage in stages and job.params.get("data") == dataset]
