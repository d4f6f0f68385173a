"""The demo: a whole chain on shipped data, in a project of its own. Its model is prepared first, by a task that all sessions
see, so that a reload finds it again."""

from __future__ import annotations

from uuid import uuid4

import streamlit as st

from backend.core.schemas import RunView
from studio.ui.shared import api_cache
from studio.ui.shared.builtin import fetch_words, preparing
from studio.ui.shared.formatting import message_markdown
from studio.ui.shared.i18n import _
from studio.ui.shared.project import choose_project, project
from studio.ui.shared.tasks import Task, background, drop, failure, task
from studio.ui.shared.widgets import open_run

RECIPE, PROJECT = "quickstart", "Demo"
TASK = "demo"
DRAFT = "demo"
"""The wish for a run whose model is being prepared, kept as a draft of the project."""
MARK = "demo"
"""In the address of the tab that started it: that one opens the run."""


def demo_button(primary: bool) -> None:
    if RECIPE in api_cache.recipe_names():
        work = task(TASK)
        st.button(
            _("Start demo"),
            key="demo",
            icon=":material/play_arrow:",
            type="primary" if primary else "secondary",
            disabled=work is not None and not work.done,
            on_click=_start,
        )
        for name in api_cache.missing_builtins() if work is None else ():
            if download := fetch_words(name):
                st.caption(download)


def demo_card() -> None:
    """How far the preparation is; in the tab that started it, what went wrong, or the run as soon as it is there."""
    work = task(TASK) or _resumed()
    if work is None:
        return
    api_cache.auto_refresh(_preparing, busy=not work.done)
    if not work.done or MARK not in st.query_params:
        return
    if said := failure(work):
        st.error(message_markdown(said), icon=":material/error:")
        return
    del st.query_params[MARK]
    api_cache.clear_caches()
    open_run(work.get().id)


def _preparing() -> bool:
    work = task(TASK)
    if work is None or work.done:
        return False
    preparing(work, "demo_card")
    return True


def _start() -> None:
    """Callback. The same click twice finds the same task, and the run that it makes has one key."""

    def start() -> None:
        studio = api_cache.studio()
        known = {each.name: each.id for each in studio.projects()}
        choose_project(known.get(PROJECT) or studio.create_project(PROJECT).id)
        key = uuid4().hex
        drop(TASK)
        studio.save_draft(studio.chosen_project().id, DRAFT, {"key": key})
        _begin(key, studio.chosen_project().id)
        st.query_params[MARK] = "1"

    api_cache.run_action(start)


def _begin(key: str, project_id: str) -> Task:
    studio = api_cache.studio()

    def run() -> RunView:
        try:
            return studio.start_recipe(RECIPE, key=key, project=PROJECT, fetch=True)
        finally:  # a failure is shown; only an end of the web process leaves the wish behind
            studio.save_draft(project_id, DRAFT, {})

    return background(TASK, run, studio.builtins_of(studio.load_recipe(RECIPE)))


def _resumed() -> Task | None:
    """What was asked for before the web process ended: the key makes sure that there is one run."""
    key = api_cache.studio().draft(project().id, DRAFT).get("key")
    return _begin(key, project().id) if key else None
