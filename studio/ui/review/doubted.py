"""Which rows of a dataset are reviewed: a teacher's answers, or those that a check of the data doubts."""

from __future__ import annotations

import streamlit as st

from backend.api.reviews import Chosen
from backend.core.schemas import ArtifactView, Kind
from studio.ui.shared import api_cache
from studio.ui.shared.i18n import _

TEACHER, DOUBTS = "teacher", "doubts"
_ROWS, _TEST = "review_rows", "review_test"


def doubted_datasets() -> dict[str, list[ArtifactView]]:
    """Dataset -> its checks that doubt rows, newest first."""
    found: dict[str, list[ArtifactView]] = {}
    for report in api_cache.artifacts((Kind.REPORT,)):
        if api_cache.studio().reviews.doubts(report):
            found.setdefault(report.facts["data"], []).append(report)
    return found


def chosen_rows(view: ArtifactView) -> Chosen:
    """As the address says (`?report=<id>`), else a teacher's answers where there are any, else what the newest check doubts.
    The choice stands in the address, so a reload keeps it."""
    reports = doubted_datasets().get(view.id, [])
    asked = st.query_params.get("report")
    report = next((each for each in reports if each.id == asked), reports[0] if reports else None)
    options = [TEACHER] * bool(view.facts.get("teacher")) + [DOUBTS] * bool(report)
    key = f"{_ROWS}_{view.id}"
    if st.session_state.get(key) not in options:
        st.session_state[key] = DOUBTS if report and report.id == asked else options[0]
    if len(options) > 1:
        words = {TEACHER: _("Teacher’s answers"), DOUBTS: _("Flagged by the check")}
        st.segmented_control(_("Rows"), options, format_func=words.__getitem__, key=key, required=True)
    if report is None or st.session_state[key] == TEACHER:
        st.query_params.pop("report", None)
        return Chosen()
    st.query_params["report"] = report.id
    return Chosen(report.id, _with_test(view, report))


def _with_test(view: ArtifactView, report: ArtifactView) -> bool:
    """Test rows only when a person asks for them."""
    more = api_cache.studio().reviews.doubts(report)["test"]
    if not more:
        return False
    words = _("Include test rows ({n})").format(n=more)
    said = _("Changing test rows makes earlier results incomparable.")
    return st.toggle(words, key=f"{_TEST}_{view.id}", help=said)
