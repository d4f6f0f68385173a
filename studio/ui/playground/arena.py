"""Blind arena: two of the chosen models answer one prompt, and nothing on the page tells which they are until somebody has said
which answer is better: no names, no order, no time, no element's key."""

from __future__ import annotations

from functools import partial

import streamlit as st

from backend.api.arena import ArenaPrompt, Winner
from backend.core.schemas import Kind
from studio.ui.forms.pickers import disambiguate, label
from studio.ui.playground.chats import Answer, Chat
from studio.ui.playground.comparisons import Comparison, two_of
from studio.ui.playground.controls import chat_settings, name_of, restore_settings, sampling_box, system_box
from studio.ui.playground.lineage import models, template_of
from studio.ui.playground.send_shortcut import send_shortcut
from studio.ui.playground.shared import comparisons, keep_chosen, loader, served
from studio.ui.playground.turns import figures_line, plain
from studio.ui.playground.url_state import UrlState
from studio.ui.shared import api_cache, scope
from studio.ui.shared.formatting import escape_markdown
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project

COMPARISON = "compare"
"""The query parameter with the id of the comparison: it says nothing about the models."""
_SKIPPED = "pa_skipped"
_LETTERS = ("A", "B")


def arena_tools(here: UrlState) -> None:
    restore_settings(_pool(here))
    with st.container(horizontal=True, width="content", gap="small"):
        sampling_box(_pool(here))
        system_box(_pool(here))


def arena_view(here: UrlState, ready: bool) -> None:
    """Above the standings. `ready`: models can be loaded."""
    chosen = _choice(here)
    dataset = _source()
    shown = comparisons().find(st.query_params.get(COMPARISON, ""))
    if shown is not None and shown.chat.project == project().id:
        _comparison(here, shown)
    can_ask = ready and len(chosen) > 1
    if len(chosen) < 2:
        st.info(_("Choose at least two models."), icon=":material/info:")
    if shown is None or shown.vote or shown.failed:
        _ask(here, dataset, can_ask, shown)


def _pool(here: UrlState) -> UrlState:
    """The chosen models, whose settings count."""
    return UrlState(
        [model for model in st.session_state.get("pa_models", here.models) if model in models()] or here.models
    )


def _choice(here: UrlState) -> list[str]:
    own = [view.id for view in scope.split(models().values())[0]]
    options = list(dict.fromkeys([*own, *here.models]))
    names = disambiguate({view.id: label(view) for view in models().values()})
    begun = [model for model in st.session_state.get("pa_models", here.models) if model in options]
    st.session_state["pa_models"] = begun
    chosen: list[str] = st.multiselect(
        _("Models"),
        options,
        format_func=lambda model: names.get(model, _("deleted model")),
        key="pa_models",
        persist_state="session",
        placeholder=_("Model"),
        help=_("Two of them, drawn by chance, answer each prompt."),
    )
    return chosen


def _source() -> str:
    """The dataset whose validation rows are asked; empty where prompts are typed."""
    held = {view.id: label(view) for view in scope.own((Kind.DATASET,)) if view.facts.get("rows", {}).get("validation")}
    names = {"": _("Typed prompts")} | {
        id_: _("Validation rows of {data}").format(data=name) for id_, name in held.items()
    }
    if st.session_state.get("pa_source", "") not in names:
        st.session_state["pa_source"] = ""
    return str(
        st.selectbox(
            _("Prompt source"),
            list(names),
            format_func=lambda id_: names.get(id_, id_),
            key="pa_source",
            persist_state="session",
        )
    )


def _ask(here: UrlState, dataset: str, can_ask: bool, shown: Comparison | None) -> None:
    if dataset:
        st.button(
            _("Next row") if shown else _("First row"),
            key="pa_next",
            type="primary",
            icon=":material/arrow_forward:",
            shortcut="N",
            disabled=not can_ask,
            on_click=api_cache.run_action,
            args=(lambda: _begin_row(here, dataset),),
        )
        return
    with st.container():  # else it is at the page's end, and the page scrolls there
        st.chat_input(
            _("Message both models"), key="pa_input", disabled=not can_ask, on_submit=_begin_typed, args=(here,)
        )
    send_shortcut("")


