"""What a session sets before it asks: models, sampling, system prompt; and its conversations."""

from __future__ import annotations

import json
from datetime import date

import streamlit as st

from backend.data.dataset import Template
from backend.inference.protocol import Sampling
from studio.ui.forms.pickers import OTHERS, disambiguate, label
from studio.ui.playground import answer_form
from studio.ui.playground.chats import Chat, ChatSettings
from studio.ui.playground.lineage import models, template_of
from studio.ui.playground.shared import chats
from studio.ui.playground.url_state import UrlState, navigate
from studio.ui.shared import scope
from studio.ui.shared.formatting import ago, escape_markdown
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project

NONE = ""
_OTHERS_SHOWN = "pg_others_shown"
OWN, COMMON = "own", "common"
RECENT = 10
_DEFAULTS = {"pg_temperature": 0.0, "pg_top_p": 1.0, "pg_longest": 256, "pg_seed": 0, "pg_mode": OWN, "pg_system": ""}


def model_picker(here: UrlState, at: int) -> None:
    """The box that chooses model `at`; another choice begins another conversation."""
    held = models()
    beside = here.models[1 - at] if len(here.models) > 1 - at else None
    mine = here.models[at] if len(here.models) > at else NONE
    own, others = scope.split(held.values())
    shown = [*own, *others] if st.session_state.get(_OTHERS_SHOWN) else own
    options = ([] if at == 0 else [NONE]) + [view.id for view in shown if view.id != beside]
    if mine not in options:
        options.append(mine)
    if len(shown) == len(own) and others:
        options.append(OTHERS)
    st.session_state[f"pg_model_{at}"] = mine
    st.selectbox(
        _("First model") if at == 0 else _("Second model"),
        options,
        format_func=_option,
        key=f"pg_model_{at}",
        on_change=_choose,
        placeholder=_("Model"),
        filter_mode="contains",
    )


def name_of(model: str) -> str:
    view = models().get(model)
    return view.name if view else _("deleted model")


def _option(model: str) -> str:
    view = models().get(model)
    if model == OTHERS:
        return _("From other projects…")
    if model == NONE:
        return _("No second model")
    return disambiguate({view.id: label(view) for view in models().values()})[model] if view else _("deleted model")


def _choose() -> None:
    if OTHERS in (st.session_state.get("pg_model_0"), st.session_state.get("pg_model_1")):
        st.session_state[_OTHERS_SHOWN] = True
        return
    navigate([chosen for at in (0, 1) if (chosen := st.session_state[f"pg_model_{at}"])])


def restore_settings(here: UrlState) -> None:
    """Give the widgets their first values: those that the conversation was last asked with, else the usual ones."""
    known = st.session_state.get("pg_adopted")
    setup = here.chat.setup if here.chat else None
    for key, value in (_DEFAULTS | answer_form.DEFAULTS).items():
        st.session_state.setdefault(key, value)
    st.session_state.setdefault(_history_key(here), not _single(here))
    if here.chat and setup and known != here.chat.id:
        st.session_state["pg_adopted"] = here.chat.id
        st.session_state["pg_temperature"] = setup.sampling.temperature
        st.session_state["pg_top_p"] = setup.sampling.top_p
        st.session_state["pg_longest"] = setup.sampling.max_new_tokens
        st.session_state["pg_seed"] = setup.sampling.seed
        answer_form.restore(setup.sampling.constraint)
        st.session_state["pg_mode"] = OWN if setup.system is None else COMMON
        st.session_state["pg_system"] = setup.system or ""
        st.session_state[_history_key(here)] = setup.history


def chat_settings(here: UrlState) -> ChatSettings:
    """What the widgets say now."""
    state = st.session_state
    return ChatSettings(
        Sampling(
            temperature=state["pg_temperature"],
            top_p=state["pg_top_p"],
            max_new_tokens=state["pg_longest"],
            seed=state["pg_seed"] or 0,
            constraint=answer_form.constraint(),
        ),
        system=state["pg_system"] if state["pg_mode"] == COMMON else None,
        history=state[_history_key(here)],
    )


