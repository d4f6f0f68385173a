"""Jobs that wait, each a row of its own, in the order in which they will start."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import streamlit as st

from backend.core.schemas import JobView
from studio.ui.shared.formatting import stage_label
from studio.ui.shared.i18n import ngettext
from studio.ui.shared.job_card.cancel import cancel_button
from studio.ui.shared.job_card.queue_position import move_buttons, why_waiting
from studio.ui.shared.widgets import run_link, worker_hint

MOST = 20


def waiting_rows(ids: Collection[str], order: Sequence[JobView], most: int = MOST, hint: bool = True) -> None:
    """Those of `order` (all that wait) whose id is asked for; nothing when there are none. `hint`: say how a worker starts."""
    waiting = [job for job in order if job.id in ids]
    if not waiting:
        return
    st.header(ngettext("{n} queued", "{n} queued", len(waiting)), anchor=False)
    with st.container(border=True, key="waiting", gap="xsmall"):
        for job in waiting[:most]:
            _row(job, order)
        more = len(waiting) - most
        if more > 0:
            st.caption(ngettext("and {n} more", "and {n} more", more))
        if hint:
            worker_hint()


def _row(job: JobView, order: Sequence[JobView]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{stage_label(job.stage)}**", width="content")
        run_link(job.run_id)
        with st.container(key=f"why_{job.id}", width="content"):
            st.caption(why_waiting(job, order))
        st.space("stretch")
        with st.container(horizontal=True, width="content", gap="small"):
            move_buttons(job, order)
            cancel_button(job, "tertiary")
