"""The head of a run's page: number, name, tags and notes, changed in place; its facts; what can be done with it."""

from __future__ import annotations

import streamlit as st

from backend.core.schemas import JobView, RunView
from studio.nav import NavPage, page_of
from studio.ui.jobs import run_rerun
from studio.ui.result.page import result_link
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link
from studio.ui.shared.formatting import ago, clock, duration, escape_markdown, quoted_time, run_seconds, stage_label
from studio.ui.shared.i18n import _
from studio.ui.shared.job_card.cancel import cancel_run_button
from studio.ui.shared.project import project_label
from studio.ui.shared.tags import tag_badges, tag_field
from studio.ui.shared.undo import offer_undo
from studio.ui.shared.widgets import run_label, state_badge

EDITING = "run_editing"


def run_header(run: RunView) -> None:
    with st.container(gap=None):
        if st.session_state.get(EDITING) == run.id:
            _fields(run)
        else:
            _title(run)
        st.caption(_facts(run))
    if run.notes and st.session_state.get(EDITING) != run.id:
        st.text(run.notes)


def in_trash(run: RunView) -> None:
    """What stands in place of a run that was deleted."""
    st.title(run_label(run), anchor=False)
    st.caption(_("This run is in the trash."))
    st.button(
        _("Restore"),
        key="run_restore",
        icon=":material/restore_from_trash:",
        on_click=api_cache.run_action,
        args=(lambda: api_cache.studio().restore([run.id]),),
    )


def _title(run: RunView) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(run_label(run), anchor=False, width="content")
        st.button(
            _("Edit"),
            key="run_edit",
            icon=":material/edit:",
            type="tertiary",
            help=_("Edit name, tags and notes"),
            on_click=st.session_state.__setitem__,
            args=(EDITING, run.id),
        )
        state_badge(run.state)
        tag_badges(run.tags)


def _fields(run: RunView) -> None:
    with st.container(key="run_fields", width=520, gap="small"):
        st.text_input(_("Name"), value=stage_label(run.name), key="run_name", max_chars=200)
        tag_field("run_tags", run.tags)
        st.text_area(_("Notes"), value=run.notes, key="run_notes", height=90, max_chars=4000)
        with st.container(horizontal=True, gap="small"):
            st.button(_("Save"), key="run_save", type="primary", on_click=_save, args=(run,))
            st.button(_("Cancel"), key="run_cancel", on_click=_stop_editing)


def _save(run: RunView) -> None:
    def save() -> None:
        typed = st.session_state["run_name"]
        api_cache.studio().edit_run(
            run.id,
            name=None if typed == stage_label(run.name) else typed,
            notes=st.session_state["run_notes"],
            tags=st.session_state["run_tags"],
        )
        _stop_editing()

    api_cache.run_action(save)


def _stop_editing() -> None:
    for key in (EDITING, "run_name", "run_tags", "run_notes"):
        st.session_state.pop(key, None)


def _facts(run: RunView) -> str:
    """Project, time against the quote, start, id."""
    names = [project_label(each) for each in api_cache.projects() if each.id == run.project]
    quotes = [job.quote for job in run.jobs if job.quote]
    seconds = run_seconds(run)
    times = []
    if run.state.finished and quotes:
        times = [_("{took} (estimated {quoted})").format(took=duration(_took(run.jobs)), quoted=quoted_time(*quotes))]
    elif seconds is not None:
        times = [duration(seconds)]
    elif quotes:
        times = [_("estimated {time}").format(time=quoted_time(*quotes))]
    began = f"{ago(run.created)} ({clock(run.created)})"
    return " · ".join([*map(escape_markdown, names), *times, escape_markdown(began), escape_markdown(run.id)])


def _took(jobs: list[JobView]) -> float:
    """Seconds of work of all stages."""
    return sum(job.seconds or 0.0 for job in jobs)


def run_actions(run: RunView) -> None:
    if not run.state.ended:
        cancel_run_button(run)
    result_link(run.id)
    _rerun(run)
    st.download_button(
        _("Save as recipe"),
        lambda: api_cache.studio().recipe_of(run.id),
        file_name=f"{run.name}.yaml",
        mime="application/yaml",
        key="recipe",
        icon=":material/download:",
        on_click="ignore",
    )
    if run.state.ended:
        st.button(
            _("Delete"),
            key="delete_run",
            icon=":material/delete:",
            help=_("Moves the run, logs and curves to the trash. Its results are kept."),
            on_click=_delete,
            args=(run,),
        )


def _rerun(run: RunView) -> None:
    """A single stage goes back to its form; a chain is changed as a whole."""
    only = run.jobs[0] if len(run.jobs) == 1 else None
    page = next(iter(_form_pages(only)), None) if only else None
    if only and page:
        label = _("Edit and rerun")
        page_link(page.path, label=label, icon=":material/replay:", query_params={"from": only.id})
    elif not only:
        st.button(_("Edit and rerun"), key="rerun", icon=":material/replay:", on_click=run_rerun.begin, args=(run.id,))


def _form_pages(job: JobView) -> list[NavPage]:
    try:
        return [page_of(job.stage)]
    except StopIteration:
        return []


def _delete(run: RunView) -> None:
    def delete() -> None:
        api_cache.studio().delete_run(run.id)
        offer_undo([f"#{run.number} {stage_label(run.name)}"], [run.id])
        st.session_state["run_deleted"] = run.id

    api_cache.run_action(delete)
