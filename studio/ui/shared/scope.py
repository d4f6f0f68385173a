"""What a project shows: its own things and the built-in models. Those of other projects lie in a fold, and are never chosen by
themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import streamlit as st

from backend.api.projects import belongs_to
from backend.core.schemas import ArtifactView, JobView, Kind
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import count_text
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project


def own(kinds: tuple[Kind, ...] = ()) -> list[ArtifactView]:
    """The project's artifacts of these kinds, newest first."""
    return split(api_cache.artifacts(kinds))[0]


def split(views: Iterable[ArtifactView]) -> tuple[list[ArtifactView], list[ArtifactView]]:
    """(those of the project, those of others), each in the order they came."""
    mine = project().id
    found: tuple[list[ArtifactView], list[ArtifactView]] = ([], [])
    for view in views:
        found[not belongs_to(view, mine)].append(view)
    return found


def split_jobs(jobs: Iterable[JobView]) -> tuple[list[JobView], list[JobView]]:
    """(those of the project, those of others), each in the order they came."""
    mine = project().id
    found: tuple[list[JobView], list[JobView]] = ([], [])
    for job in jobs:
        found[job.project != mine].append(job)
    return found


def from_other_projects(key: str, things: Sequence[object], draw: Callable[[], None]) -> None:
    """The fold below a list; what is in it is worked out only when it is open."""
    if not things:
        return
    title = f"{_('From other projects')} · {count_text(len(things))}"
    box = st.expander(title, key=f"others_{key}", icon=":material/folder_shared:", on_change="rerun")
    if box.open:
        with box:
            draw()
