"""One artifact of the list: what it is, what it was made from, how good it is, and what can be done with it."""

from __future__ import annotations

import streamlit as st
from babel.numbers import format_decimal

from backend.schemas import ArtifactView, Kind
from studio.nav import PLAYGROUND
from studio.ui import source
from studio.ui.i18n import _, lang
from studio.ui.models import delete, details
from studio.ui.project import project_words
from studio.ui.upload import download_link
from studio.ui.words import Colour, ago, escaped, metric_words, size

ICONS: dict[Kind, tuple[str, Colour]] = {
    Kind.MODEL: (":material/deployed_code:", "blue"),
    Kind.ADAPTER: (":material/extension:", "orange"),
    Kind.ONNX: (":material/bolt:", "green"),
    Kind.PACKAGE: (":material/package_2:", "gray"),
}
_LINE = (Kind.MODEL, Kind.ADAPTER, Kind.ONNX)
_FIGURES = ("accuracy", "token_f1", "decode_tokens_per_s")


def card(view: ArtifactView, known: dict[str, ArtifactView]) -> None:
    """`known`: all artifacts by id, to find ancestors and evaluations in."""
    with st.container(border=True, height="stretch", key=f"model_{view.id}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{escaped(view.name)}**", width="content")
            kind_badge(view.kind)
        st.caption(path_words(view, known))
        st.caption(facts_line(view))
        evaluation = latest_evaluation(view, known)
        if evaluation:
            st.markdown(figures_line(evaluation))
        st.space("stretch")
        _actions(view)


def kind_badge(kind: Kind) -> None:
    icon, colour = ICONS[kind]
    words = {
        Kind.MODEL: _("Model"),
        Kind.ADAPTER: _("Adapter"),
        Kind.ONNX: _("ONNX model"),
        Kind.PACKAGE: _("Package"),
    }
    st.badge(words[kind], icon=icon, color=colour)


def _actions(view: ArtifactView) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"actions_{view.id}"):
        if view.kind in _LINE:
            st.page_link(
                PLAYGROUND.path,
                label=_("Chat"),
                icon=":material/forum:",
                query_params={"models": view.id},
                width="content",
            )
        st.button(
            _("Details"), key=f"details_{view.id}", icon=":material/info:", on_click=details.open_, args=(view.id,)
        )
        download_link(view, _("Download"))
        st.button(
            _("Delete"), key=f"delete_{view.id}", icon=":material/delete:", on_click=delete.begin, args=(view.id,)
        )


def line(view: ArtifactView, known: dict[str, ArtifactView]) -> list[ArtifactView]:
    """From the first model that it goes back to, down to itself."""
    found = [view]
    while True:
        parent = next((known[id_] for id_ in found[0].parents if id_ in known and known[id_].kind in _LINE), None)
        if parent is None:
            return found
        found.insert(0, parent)


def path_words(view: ArtifactView, known: dict[str, ArtifactView]) -> str:
    """`smollm2 → teacher → student-int4`."""
    found = line(view, known)
    if len(found) > 1:
        return " → ".join(escaped(each.name) for each in found)
    return _("Not made from another model")


def facts_line(view: ArtifactView) -> str:
    """`92.4 MB · 134.5 M parameters · INT4 · Apache-2.0 · 3 hours ago · First project`."""
    parts = [size(view.size_bytes)]
    if view.facts.get("parameters"):
        parts.append(_("{count} parameters").format(count=millions(view.facts["parameters"])))
    if view.facts.get("precision"):
        parts.append(str(view.facts["precision"]).upper())
    parts += [escaped(view.license or _("license unknown")), ago(view.created)]
    parts += [escaped(project_words(each)) for each in source.projects() if each.id == view.project]
    return " · ".join(parts)


def latest_evaluation(view: ArtifactView, known: dict[str, ArtifactView]) -> ArtifactView | None:
    """`known` is ordered newest first."""
    return next(
        (each for each in known.values() if each.kind is Kind.EVALUATION and each.facts.get("model") == view.id), None
    )


def figures_line(evaluation: ArtifactView) -> str:
    """`**93.1 %** accuracy · **96.4** tokens per second`, of those that were measured."""
    shown = [metric_words(name, evaluation.facts[name]) for name in _FIGURES if name in evaluation.facts]
    return " · ".join(f"**{value}** {label}" for label, value in shown)


def millions(count: float) -> str:
    """`134515008` -> `134.5 M`."""
    return f"{format_decimal(count / 1e6, '#,##0.0', locale=lang())} M"
