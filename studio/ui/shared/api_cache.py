"""The facade as pages see it: one per process, its answers shared by all sessions for a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st

from backend.api import Studio
from backend.api.runs import RunComparison
from backend.core.endpoints import EndpointView
from backend.core.errors import StudioError
from backend.core.machine import free_disk_bytes, memory_bytes
from backend.core.schemas import ArtifactView, JobView, Kind, MetricPoint, ProjectView, RunView, Storage, WorkerView
from studio.ui.shared.formatting import escape_markdown
from studio.ui.shared.i18n import _

FAST, SLOW = 1.0, 5.0


@st.cache_resource(show_spinner=False)
def studio() -> Studio:
    return Studio.open()


@st.cache_resource(max_entries=1, show_spinner=False)
def recipe_names() -> set[str]:
    """The recipes that are shipped; they don't change while the studio runs."""
    return {name for name, _description, _path in studio().recipes()}


@st.cache_resource(ttl="0.9s", max_entries=8, show_spinner=False)
def recent_runs(limit: int) -> list[RunView]:
    """Newest first. Treat as read-only: every session gets the same list."""
    return studio().runs(limit)


@st.cache_resource(ttl="0.9s", max_entries=64, show_spinner=False)
def one_run(run_id: str) -> RunView:
    return studio().run(run_id)


@st.cache_resource(ttl="10s", max_entries=32, show_spinner=False)
def run_comparison(first: str, second: str) -> RunComparison:
    """Reads the answers of both, so it is kept for a while."""
    return studio().compare_runs(first, second)


@st.cache_resource(ttl="0.9s", max_entries=1, show_spinner=False)
def open_jobs() -> list[JobView]:
    """All that have not ended, of all projects."""
    return studio().jobs.open_jobs()


@st.cache_resource(ttl="30s", max_entries=1000, show_spinner=False)
def run_title(run_id: str) -> tuple[int, str]:
    """(number, name); 0 and the id of one that has gone."""
    return studio().jobs.run_name(run_id)


def run_name(run_id: str) -> str:
    return run_title(run_id)[1]


@st.cache_resource(ttl="5s", max_entries=1, show_spinner=False)
def tags() -> list[str]:
    """All in use, of runs and artifacts."""
    return studio().tags()


@st.cache_resource(ttl="2s", max_entries=1, show_spinner=False)
def paused() -> list[str]:
    """The queues that start nothing now."""
    return list(studio().jobs.paused())


@st.cache_resource(ttl="5s", max_entries=1, show_spinner=False)
def projects() -> list[ProjectView]:
    return studio().projects()


@st.cache_resource(ttl="0.9s", max_entries=32, show_spinner=False)
def project_runs(project_id: str, limit: int = 50) -> list[RunView]:
    """Newest first."""
    return studio().runs(limit, project_id)


@st.cache_resource(ttl="2s", max_entries=32, show_spinner=False)
def artifacts(kinds: tuple[Kind, ...] = ()) -> list[ArtifactView]:
    """Newest first, of all projects (`ArtifactView.project` is a project's id)."""
    return studio().artifacts(kinds)


@st.cache_resource(ttl="2s", max_entries=1, show_spinner=False)
def endpoints() -> list[EndpointView]:
    """The saved ones, by name."""
    return studio().endpoints()


@st.cache_resource(ttl="5s", max_entries=1, show_spinner=False)
def missing_builtins() -> list[str]:
    return studio().missing_builtins()


@st.cache_resource(ttl="2s", max_entries=1, show_spinner=False)
def workers() -> list[WorkerView]:
    return studio().workers()


@dataclass(frozen=True)
class Machine:
    """Bytes of memory that a process may hope for, and of free disk where the studio keeps its things."""

    memory: int
    disk: int


@st.cache_resource(ttl="10s", max_entries=1, show_spinner=False)
def machine() -> Machine:
    return Machine(memory_bytes(), free_disk_bytes(studio().settings.home))


@st.cache_resource(ttl="10s", max_entries=1, show_spinner=False)
def storage() -> Storage:
    return studio().storage()


def clear_caches() -> None:
    """After an action: the next look goes to the store."""
    for cached in (recent_runs, one_run, project_runs, open_jobs, paused, artifacts, missing_builtins, storage):
        cached.clear()
    endpoints.clear()
    run_title.clear()
    tags.clear()
    run_comparison.clear()


@contextmanager
def show_errors() -> Iterator[None]:
    """Draws a failure that is meant for people as its sentence; any other goes on."""
    try:
        yield
    except StudioError as error:
        st.error(escape_markdown(error.text(_)), icon=":material/error:")


def run_action(action: Callable[[], object]) -> None:
    """Body of a button's callback: do it, look again, say it when it fails, in a corner that is seen however far the page is
    scrolled, until it is closed."""
    try:
        action()
    except StudioError as error:
        st.toast(escape_markdown(error.text(_)), icon=":material/error:", duration="infinite")
    clear_caches()


def auto_refresh(draw: Callable[[], bool], busy: bool, fast: float = FAST) -> None:
    """Draw again by itself, every `fast` seconds while `busy`. `draw` says whether work is going on; when that changes, the
    whole page is drawn again and takes the other pace."""

    @st.fragment(run_every=fast if busy else SLOW)
    def polled() -> None:
        with show_errors():
            if draw() != busy:
                clear_caches()
                st.rerun()

    polled()


@st.cache_resource(ttl="2s", max_entries=64, show_spinner=False)
def metric_points(job_id: str, at_work: bool) -> list[MetricPoint]:
    """A job's metric points; `at_work` keeps the last look of a running job apart from that of the ended one."""
    return studio().points(job_id)
