"""The list of models, adapters, ONNX models and packages with its filters. Reads one list of artifacts; everything that is
shown is worked out from it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from backend.core.schemas import ArtifactView, Kind
from studio.nav import FINETUNE
from studio.ui.models import details, hub, import_models
from studio.ui.models.card import card
from studio.ui.serving import drawer as serving
from studio.ui.serving import state
from studio.ui.shared import address, api_cache, delete, scope, tasks
from studio.ui.shared.address import page_link
from studio.ui.shared.bulk import bulk_bar
from studio.ui.shared.formatting import kind_label
from studio.ui.shared.i18n import _

SHOWN = (Kind.MODEL, Kind.ADAPTER, Kind.ONNX, Kind.CAPTURE, Kind.PACKAGE)
PAGE = 12
ALL = "all"


def models_page() -> None:
    with api_cache.show_errors():
        everything = api_cache.artifacts()
        held, others = scope.split(view for view in everything if view.kind in SHOWN)
        st.title(_("Models"), anchor=False)
        st.caption(_("Models, adapters and packages of this project, ready to use or download."))
        import_models.import_box()
        hub.hub_box()
        import_models.builtins()
        if held:
            _list(_filtered(held), everything)
        elif not api_cache.missing_builtins():
            _nothing_yet()
        known = {view.id: view for view in everything}
        scope.from_other_projects("models", others, lambda: _cards(others, known, "models_shown_others"))
        _dialogs(everything)
        seen = _signature()
        api_cache.auto_refresh(lambda: _watch(seen), busy=tasks.at_work(_keys()))


def _filtered(held: list[ArtifactView]) -> list[ArtifactView]:
    """Draws the filters; returns what passes them."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="model_filters"):
        text = st.text_input(
            _("Search"),
            placeholder=_("Name or tag"),
            icon=":material/search:",
            persist_state="session",
            width=260,
            **address.bound("search", "", key="models_search"),
        )
    found = [view for view in held if _says(view, text)]
    counts = {ALL: len(found)} | {kind.value: sum(view.kind is kind for view in found) for kind in SHOWN}
    kind = st.segmented_control(
        _("Kind"),
        list(counts),
        format_func=lambda code: f"{_('All') if code == ALL else kind_label(code)} · {counts.get(code, 0)}",
        required=True,
        label_visibility="collapsed",
        persist_state="session",
        wrap=True,
        **address.bound("kind", ALL, counts, key="models_kind"),
    )
    return [view for view in found if kind in (ALL, view.kind.value)]


def _says(view: ArtifactView, text: str) -> bool:
    """Whether the text stands in its name or in one of its tags."""
    return any(text.casefold() in place.casefold() for place in (view.name, *view.tags))


def _list(found: list[ArtifactView], everything: list[ArtifactView]) -> None:
    if not found:
        with st.container(border=True, key="no_match"):
            st.markdown(_("Nothing matches these filters."))
            st.button(_("Show everything"), key="models_clear", on_click=_clear)
        return
    _cards(found, {view.id: view for view in everything}, "models_shown")


def _cards(found: list[ArtifactView], known: dict[str, ArtifactView], shown: str) -> None:
    limit = st.session_state.setdefault(shown, PAGE)
    choosing = st.toggle(_("Select several"), key=f"{shown}_choosing") if len(found) > 1 else False
    if choosing:
        names = {view.id: view.name for view in found if st.session_state.get(f"choose_{view.id}")}
        bulk_bar(shown, names, partial(_choose_none, list(names)))
    with st.grid("auto", min_column_width=400, gap="small"):
        for view in found[:limit]:
            card(view, known, choosing)
    if len(found) > limit:
        st.button(_("Show more"), key=f"{shown}_more", on_click=_more, args=(shown,))


def _choose_none(ids: list[str]) -> None:
    for id_ in ids:
        st.session_state[f"choose_{id_}"] = False


def _more(shown: str) -> None:
    st.session_state[shown] += PAGE


def _clear() -> None:
    address.write("kind", ALL, ALL)
    address.write("search", "")


def _nothing_yet() -> None:
    with st.container(border=True, key="nothing"):
        st.header(_("No models yet"), anchor=False)
        st.markdown(_("Import one above, or start a run that creates one."))
        page_link(FINETUNE.path, label=_("Fine-tune a model"), icon=FINETUNE.icon)


def _dialogs(everything: list[ArtifactView]) -> None:
    """At most one: the question before something is deleted, how a model is served, or the details that the address names."""
    known = {view.id: view for view in everything}
    wanted = known.get(st.query_params.get(details.PARAMETER, ""))
    doomed = known.get(st.session_state.get(delete.KEY, ""))
    served = known.get(st.session_state.get(state.KEY, ""))
    if doomed:
        delete.delete_dialog(doomed)
    elif served:
        serving.drawer(served)
    elif wanted:
        details.drawer(wanted, known)


def _keys() -> list[str]:
    return [*import_models.keys(), *hub.keys(), *details.keys()]


def _signature() -> tuple[object, ...]:
    return tuple(view.id for view in api_cache.artifacts()), *tasks.signature(_keys())


def _watch(seen: tuple[object, ...]) -> bool:
    """Draws nothing: the page is drawn again when something came, went or ended."""
    if _signature() != seen:
        st.rerun()
    return tasks.at_work(_keys())
