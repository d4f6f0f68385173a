"""Who could be the teacher: models of the studio and saved endpoints as cards, with what is known of each."""

from __future__ import annotations

from typing import Any

import streamlit as st

from backend.api.metrics import headline
from backend.core.schemas import ArtifactView, Kind
from studio import nav
from studio.ui.models.card import latest_evaluation, lineage_text
from studio.ui.models.labels import ICONS, facts_line
from studio.ui.shared import api_cache, scope
from studio.ui.shared.address import page_link
from studio.ui.shared.formatting import escape_markdown, format_metric, kind_word
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project
from studio.ui.teacher import endpoints, form
from studio.ui.teacher.labels import result_text
from studio.ui.teacher.select_teacher import select_button

KINDS = (Kind.MODEL, Kind.ADAPTER, Kind.ONNX)
PAGE = 6


def catalogue() -> None:
    everything = api_cache.artifacts()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.header(_("Endpoints"), anchor=False, width="content")
        st.button(_("Add endpoint"), key="endpoint_add", icon=":material/add:", on_click=form.open_form)
    verdicts = latest_verdicts(everything)
    endpoints.endpoint_cards(verdicts)
    st.header(_("Local models"), anchor=False)
    _models(everything, verdicts)
    form.dialog()


def latest_verdicts(everything: list[ArtifactView]) -> dict[str, dict[str, Any]]:
    """Model id or `endpoint:<name>` -> its entry in the newest audition of this project that heard it."""
    found: dict[str, dict[str, Any]] = {}
    for view in everything:
        if view.kind is Kind.AUDITION and view.project == project().id:
            for one in view.facts["candidates"]:
                who = f"endpoint:{one['endpoint']}" if "endpoint" in one else one["model"]
                found.setdefault(who, {**one, "metric_name": view.facts["metric"]})
    return found


def _models(everything: list[ArtifactView], verdicts: dict[str, dict[str, Any]]) -> None:
    held, others = scope.split(sorted((view for view in everything if view.kind in KINDS), key=_size))
    if not held:
        with st.container(border=True, key="no_models"):
            st.markdown(_("No models yet. Import one, or fine-tune the built-in model on labelled rows."))
            for row in (nav.MODELS, nav.FINETUNE):
                page_link(row.path, label=_("Go to {page}").format(page=_(row.title)), icon=row.icon)
    known = {view.id: view for view in everything}

    def cards(views: list[ArtifactView], key: str) -> None:
        limit = st.session_state.setdefault(key, PAGE)
        with st.grid("auto", min_column_width=330, gap="small"):
            for view in views[:limit]:
                _card(view, known, verdicts.get(view.id))
        if len(views) > limit:
            st.button(_("Show more"), key=f"more_{key}", on_click=_more, args=(key,))

    cards(held, "teachers_shown")
    scope.from_other_projects("teachers", others, lambda: cards(others, "teachers_shown_others"))


def _size(view: ArtifactView) -> tuple[float, bool]:
    """Large models first, of equal ones those that give log-probabilities: these make the better teachers."""
    return -float(view.facts.get("parameters") or 0), view.kind is Kind.ONNX


def _more(key: str) -> None:
    st.session_state[key] += PAGE


def _card(view: ArtifactView, known: dict[str, ArtifactView], verdict: dict[str, Any] | None) -> None:
    with st.container(border=True, height="stretch", key=f"teacher_{view.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{escape_markdown(view.name)}**", width="content")
            icon, colour = ICONS[view.kind]
            st.badge(kind_word(view.kind), icon=icon, color=colour)
        st.caption(lineage_text(view, known))
        st.caption(facts_line(view))
        if view.kind is Kind.ONNX:
            st.caption(_("Runs locally, free. No probability capture."))
        else:
            st.caption(_("Runs locally, free, with log-probabilities."))
        evaluation = latest_evaluation(view, known)
        names = [name for name in [headline(evaluation.facts) if evaluation else ""] if name]
        if evaluation and names:
            label, value = format_metric(names[0], evaluation.facts[names[0]])
            st.markdown(_("Measured: {label} {value}").format(label=label, value=value))
        if verdict:
            st.markdown(result_text(verdict))
        st.space("stretch")
        select_button(view.name, {"model": view.id}, f"use_{view.id}")
