"""The facade as pages see it: one per process, its answers shared by all sessions until the store holds something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar, cast

import streamlit as st

from backend.api import Studio
from backend.api.failures import tell_failures
from backend.api.notifications import News
from backend.api.runs import RunComparison
from backend.core.endpoints import EndpointView
from backend.core.errors import StudioError
from backend.core.machine import free_disk_bytes, memory_bytes
from backend.core.schemas import ArtifactView, JobView, Kind, MetricPoint, ProjectView, RunView, Storage, WorkerView
from studio.ui.shared.formatting import message_markdown
from studio.ui.shared.i18n import _

FAST, SLOW = 1.5, 5.0
"""Seconds between two looks, with and without work going on."""
P = ParamSpec("P")
T = TypeVar("T", covariant=True)


@st.cache_resource(show_spinner=False)
def studio() -> Studio:
    opened = Studio.open()
    tell_failures(opened)
    return opened


class Kept(Protocol[P, T]):
    """A function whose answer is shared by all sessions."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T: ...
    def clear(self) -> None: ...


def versioned(*topics: str, entries: int = 32, ttl: str | None = None) -> Callable[[Callable[P, T]], Kept[P, T]]:
    """Keeps what a function reads from the store, at most for `ttl`, until something is written to one of these tables
    (backend.db.changes), by whichever process: who sees that a job has ended sees what it made, too. Treat it as read-only:
    every session gets the same objects."""

    def keep(read: Callable[P, T]) -> Kept[P, T]:
        def at(versions: tuple[int, ...], *args: Any, **kwargs: Any) -> T:
            return read(*args, **kwargs)

        at.__qualname__, at.__module__ = read.__qualname__, read.__module__  # by which Streamlit tells functions apart
        kept = st.cache_resource(ttl=ttl, max_entries=entries, show_spinner=False)(at)

        @wraps(read)
        def ask(*args: P.args, **kwargs: P.kwargs) -> T:
            return kept(version_of(*topics), *args, **kwargs)

        ask.clear = kept.clear  # type: ignore[attr-defined]
        return cast("Kept[P, T]", ask)

    return keep


def version_of(*topics: str) -> tuple[int, ...]:
    """Changes when something is written to one of these tables."""
    known = studio().changes()
    return tuple(known.get(topic, 0) for topic in topics)


@st.cache_resource(max_entries=1, show_spinner=False)
def recipe_names() -> set[str]:
    """The recipes that are shipped; they don't change while the studio runs."""
    return {name for name, _description, _path in studio().recipes()}


@versioned("job", "run", entries=8)
def recent_runs(limit: int) -> list[RunView]:
    """Newest first, without the progress of what is at work (`open_jobs` has it)."""
    return studio().runs(limit)


@versioned("job", "run", "progress", entries=64)
def one_run(run_id: str) -> RunView:
    return studio().run(run_id)


@versioned("run", "job", "artifact", entries=32)
def run_comparison(first: str, second: str) -> RunComparison:
    """Reads the answers of both, so it is kept until something changes."""
    return studio().compare_runs(first, second)


@versioned("job", "run", "progress", entries=2)
def open_jobs() -> list[JobView]:
    """All that have not ended, of all projects."""
    return studio().jobs.open_jobs()


@versioned("run", entries=1000)
def run_title(run_id: str) -> tuple[int, str]:
    """(number, name); 0 and the id of one that has gone."""
    return studio().jobs.run_name(run_id)


def run_name(run_id: str) -> str:
    return run_title(run_id)[1]


@versioned("run", "artifact", entries=1)
def tags() -> list[str]:
    """All in use, of runs and artifacts."""
    return studio().tags()


@versioned("queue_state", entries=2)
def paused() -> list[str]:
    """The queues that start nothing now."""
    return list(studio().jobs.paused())


@versioned("project", entries=2)
def projects() -> list[ProjectView]:
    return studio().projects()


@versioned("job", "run")
def project_runs(project_id: str, limit: int = 50) -> list[RunView]:
    """Newest first, without the progress of what is at work."""
    return studio().runs(limit, project_id)


@versioned("job", "run", "setting")
def news(project_id: str) -> News:
    """What ended in a project since somebody looked."""
    return studio().notifications.news(project_id)


@versioned("artifact", "artifact_parent")
def artifacts(kinds: tuple[Kind, ...] = ()) -> list[ArtifactView]:
    """Newest first, of all projects (`ArtifactView.project` is a project's id)."""
    return studio().artifacts(kinds)


@versioned("endpoint", entries=2)
def endpoints() -> list[EndpointView]:
    """The saved ones, by name."""
    return studio().endpoints()


@versioned("artifact", entries=2)
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
    """Look at once at what no table tells of: files and the workers' heartbeats."""
    for cached in (storage, workers):
        cached.clear()


@contextmanager
def show_errors() -> Iterator[None]:
    """Draws a failure that is meant for people as its sentence; any other goes on."""
    try:
        yield
    except StudioError as error:
        st.error(message_markdown(error.text(_)), icon=":material/error:")


def run_action(action: Callable[[], object]) -> None:
    """Body of a button's callback: do it, look again, say it when it fails, in a corner that is seen however far the page is
    scrolled, until it is closed."""
    try:
        action()
    except StudioError as error:
        st.toast(message_markdown(error.text(_)), icon=":material/error:", duration="infinite")
    clear_caches()


def auto_refresh(
    draw: Callable[[], bool], busy: bool, fast: float = FAST, watch: Callable[[], object] | None = None
) -> None:
    """Draw again by itself, every `fast` seconds while `busy`. `draw` says whether work is going on; when that changes, the
    whole page is drawn again and takes the other pace. So it is when what `watch` gives is no longer what it gave first."""
    seen = watch() if watch else None

    @st.fragment(run_every=fast if busy else SLOW)
    def polled() -> None:
        with show_errors():
            if (watch and watch() != seen) or draw() != busy:
                clear_caches()
                st.rerun()

    polled()


@st.cache_resource(ttl="2s", max_entries=64, show_spinner=False)
def metric_points(job_id: str, at_work: bool) -> list[MetricPoint]:
    """A job's metric points; `at_work` keeps the last look of a running job apart from that of the ended one."""
    return studio().points(job_id)
