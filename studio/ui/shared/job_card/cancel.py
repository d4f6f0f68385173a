"""The way to stop a job, and to take that back.

Work of more than a minute is asked about first. After each click all buttons of this kind rest for a moment, for the next
job's may have come to stand under the pointer.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import streamlit as st

from backend.core.schemas import JobView, RunView, State
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import duration, stage_label
from studio.ui.shared.i18n import _, ngettext

ASK_SECONDS = 60.0
REST_SECONDS = 2.0
UNDO_SECONDS = 15.0
_ASKED, _REST, _UNDO, _SAID = "cancel_asked", "cancel_rest", "cancel_undo", "cancel_undone"
_CSS = (
    "<style>.st-key-undo_bar { position: fixed; left: 50%; bottom: 24px; transform: translateX(-50%); z-index: 999990;"
    "width: max-content; max-width: calc(100vw - 32px); padding: 6px 8px 6px 16px; border-radius: 10px;"
    "background: light-dark(#1e1b4b, #e0e7ff); box-shadow: 0 4px 16px rgb(0 0 0 / .25) }"
    ".st-key-undo_bar [data-testid=stMarkdownContainer] { margin-bottom: 0 }"
    ".st-key-undo_bar p { color: light-dark(#ffffff, #1e1b4b) !important; margin: 0 }"
    ".st-key-undo_bar button, .st-key-undo_bar button:hover { background: transparent;"
    "border-color: light-dark(#a5b4fc, #4338ca); color: light-dark(#ffffff, #1e1b4b) }</style>"
)


@dataclass(frozen=True)
class _Undo:
    """What was cancelled last in this session, and until when (seconds of the monotonic clock) that can be taken back."""

    jobs: tuple[str, ...]
    said: str
    ran: bool
    until: float


def cancel_button(job: JobView, kind: Literal["secondary", "tertiary"] = "secondary") -> None:
    """For a job that has not ended."""
    icon = ":material/stop_circle:" if kind == "secondary" else ":material/close:"
    _button(job.id, f"cancel_{job.id}", _("Cancel"), icon, [job], kind)


def cancel_run_button(run: RunView) -> None:
    """For a run that has not ended."""
    left = [job for job in run.jobs if not job.state.ended]
    _button(run.id, "cancel_run", _("Cancel the run"), ":material/stop_circle:", left)


def _button(
    asked: str,
    key: str,
    label: str,
    icon: str,
    jobs: Sequence[JobView],
    kind: Literal["secondary", "tertiary"] = "secondary",
) -> None:
    if st.session_state.get(_ASKED) == asked:
        _question(asked, jobs)
        return
    st.button(
        label,
        key=key,
        icon=icon,
        type=kind,
        disabled=_rests() or all(job.state is State.CANCELLING for job in jobs),
        on_click=_clicked,
        args=(asked, jobs),
    )


def undo_bar() -> None:
    """What was cancelled just now, with the way back; drawn on every page, over it."""
    if said := st.session_state.pop(_SAID, None):
        st.toast(said, icon=":material/undo:")
    if _pending() is None:
        return

    @st.fragment(run_every=1.0)
    def bar() -> None:
        undo = _pending()
        if undo is None:
            st.rerun()
        st.html(_CSS)
        with st.container(key="undo_bar", horizontal=True, vertical_alignment="center", gap="medium"):
            st.markdown(undo.said, width="content")
            st.button(_("Undo"), key="undo", icon=":material/undo:", on_click=_taken_back, args=(undo,))

    bar()


def _pending() -> _Undo | None:
    undo: _Undo | None = st.session_state.get(_UNDO)
    return undo if undo and time.monotonic() < undo.until else None


def _rests() -> bool:
    return time.monotonic() < float(st.session_state.get(_REST, 0.0))


def _worked(job: JobView) -> float:
    """Seconds of work that a cancel would stop."""
    if job.state is not State.RUNNING or not job.started:
        return 0.0
    return (datetime.now(UTC) - job.started).total_seconds()


def _question(asked: str, jobs: Sequence[JobView]) -> None:
    time_ = duration(max(map(_worked, jobs), default=0.0))
    st.markdown(_("Stop after {time} of work?").format(time=time_), width="content")
    st.button(_("Keep running"), key=f"cancel_no_{asked}", on_click=_asked, args=(None,))
    st.button(
        _("Stop"),
        key=f"cancel_yes_{asked}",
        icon=":material/stop_circle:",
        type="primary",
        disabled=_rests(),
        on_click=_stop,
        args=(jobs,),
    )


def _asked(key: str | None) -> None:
    st.session_state[_ASKED] = key


def _clicked(asked: str, jobs: Sequence[JobView]) -> None:
    if any(_worked(job) >= ASK_SECONDS for job in jobs) and not _rests():
        st.session_state[_REST] = time.monotonic() + REST_SECONDS
        _asked(asked)
    else:
        _stop(jobs)


def _stop(jobs: Sequence[JobView]) -> None:
    if not _rests():
        st.session_state[_REST] = time.monotonic() + REST_SECONDS
        _cancel(jobs)


def _cancel(jobs: Sequence[JobView]) -> None:
    """The last stage first, so that none starts between."""

    def cancel() -> None:
        for job in reversed(jobs):
            api_cache.studio().cancel(job.id)
        first = jobs[0]
        said = (
            _("{stage} cancelled").format(stage=stage_label(first.stage))
            if len(jobs) == 1
            else ngettext("{n} job cancelled", "{n} jobs cancelled", len(jobs))
        )
        ran = any(job.state is State.RUNNING for job in jobs)
        until = time.monotonic() + UNDO_SECONDS
        st.session_state[_UNDO] = _Undo(tuple(job.id for job in jobs), said, ran, until)

    _asked(None)
    api_cache.run_action(cancel)


def _taken_back(undo: _Undo) -> None:
    def take_back() -> None:
        for job_id in undo.jobs:
            api_cache.studio().undo_cancel(job_id)
        words = _("It goes on from its last checkpoint.") if undo.ran else _("Back in its place in the queue.")
        st.session_state[_SAID] = words  # a fragment's callback may not draw

    st.session_state.pop(_UNDO, None)
    api_cache.run_action(take_back)
