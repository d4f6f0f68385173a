"""The list of runs with what is at work now, the worker's state and the disk."""

from __future__ import annotations

from uuid import uuid4

import streamlit as st

from backend.schemas import RunView, State, Storage
from studio.ui import source
from studio.ui.i18n import _, ngettext
from studio.ui.parts import open_run, progress, run_link, state_badge
from studio.ui.words import ago, duration, kind_words, run_seconds, size, stage_words

PAGE = 20
DEMO = "quickstart"


def overview() -> None:
    started = st.session_state.pop("open_run", None)
    if started:
        open_run(started)
    with source.shown():
        limit = st.session_state.setdefault("runs_shown", PAGE)
        runs = source.recent_runs(limit)
        _header(runs)
        source.live(lambda: _polled(limit, empty=not runs), busy=_busy(runs))
        if not runs:
            _nothing_yet()
        if len(runs) == limit:
            st.button(_("Show more"), key="more", on_click=_more)


def _busy(runs: list[RunView]) -> bool:
    return any(not run.state.ended for run in runs)


def _more() -> None:
    st.session_state["runs_shown"] += PAGE


def _header(runs: list[RunView]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(gap=None, width="content"):
            st.title(_("Your runs"), anchor=False)
            st.caption(_("From a file of examples to a small language model on your own hardware."))
        if runs:
            _demo_button("secondary")


def _demo_button(kind: str) -> None:
    if DEMO in source.recipe_names():
        # The key is drawn with the button: a double click carries it twice and makes one run.
        st.button(
            _("Start the demo"),
            key="demo",
            icon=":material/play_arrow:",
            type="primary" if kind == "primary" else "secondary",
            on_click=_start_demo,
            args=(uuid4().hex,),
        )


def _start_demo(key: str) -> None:
    def start() -> None:
        st.session_state["open_run"] = source.studio().start_recipe(DEMO, key=key).id

    source.act(start)


def _tiles(runs: list[RunView]) -> None:
    active = sum(not run.state.ended for run in runs)
    done = sum(run.state is State.SUCCEEDED for run in runs)
    ready = source.workers()
    kept = source.storage()
    with st.grid(4, min_column_width=150, gap="small"):
        st.metric(_("At work"), str(active), icon=":material/motion_photos_on:", border=True, height="stretch")
        st.metric(_("Finished runs"), str(done), icon=":material/check_circle:", border=True, height="stretch")
        st.metric(
            _("Worker"),
            _("Ready") if ready else _("None"),
            ready[0].host if ready else _("start it with `slmops worker`"),
            delta_color="off",
            delta_arrow="off",
            icon=":material/memory:",
            border=True,
            height="stretch",
        )
        st.metric(
            _("On disk"),
            size(sum(kept.by_kind.values())),
            _("{size} free").format(size=size(kept.free)),
            delta_color="off",
            delta_arrow="off",
            icon=":material/hard_drive:",
            border=True,
            height="stretch",
            help=_kinds(kept),
        )


def _kinds(kept: Storage) -> str | None:
    lines = [f"- {kind_words(kind)}: {size(used)}" for kind, used in sorted(kept.by_kind.items()) if used]
    return "\n".join(lines) or None


def _nothing_yet() -> None:
    with st.container(border=True, key="nothing"):
        st.subheader(_("Nothing has run yet"), anchor=False)
        st.markdown(
            _(
                "The demo turns voice commands of a smart home, in English and Spanish, into intents: it tunes a teacher, "
                "distills it into a small student, quantizes it and measures every step."
            )
        )
        _demo_button("primary")
        st.caption(_("The same from a terminal:"))
        st.code("slmops run assets/recipes/quickstart.yaml", language="bash")


def _polled(limit: int, empty: bool) -> bool:
    runs = source.recent_runs(limit)
    if empty and runs:
        st.rerun()
    _tiles(runs)
    _list(runs)
    return _busy(runs)


def _list(runs: list[RunView]) -> None:
    at_work = [run for run in runs if not run.state.ended]
    ended = [run for run in runs if run.state.ended]
    if at_work:
        st.subheader(_("Running now"), anchor=False)
    for run in at_work:
        _card(run)
    if ended:
        st.subheader(_("History"), anchor=False)
    for run in ended:
        _card(run)


def _card(run: RunView) -> None:
    done = sum(job.state is State.SUCCEEDED for job in run.jobs)
    with st.container(border=True, key=f"run_{run.id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
                run_link(run)
                state_badge(run.state)
            st.caption(_facts(run, done), width="content")
        for job in run.jobs:
            if job.state in (State.RUNNING, State.CANCELLING):
                st.caption(stage_words(job.stage))
                progress(job)


def _facts(run: RunView, done: int) -> str:
    stages = ngettext("{n} stage", "{n} stages", len(run.jobs))
    parts = [stages if done == len(run.jobs) else _("{done} of {stages}").format(done=done, stages=stages)]
    seconds = run_seconds(run)
    if seconds is not None:
        parts.append(duration(seconds))
    return " · ".join([*parts, ago(run.created)])