def sampling_box(here: UrlState) -> None:
    with st.popover(_("Sampling"), icon=":material/tune:", key="pg_sampling"):
        st.slider(
            _("Temperature"),
            0.0,
            2.0,
            step=0.05,
            key="pg_temperature",
            on_change="ignore",
            persist_state="session",
            help=_("0 always picks the most likely token, as evaluations do; higher values vary more."),
        )
        st.slider(
            _("Top-p"),
            0.05,
            1.0,
            step=0.05,
            key="pg_top_p",
            on_change="ignore",
            persist_state="session",
            help=_(
                "Samples only from the most likely tokens up to this total probability. Needs a temperature above 0."
            ),
        )
        _length_and_seed()
        st.toggle(
            _("Include conversation history"),
            key=_history_key(here),
            on_change="ignore",
            persist_state="session",
            help=_("Models trained on single questions with fixed labels answer best without it."),
        )


def _length_and_seed() -> None:
    st.slider(
        _("Maximum answer length (tokens)"),
        16,
        2048,
        step=16,
        key="pg_longest",
        on_change="ignore",
        persist_state="session",
    )
    st.slider(
        _("Seed"),
        0,
        99,
        key="pg_seed",
        on_change="ignore",
        persist_state="session",
        help=_("The same seed gives the same answer; Regenerate uses the next seed."),
    )


def system_box(here: UrlState) -> None:
    with st.popover(_("System prompt"), icon=":material/description:", key="pg_system_box"):
        mode = st.segmented_control(
            _("System prompt"),
            [OWN, COMMON],
            format_func=lambda code: {OWN: _("Each model's own"), COMMON: _("One for all")}[code],
            key="pg_mode",
            required=True,
            on_change=_prefill,
            args=(here,),
            persist_state="session",
            wrap=True,
        )
        if mode == COMMON:
            # In a form, since the box alone would ask for Ctrl+Enter, and in English.
            with st.form("pg_system_form", border=False, enter_to_submit=False):
                st.text_area(
                    _("System prompt for all models"),
                    key="pg_system",
                    height=160,
                    persist_state="session",
                    placeholder=_("You are a helpful assistant."),
                )
                st.form_submit_button(_("Apply"), key="pg_system_apply")
            return
        for model in here.models:
            st.caption(escape_markdown(name_of(model)))
            system = template_of(model).system
            if system:
                st.text(system)
            else:
                st.markdown(f":gray[{_('Trained without one.')}]")


def conversations_box(here: UrlState) -> None:
    box = st.popover(_("Conversations"), icon=":material/history:", key="pg_chats", on_change="rerun")
    if not box.open:
        return
    with box:
        st.button(
            _("New conversation"),
            key="pg_new",
            icon=":material/add:",
            width="stretch",
            on_click=navigate,
            args=(here.models,),
        )
        if here.chat and here.chat.turns:
            st.download_button(
                _("Export as JSON"),
                _exporter(here.chat),
                f"conversation-{date.today().isoformat()}-{here.chat.id}.json",
                "application/json",
                key="pg_export",
                icon=":material/download:",
                on_click="ignore",
                width="stretch",
            )
        for chat in chats().of(project().id)[:RECENT]:
            current = here.chat is not None and chat.id == here.chat.id
            st.button(
                f"{_short(chat.turns[0].input)} · {ago(chat.created)}",
                key=f"pg_open_{chat.id}",
                type="tertiary",
                icon=":material/chat_bubble:",
                disabled=current,
                on_click=navigate,
                args=(chat.models, chat),
            )
        st.caption(_("Keeps the last 50 conversations while the studio is running."))


def _exporter(chat: Chat):  # type: ignore[no-untyped-def]
    return lambda: json.dumps(chat.export(), ensure_ascii=False, indent=1)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return escape_markdown(line if len(line) <= 40 else f"{line[:39]}…")


def _prefill(here: UrlState) -> None:
    if not st.session_state["pg_system"]:
        systems: list[Template] = [template_of(model) for model in here.models]
        st.session_state["pg_system"] = next((each.system for each in systems if each.system), "")


def _single(here: UrlState) -> bool:
    """A model that gives labels learned to answer single questions."""
    return any(template_of(model).answer == "label" for model in here.models)


def _history_key(here: UrlState) -> str:
    return f"pg_history_{_single(here)}"
