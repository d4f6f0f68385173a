"""What can be done with the model of a run: download, serve, report."""

from __future__ import annotations

import re

import streamlit as st

from backend.core.schemas import RunView
from backend.results.report import html
from backend.results.run_result import RunResult
from studio.nav import PLAYGROUND
from studio.ui.result.choice import choices
from studio.ui.result.report import result_report
from studio.ui.result.simpler import downloads
from studio.ui.serving import drawer as serving
from studio.ui.serving import state as serving_state
from studio.ui.shared.address import page_link
from studio.ui.shared.i18n import _


def actions(run: RunView, result: RunResult) -> None:
    usable = choices(result)
    model = usable[0]
    before = next((one for one in usable if one != result.model), None)
    teacher = result.teacher.model if result.teacher else None
    asked = filter(None, [*(one.id for one in (usable if model != result.model else [model])), teacher])
    why = ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="result_actions"):
        if result.package:
            why = downloads(result.package, result, before)
        st.button(
            _("Serve"),
            key="result_serve",
            icon=":material/cell_tower:",
            on_click=serving.open_drawer,
            args=(model.id,),
        )
        if result.best:
            stem = re.sub(r"[^\w.-]+", "-", run.name).strip("-") or "result"
            st.download_button(
                _("Report"),
                lambda: html(result_report(run, result)),
                f"{stem}.html",
                "text/html",
                key="result_report",
                icon=":material/description:",
                on_click="ignore",
            )
        page_link(
            PLAYGROUND.path,
            label=_("Open in the playground"),
            icon=PLAYGROUND.icon,
            query_params={"models": ",".join(asked)},
        )
    if why:
        st.caption(why)
    if st.session_state.get(serving_state.KEY) == model.id:
        serving.drawer(model)
