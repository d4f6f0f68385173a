"""Saved endpoints as cards: what they cost and can, a test, edit, delete."""

from __future__ import annotations

from typing import Any

import streamlit as st

from backend.core.endpoints import PRESETS, EndpointView
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import escape_markdown, message_markdown
from studio.ui.shared.i18n import _
from studio.ui.shared.tasks import background, drop, failure, task
from studio.ui.teacher import form
from studio.ui.teacher.key_field import where
from studio.ui.teacher.labels import (
    context_text,
    found_text,
    logprobs_text,
    preset_label,
    price_text,
    result_text,
    trial_text,
)
from studio.ui.teacher.select_teacher import select_button


def endpoint_cards(verdicts: dict[str, dict[str, Any]]) -> None:
    held = api_cache.endpoints()
    if not held:
        with st.container(border=True, key="no_endpoints"):
            st.markdown(_("No saved endpoints yet."))
            st.caption(
                _(
                    "A hosted model (Azure, OpenAI, DeepSeek…) or your own server (vLLM, Ollama, LM "
                    "Studio…) can be the teacher. The rows it answers are sent there."
                )
            )
        return
    with st.grid("auto", min_column_width=330, gap="small"):
        for endpoint in held:
            _card(endpoint, verdicts.get(f"endpoint:{endpoint.name}"))
    api_cache.auto_refresh(at_work, busy=at_work())


def at_work() -> bool:
    """Whether an endpoint is being tested."""
    going = [task(_key(each.name)) for each in api_cache.endpoints()]
    return any(each is not None and not each.done for each in going)


def _card(endpoint: EndpointView, verdict: dict[str, Any] | None) -> None:
    with st.container(border=True, height="stretch", key=f"endpoint_{endpoint.name}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{escape_markdown(endpoint.name)}**", width="content")
            st.badge(preset_label(endpoint.preset), icon=":material/cloud:", color="violet")
        st.caption(f"{escape_markdown(endpoint.model)} · `{endpoint.url.replace('`', '')}`")
        parts = [price_text(endpoint), logprobs_text(endpoint), context_text(endpoint), where(endpoint)]
        st.caption(escape_markdown(" · ".join(filter(None, parts))))
        _terms(endpoint)
        if verdict:
            st.markdown(result_text(verdict))
        _trial(endpoint)
        st.space("stretch")
        _actions(endpoint)


def _terms(endpoint: EndpointView) -> None:
    preset = PRESETS[endpoint.preset]
    link = f" [{_('Source')}]({preset.terms_url})" if preset.terms_url else ""
    if endpoint.forbids_distillation == "yes":
        words = escape_markdown(_("Marked as not allowing distillation."))
        st.markdown(f":red-badge[:material/gavel: {_('terms')}] {words}{link}")
    elif endpoint.forbids_distillation == "unknown":
        st.markdown(f":orange-badge[:material/gavel: {_('terms')}] {escape_markdown(_(preset.terms))}{link}")
    if endpoint.terms:
        st.caption(escape_markdown(endpoint.terms))


def _trial(endpoint: EndpointView) -> None:
    key = _key(endpoint.name)
    going = task(key)
    if going and not going.done:
        st.markdown(f":shimmer[{_('Sending a short question…')}]")
    elif said := failure(going):
        st.error(message_markdown(said), icon=":material/error:")
    else:
        if going:
            drop(key)
        st.caption(escape_markdown(trial_text(endpoint.trial)))
        if endpoint.trial and (found := found_text(endpoint.trial)):
            st.caption(escape_markdown(found))


def _actions(endpoint: EndpointView) -> None:
    name = endpoint.name
    going = task(_key(name))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        select_button(name, {"endpoint": name}, f"use_endpoint_{name}")
        st.button(
            _("Test endpoint"),
            key=f"test_endpoint_{name}",
            icon=":material/network_check:",
            disabled=bool(going and not going.done),
            help=_("Sends a short question to measure speed and find out what the endpoint supports."),
            on_click=_test,
            args=(name,),
        )
        st.button(_("Edit"), key=f"edit_endpoint_{name}", type="tertiary", on_click=form.open_form, args=(name,))
        st.button(
            _("Delete"),
            key=f"delete_endpoint_{name}",
            type="tertiary",
            on_click=api_cache.run_action,
            args=(lambda: api_cache.studio().delete_endpoint(name),),
        )


def _test(name: str) -> None:
    drop(_key(name))
    studio = api_cache.studio()
    background(_key(name), lambda: studio.test_endpoint(name))


def _key(name: str) -> str:
    return f"endpoint_test:{name}"
