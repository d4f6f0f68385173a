"""One artifact of the list: what it is, what it was made from, how good it is, and what can be done with it."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from backend.api.metrics import headline
from backend.core.schemas import ArtifactView, Kind
from studio.nav import PLAYGROUND
from studio.ui.models import details
from studio.ui.models.labels import ICONS, facts_line
from studio.ui.serving import drawer as serving
from studio.ui.serving.state import servers
from studio.ui.shared import delete
from studio.ui.shared.address import page_link
from studio.ui.shared.formatting import escape_markdown, format_metric, kind_word
from studio.ui.shared.i18n import _
from studio.ui.shared.tags import tag_badges
from studio.ui.shared.upload import download_link

_LINE = (Kind.MODEL, Kind.ADAPTER, Kind.ONNX)


def card(view: ArtifactView, known: dict[str, ArtifactView], choosing: bool = False) -> None:
    """`known`: all artifacts by id, to find ancestors and evaluations in; `choosing`: with a box to select it."""
    with st.container(border=True, height="stretch", key=f"model_{view.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if choosing:
                label = _("Select {name}").format(name=escape_markdown(view.name))
                st.checkbox(label, key=f"choose_{view.id}", label_visibility="collapsed")
            st.markdown(f"**{escape_markdown(view.name)}**", width="content")
            icon, colour = ICONS[view.kind]
            st.badge(kind_word(view.kind), icon=icon, color=colour)
            if view.kind is Kind.PACKAGE and view.facts.get("version"):
                st.badge(escape_markdown(view.facts["version"]), color="gray")
            if view.problems:
                st.badge(_("unusable"), icon=":material/error:", color="red", help=view.problems[0].sentence(_))
            tag_badges(view.tags)
        st.caption(lineage_text(view, known))
        st.caption(facts_line(view))
        evaluation = latest_evaluation(view, known)
        if evaluation:
            _figures(evaluation)
        st.space("stretch")
        _actions(view)


def _actions(view: ArtifactView) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"actions_{view.id}"):
        if view.kind in _LINE:
            page_link(
                PLAYGROUND.path,
                label=_("Chat"),
                icon=":material/forum:",
                query_params={"models": view.id},
                width="content",
            )
            served = (servers() or {}).get(view.id)
            ready = served if served and served.state == "ready" else None
            st.button(
                _("Serving on port {port}").format(port=urlsplit(ready.url).port) if ready else _("Serve"),
                key=f"serve_{view.id}",
                icon=":material/cell_tower:" if ready else ":material/api:",
                on_click=serving.open_drawer,
                args=(view.id,),
                type="tertiary",
            )
        st.button(
            _("Details"),
            key=f"details_{view.id}",
            icon=":material/info:",
            on_click=details.open_drawer,
            args=(view.id,),
            type="tertiary",
        )
        download_link(view, _("Download"), plain=True)
        st.button(
            _("Delete"),
            key=f"delete_{view.id}",
            icon=":material/delete:",
            on_click=delete.open_dialog,
            args=(view.id,),
            type="tertiary",
        )


def model_lineage(view: ArtifactView, known: dict[str, ArtifactView]) -> list[ArtifactView]:
    """From the first model that it goes back to, down to itself."""
    found = [view]
    while True:
        parent = next((known[id_] for id_ in found[0].parents if id_ in known and known[id_].kind in _LINE), None)
        if parent is None:
            return found
        found.insert(0, parent)


def lineage_text(view: ArtifactView, known: dict[str, ArtifactView]) -> str:
    """`smollm2 → teacher → student-int4`."""
    found = model_lineage(view, known)
    if len(found) > 1:
        return " → ".join(escape_markdown(each.name) for each in found)
    return _("No parent model")


def latest_evaluation(view: ArtifactView, known: dict[str, ArtifactView]) -> ArtifactView | None:
    """`known` is ordered newest first."""
    return next(
        (each for each in known.values() if each.kind is Kind.EVALUATION and each.facts.get("model") == view.id), None
    )


def _figures(evaluation: ArtifactView) -> None:
    """Of those that were measured."""
    with st.container(horizontal=True, gap="large"):
        for name in (headline(evaluation.facts), "decode_tokens_per_s"):
            if name in evaluation.facts:
                st.metric(*format_metric(name, evaluation.facts[name]), width="content")
