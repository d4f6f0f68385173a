"""The part of a model's drawer where its chat template and end of turn are edited: tried first, then kept as a new model."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from backend.api.imports import ConversationEdit, families
from backend.core.schemas import ArtifactView
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import escape_markdown, message_markdown
from studio.ui.shared.i18n import _
from studio.ui.shared.tasks import background, drop, failure, task


def keys(artifact_id: str) -> list[str]:
    """Of what goes on in the background here."""
    return [_key("try", artifact_id), _key("keep", artifact_id)]


def conversation_form(view: ArtifactView) -> None:
    """Nothing for what carries the conversation of the model that it was made from."""
    studio = api_cache.studio()
    if not studio.can_edit_conversation(view):
        return
    with st.expander(_("Chat template and end of turn"), icon=":material/forum:"):
        names = {"": _("Own template")} | {each.name: each.title for each in families()}
        family = st.selectbox(_("Family"), list(names), format_func=lambda name: names[name], key=f"family_{view.id}")
        if not family:
            st.text_area(
                _("Chat template"),
                studio.template_of(view.id),
                key=f"template_{view.id}",
                max_chars=200_000,
                height=240,
            )
            end = view.facts.get("trial", {}).get("end", "")
            st.text_input(_("End of turn"), end, key=f"end_{view.id}", max_chars=200)
        st.button(_("Try"), key=f"try_{view.id}", on_click=_try, args=(view.id,), icon=":material/play_arrow:")
        _result(view.id)


def _result(artifact_id: str) -> None:
    going = task(_key("try", artifact_id))
    if going is None:
        return
    if not going.done:
        st.markdown(f":shimmer[{_('Trying the template…')}]")
        return
    if said := failure(going):
        st.error(message_markdown(said), icon=":material/error:")
        return
    edit, (trial, told) = going.result
    st.code(trial["prompt"] + trial.get("answer", ""), language=None, wrap_lines=True)
    st.caption(_("End of turn: {token}").format(token=f"`{trial['end']}`"))
    for each in told:
        st.caption(message_markdown(each.fact(_)))
    kept = task(_key("keep", artifact_id))
    if said := failure(kept):
        st.error(message_markdown(said), icon=":material/error:")
    elif kept and kept.done:
        st.success(_("Kept as {name}.").format(name=f"**{escape_markdown(kept.result.name)}**"))
    else:
        st.button(
            _("Keep as a new model"),
            key=f"keep_{artifact_id}",
            type="primary",
            disabled=kept is not None,
            on_click=_keep,
            args=(artifact_id, edit),
        )


def _try(artifact_id: str) -> None:
    for key in keys(artifact_id):
        drop(key)
    state = st.session_state
    if family := state[f"family_{artifact_id}"]:
        edit = ConversationEdit(family=family)
    else:
        template, end = state[f"template_{artifact_id}"], state[f"end_{artifact_id}"].strip()
        edit = ConversationEdit(template=template, end=end)
    studio = api_cache.studio()
    background(_key("try", artifact_id), partial(_tried, studio, artifact_id, edit))


def _tried(studio: Any, artifact_id: str, edit: ConversationEdit) -> tuple[ConversationEdit, Any]:
    return edit, studio.try_conversation(artifact_id, edit)


def _keep(artifact_id: str, edit: ConversationEdit) -> None:
    studio = api_cache.studio()
    background(_key("keep", artifact_id), lambda: studio.keep_conversation(artifact_id, edit))


def _key(what: str, artifact_id: str) -> str:
    return f"{what}_conversation_{artifact_id}"
