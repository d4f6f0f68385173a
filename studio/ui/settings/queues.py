"""Workers that live now, and the queues that they serve."""

from __future__ import annotations

from collections import Counter
from functools import cache

import streamlit as st

from backend.api.queue import served_queues
from backend.core.schemas import State, WorkerView
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import ago, escape_markdown
from studio.ui.shared.i18n import _, ngettext


def queues() -> None:
    """Drawn again and again: call it in `source.live`."""
    workers = api_cache.workers()
    _workers(workers)
    paused = api_cache.studio().jobs.paused()
    waiting, running = _counts()
    served = [*_here(), *sorted({name for worker in workers for name in worker.queues} - set(_here()))]
    with st.grid(len(served), min_column_width=230, gap="small"):
        for name in served:
            _queue(name, waiting[name], running[name], name in paused)


@cache
def _here() -> tuple[str, ...]:
    return tuple(served_queues())


def _workers(workers: list[WorkerView]) -> None:
    if not workers:
        st.warning(
            _("No worker running. Start one with `slmops studio` or `slmops worker`."), icon=":material/warning:"
        )
    for worker in workers:
        alive = _("last seen {when}").format(when=ago(worker.beat))
        st.markdown(
            f":material/memory: **{escape_markdown(worker.host)}** · {_('process {pid}').format(pid=worker.pid)} · {alive} · "
            + escape_markdown(", ".join(worker.queues))
        )


def _counts() -> tuple[Counter[str], Counter[str]]:
    """Jobs that wait and jobs at work, by queue."""
    jobs = api_cache.open_jobs()
    waiting = Counter(job.queue for job in jobs if job.state in (State.WAITING, State.QUEUED))
    return waiting, Counter(job.queue for job in jobs if job.state in (State.RUNNING, State.CANCELLING))


def _queue(name: str, waiting: int, running: int, paused: bool) -> None:
    words = {
        "light": _("Light: files, packages"),
        "cpu": _("CPU: training and inference"),
        "gpu": _("GPU: training and inference"),
    }
    with st.container(border=True, height="stretch", key=f"queue_{name}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{escape_markdown(name)}**", width="content")
            if paused:
                st.badge(_("Paused"), icon=":material/pause:", color="orange")
        st.caption(words.get(name, name))
        st.caption(
            ngettext("{n} running", "{n} running", running) + " · " + ngettext("{n} queued", "{n} queued", waiting)
        )
        if paused:
            _turn(_("Resume"), ":material/play_arrow:", name, resume=True)
        else:
            _turn(_("Pause"), ":material/pause:", name, resume=False)


def _turn(label: str, icon: str, name: str, resume: bool) -> None:
    def turn() -> None:
        jobs = api_cache.studio().jobs
        (jobs.resume if resume else jobs.pause)(name)

    st.button(
        label,
        key=f"{'resume' if resume else 'pause'}_{name}",
        icon=icon,
        help=None if resume else _("No new jobs start; running ones continue."),
        on_click=api_cache.run_action,
        args=(turn,),
    )
