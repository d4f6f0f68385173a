"""What to do when a plain method without a language model answers as well as what was trained, and when INT4 took much."""

from __future__ import annotations

import streamlit as st

from backend.core.schemas import ArtifactView, RunView
from backend.results.run_result import RunResult
from studio.nav import COMPARE, DATA, RUN
from studio.ui.result.words import bits_words, lost_to_baseline
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link
from studio.ui.shared.i18n import _
from studio.ui.shared.upload import download_link


def simpler_is_as_good(run: RunView, result: RunResult) -> None:
    """Three ways on; nothing where the model is better than the quick baseline."""
    if not lost_to_baseline(result):
        return
    with st.container(border=True, key="result_simpler", gap="small"):
        st.markdown(f":orange[:material/warning:] **{_('Training has not paid off yet. Three ways forward:')}**")
        st.markdown(
            "\n".join(
                f"1. {words}"
                for words in (
                    _("Add rows: varied examples help most."),
                    _("Train for more epochs: edit the run and start it again."),
                    _("Keep the baseline: a small Python script that answers without a language model."),
                )
            )
        )
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            query = {"data": result.data.id} if result.data else {}
            page_link(DATA.path, label=_("Add rows"), icon=DATA.icon, query_params=query)
            page_link(RUN.path, label=_("Edit the run"), icon=RUN.icon, query_params={"id": run.id})
            if kept := _kept(run):
                download_link(kept, _("Download the baseline"))
            page_link(COMPARE.path, label=_("Show the baseline"), icon=COMPARE.icon)


def _kept(run: RunView) -> ArtifactView | None:
    """The baseline that a run has measured, as a folder that answers on its own."""
    made = {job.result.get("artifact") for job in run.jobs if job.stage == "baseline"}
    return next((one for one in api_cache.artifacts() if one.id in made and one.facts.get("kept")), None)


def downloads(package: ArtifactView, result: RunResult, before: ArtifactView | None) -> str:
    """The package; where its INT4 model lost quality, first the model before it. Returns the reason, to be said below."""
    _said, lost = bits_words(result)
    if not lost or before is None:
        download_link(package, _("Download"))
        return ""
    download_link(before, _("Download the model before INT4"), primary=True)
    download_link(package, _("Download INT4"))
    return _("The model before INT4 is larger and slower, but better on the test rows.")