def _comparison(here: UrlState, shown: Comparison) -> None:
    with st.container(horizontal=True, gap="small", key="pa_asked"):
        st.markdown(":material/person:", width="content")
        with st.container(gap="xsmall", width="stretch"):
            plain(shown.prompt.input, f"arena_{shown.id}")
            if shown.prompt.expected is not None:
                st.caption(_("Expected: {answer}").format(answer=escape_markdown(shown.prompt.expected[:1_000])))
    if not shown.busy:
        _answered(here, shown)
        return

    def draw() -> bool:
        keep_chosen(sorted(shown.chat.models))
        if not shown.busy:
            st.rerun()
        st.markdown(f":shimmer[{_('Both models are answering. The answers appear together.')}]")
        return True

    api_cache.auto_refresh(draw, busy=True)
    st.button(_("Cancel"), key="pa_cancel", icon=":material/close:", on_click=shown.chat.stop)


def _answered(here: UrlState, shown: Comparison) -> None:
    if shown.failed:
        _void(shown)
        return
    for column, answer, letter in zip(st.columns(2, gap="small"), shown.answers, _LETTERS, strict=True):
        with column, st.container(border=True, height="stretch", gap="xsmall", key=f"pa_answer_{letter}"):
            _answer(answer, letter, shown)
    if shown.vote:
        said = {
            "a": _("You preferred A."),
            "b": _("You preferred B."),
            "tie": _("You called it a tie."),
            "both_bad": _("You found both answers bad."),
        }
        st.success(said[shown.vote.winner], icon=":material/how_to_vote:")
        return
    with st.container(horizontal=True, gap="small", key="pa_vote"):
        _vote_button(shown, "a", _("A is better"), "A")
        _vote_button(shown, "b", _("B is better"), "B")
        _vote_button(shown, "tie", _("Tie"), "T")
        _vote_button(shown, "both_bad", _("Both bad"), "X")
        st.button(_("Skip"), key="pa_skip", type="tertiary", on_click=_skip, args=(shown,))


def _answer(answer: Answer, letter: str, shown: Comparison) -> None:
    named = f" · {escape_markdown(name_of(answer.model))}" if shown.vote else ""
    st.markdown(f"**{letter}**{named}")
    if answer.text:
        plain(answer.text, f"arena_{shown.id}_{letter}")
    else:
        st.caption(_("Empty answer."))
    if shown.vote:
        st.caption(figures_line(answer))


def _void(shown: Comparison) -> None:
    """Why there is nothing to compare. The models may be named: this comparison gets no vote."""
    why = [problem.sentence(_) for answer in shown.answers if answer.error for problem in answer.error.problems]
    st.warning(
        escape_markdown(" ".join([_("No answers to compare. Ask again."), *dict.fromkeys(why)])),
        icon=":material/error:",
    )
    if served():
        st.button(_("Unload all models"), key="pa_unload", icon=":material/eject:", on_click=_unload_all)


def _vote_button(shown: Comparison, winner: Winner, text: str, key: str) -> None:
    st.button(
        text, key=f"pa_{winner}", shortcut=key, on_click=api_cache.run_action, args=(lambda: _vote(shown, winner),)
    )


def _vote(shown: Comparison, winner: Winner) -> None:
    names = [name_of(answer.model) for answer in shown.answers]
    shown.vote = api_cache.studio().arena.vote(shown.chat.project, shown.as_vote(winner, names))


def _skip(shown: Comparison) -> None:
    st.session_state.setdefault(_SKIPPED, set()).add(shown.prompt.row)
    st.query_params.pop(COMPARISON, None)


def _begin_typed(here: UrlState) -> None:
    if text := (st.session_state["pa_input"] or "").strip():
        _begin(here, ArenaPrompt(input=text))


def _begin_row(here: UrlState, dataset: str) -> None:
    skipped: set[str] = st.session_state.get(_SKIPPED, set())
    _begin(here, api_cache.studio().arena.next_row(project().id, dataset, skipped))


def _begin(here: UrlState, prompt: ArenaPrompt) -> None:
    pool = _pool(here)
    drawn = two_of(pool.models)
    made = Comparison(Chat(project().id, {model: template_of(model) for model in drawn}, loader()), prompt)
    keep_chosen(sorted(drawn))
    made.chat.say(prompt.input, chat_settings(pool), prompt.expected)
    comparisons().add(made)
    st.query_params[COMPARISON] = made.id


def _unload_all() -> None:
    for model in served() or {}:
        api_cache.run_action(partial(loader().unload, model))
    served.clear()
