"""The way to stop a job, and to take that back.

Work of more than a minute is asked about first. After each click all buttons of this kind rest for a moment, for the next
job's may have come to stand under the pointer.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Literal

import streamlit as st

from backend.core.schemas import JobView, RunView, State
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import duration, stage_label
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.undo import offer

ASK_SECONDS = 60.0
REST_SECONDS = 2.0
_ASKED, _REST = "cancel_asked", "cancel_rest"


def cancel_button(job: JobView, kind: Literal["secondary", "tertiary"] = "secondary") -> None:
    """For a job that has not ended."""
    icon = ":material/stop_circle:" if kind == "secondary" else ":material/close:"
    _button(job.id, f"cancel_{job.id}", _("Cancel"), icon, [job], kind)


def cancel_run_button(run: RunView) -> None:
    """For a run that has not ended."""
    left = [job for job in run.jobs if not job.state.ended]
    if st.session_state.get(_ASKED) == run.id:
        _question_by_itself(run.id, left)
    else:
        _button(run.id, "cancel_run", _("Cancel the run"), ":material/stop_circle:", left)


@st.fragment(run_every=REST_SECONDS / 2)
def _question_by_itself(asked: str, jobs: Sequence[JobView]) -> None:
    """The question outside of what is drawn again every second anyway: its button has to wake when the rest is over."""
    if st.session_state.get(_ASKED) != asked:
        st.rerun()
    _question(asked, jobs)


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


def _rests() -> bool:
    return time.monotonic() < float(st.session_state.get(_REST, 0.0))


def _worked(job: JobView) -> float:
    """Seconds of work that a cancel would stop."""
    if job.state is not State.RUNNING or not job.started:
        return 0.0
    return (datetime.now(UTC) - job.started).total_seconds()


def _question(asked: str, jobs: Sequence[JobView]) -> None:
    time_ = duration(max(map(_worked, jobs), default=0.0))
    st.markdown(_("Cancel after {time} of work?").format(time=time_), width="content")
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
        offer(said, partial(_take_back, [job.id for job in jobs], ran))

    _asked(None)
    api_cache.run_action(cancel)


def _take_back(ids: Sequence[str], ran: bool) -> str:
    for job_id in ids:
        api_cache.studio().undo_cancel(job_id)
    return _("Resumes from the last checkpoint.") if ran else _("Back in the queue.")
