"""The button in the teacher's form that asks an endpoint for five rows and shows what was sent and what came back."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from backend.core.messages.words import DROPS
from studio.ui.forms.form import Form
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import escape_markdown, message_markdown, money, number
from studio.ui.shared.i18n import _
from studio.ui.shared.tasks import background, drop, failure, task


def try_panel(form: Form) -> None:
    """Nothing for a local model: it is tried by a job with few rows."""
    if form.answerer == "model":
        return
    raw, gone = form.values()
    key = _key(form)
    going = task(key)
    busy = bool(going and not going.done)
    ready = bool(raw.get("endpoint") or (raw.get("endpoint_url") and raw.get("endpoint_model")))
    st.button(
        _("Try 5 rows"),
        key="try_rows",
        icon=":material/science:",
        disabled=busy or bool(gone) or not ready,
        help=_("Sends the first five rows now and shows prompts and answers. Costs five requests."),
        on_click=_try,
        args=(key, raw),
    )

    def look() -> bool:
        if going and not going.done:
            st.markdown(f":shimmer[{_('Sending five rows…')}]")
        return bool(going and not going.done)

    api_cache.auto_refresh(look, busy=busy)
    if going is None or not going.done:
        return
    if said := failure(going):
        st.error(message_markdown(said), icon=":material/error:")
        return
    asked, trial = going.result
    if asked != _mark(raw):
        st.caption(f":material/info: {_('The form has changed since; try again.')}")
    _show(trial)


def _show(trial: Any) -> None:
    usable = sum(not row.reject_reason for row in trial.rows)
    words = _("{usable} of {count} answers are usable. {tokens} tokens.")
    told = words.format(usable=usable, count=len(trial.rows), tokens=number(trial.tokens))
    cost = " " + _("Cost: {cost}.").format(cost=money(trial.usd)) if trial.usd else ""
    (st.success if usable == len(trial.rows) else st.warning)(escape_markdown(told + cost))
    for at, row in enumerate(trial.rows, 1):
        reason = _(DROPS[row.reject_reason]) if row.reject_reason else ""
        title = row.answer or reason[:1].upper() + reason[1:]
        icon = ":material/check:" if not row.reject_reason else ":material/block:"
        with st.expander(f"{at}. {escape_markdown(title[:60])}", icon=icon, expanded=at == 1):
            for label, text in (
                (_("Teacher prompt"), row.prompt),
                (_("Rationale"), row.rationale),
                (_("Reply"), row.reply),
            ):
                if text:
                    st.caption(label)
                    st.code(text, language=None, wrap_lines=True)


def _try(key: str, raw: dict[str, Any]) -> None:
    drop(key)
    studio = api_cache.studio()
    background(key, lambda: (_mark(raw), studio.try_teacher(raw)))


def _mark(raw: dict[str, Any]) -> str:
    return json.dumps(raw, sort_keys=True, default=str)


def _key(form: Form) -> str:
    return f"try_rows:{form.project}"
