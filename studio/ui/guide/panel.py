"""Goal, file, card, Train: four clicks from nothing to a run of the whole chain."""

from __future__ import annotations

from typing import Any

import streamlit as st

from backend.api.guide import GOALS, Fit, Material, fit
from studio.nav import DATA
from studio.ui.data.uploads import source_box, take_source
from studio.ui.gallery.cards import gallery
from studio.ui.guide import state
from studio.ui.guide.asking import unread
from studio.ui.guide.chain import chain_box, started
from studio.ui.guide.reading import answer_examples, read, reading_card
from studio.ui.guide.words import ICONS, goal_title, goal_words
from studio.ui.shared import api_cache
from studio.ui.shared.address import switch_page
from studio.ui.shared.formatting import escape_markdown, message_markdown
from studio.ui.shared.i18n import _
from studio.ui.shared.tasks import Task, failure


def guide_panel(framed: bool = True) -> None:
    """The whole way, as far as it has come in the session's project; `framed`: in a box of its own."""
    now = state.chosen()
    if started():
        return
    with st.container(border=framed, key="guide"):
        st.header(_("What should your model do?"), anchor=False)
        _goals(now["goal"])
        if now["source"]:
            _file(now)
            return
        box = st.container()
        _without_file()
        with box:
            made = source_box("guide_upload")
        if made:
            state.take_file(str(api_cache.studio().upload(made).path))
            st.rerun()


def _goals(taken: str) -> None:
    with st.container(horizontal=True, gap="xsmall", key="guide_goals"):
        for name in GOALS:
            st.button(
                goal_title(name),
                key=f"goal_{name}",
                icon=ICONS[name],
                type="primary" if name == taken else "secondary",
                on_click=state.take,
                kwargs={"goal": name},
            )
    if taken:
        st.caption(goal_words(taken))


def _without_file() -> None:
    st.caption(_("Nothing leaves this machine. Excel, CSV, JSON, chats and more are read as they are."))
    gallery(_take_sample)


def _take_sample(path: str, license: str) -> None:
    """Callback."""
    state.take_file(path)
    state.add_to_source(license=license)


def _file(now: dict[str, Any]) -> None:
    found = read(now["source"])
    if isinstance(found, Task):
        _at_work(found, now["source"])
        return
    with st.container(border=True, key="guide_reading_card", gap="small"):
        reading_card(found)
        _ways_out(now["source"])
    if found.reading.question:
        return
    material = Material.of(found.forecast, answer_examples(found))
    goal = now["goal"] or _proposed(material)
    fits = fit(GOALS[goal], material) if found.forecast else Fit()
    _goal_fit(goal, fits, proposed=not now["goal"])
    blocked = not found.forecast or any(problem.blocking for problem in found.problems)
    chain_box(GOALS[goal], material, blocked or bool(fits.problem and fits.problem.blocking), found.language)


def _ways_out(source: dict[str, Any]) -> None:
    """Another file or another answer, and the form with all that was chosen so far."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        quiet: dict[str, Any] = {"type": "tertiary", "width": "content"}
        over, tune, back = ":material/restart_alt:", ":material/tune:", ":material/undo:"
        st.button(_("Choose another file"), key="guide_over", icon=over, on_click=state.forget_file, **quiet)
        if part := source.get("records"):
            label = _("Not “{name}”").format(name=escape_markdown(str(part)))
            st.button(label, key="guide_ask_again", icon=back, on_click=state.forget_part, **quiet)
        if st.button(_("All reading options"), key="guide_options", icon=tune, **quiet):
            take_source(source)
            switch_page(DATA.path)


def _proposed(material: Material) -> str:
    """The goal that the file itself suggests."""
    return {"labels": "sort", "fields": "extract"}.get(material.kind, "answer") if material.answered else "shrink"


def _goal_fit(goal: str, fits: Fit, proposed: bool) -> None:
    if proposed:
        st.caption(f":material/lightbulb: {_('The file suggests this goal: {goal}.').format(goal=goal_title(goal))}")
    if fits.problem is None:
        return
    box = st.error if fits.problem.blocking else st.warning
    box(
        message_markdown(fits.problem.sentence(_)),
        icon=":material/error:" if fits.problem.blocking else ":material/help:",
    )
    if fits.better:
        st.button(
            _("Change the goal to: {goal}").format(goal=goal_title(fits.better)),
            key="guide_better",
            icon=ICONS[fits.better],
            type="primary",
            on_click=state.take,
            kwargs={"goal": fits.better},
        )


def _at_work(work: Task, source: dict[str, Any]) -> None:
    if failure(work):
        with st.container(border=True, key="guide_reading_card", gap="small"):
            unread(work)
            _ways_out(source)
        return

    def look() -> bool:
        if not work.done:
            st.markdown(f":shimmer[{_('Reading the file…')}]")
        return not work.done

    api_cache.auto_refresh(look, busy=True)
