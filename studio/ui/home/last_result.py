"""Home after a run: what the newest one has gained comes first."""

from __future__ import annotations

import streamlit as st

from backend.core.schemas import RunView
from studio.nav import RESULT
from studio.ui.result.page import result_of
from studio.ui.result.words import headline, tiles
from studio.ui.shared.address import page_link
from studio.ui.shared.formatting import ago, escape_markdown, stage_label
from studio.ui.shared.i18n import _

LOOKED_AT = 5
"""Of the newest runs: in an older one nobody looks for news."""


def last_result(runs: list[RunView]) -> None:
    """The newest run that has ended with a measured model; above it the way to one that goes on."""
    if runs and not runs[0].state.ended and any(job.stage == "package" for job in runs[0].jobs):
        with st.container(border=True, key="coming_result", horizontal=True, vertical_alignment="center"):
            name = escape_markdown(stage_label(runs[0].name))
            done = sum(job.state.finished for job in runs[0].jobs)
            steps = _("{done} of {steps} steps done").format(done=done, steps=len(runs[0].jobs))
            st.markdown(f":blue[:material/progress_activity:] **{name}** · {steps}", width="stretch")
            _link(runs[0].id)
    for run in [each for each in runs if each.state.ended][:LOOKED_AT]:
        _run, result = result_of(run.id)
        if result.best is None:
            continue
        with st.container(border=True, key="last_result", gap="small"):
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                name = escape_markdown(stage_label(run.name))
                st.markdown(f":green[:material/workspace_premium:] **{_('Latest result')}** · {name}", width="content")
                st.caption(ago(run.created), width="content")
            st.header(escape_markdown(headline(result)), anchor=False)
            with st.grid("auto", min_column_width=150, gap="small"):
                for tile in tiles(run, result):
                    st.metric(tile.label, tile.value, tile.below or None, delta_color="off", delta_arrow="off")
            _link(run.id)
        return


def _link(run_id: str) -> None:
    page_link(
        RESULT.path,
        label=_("Show the result"),
        icon=":material/arrow_forward:",
        icon_position="right",
        query_params={"run": run_id},
    )
