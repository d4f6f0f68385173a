"""The page Review: the rows, what is said of the teacher or of doubted labels by them, and the reviewed dataset."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import streamlit as st

from backend.api.reviews import Agreement, Chosen, ReviewCounts
from backend.core import refs
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from studio import nav
from studio.ui.forms.pickers import disambiguate, label
from studio.ui.forms.stage_page import apply_query_params, earlier_jobs, jobs_of
from studio.ui.forms.stage_panel import stage_panel
from studio.ui.review.component import review_box
from studio.ui.review.doubted import chosen_rows, doubted_datasets
from studio.ui.shared import api_cache, scope
from studio.ui.shared.address import page_link
from studio.ui.shared.formatting import escape_markdown, number, percent
from studio.ui.shared.i18n import _
from studio.ui.shared.project_progress import project_stepper

STAGE = "review"
_KEY = "review_data"
LOOK = 3.0


def review_page() -> None:
    st.title(_(nav.REVIEW.title), anchor=False)
    st.caption(_("Review a teacher’s answers or rows flagged by a check, least certain first. Your decision counts."))
    with api_cache.show_errors():
        project_stepper(nav.REVIEW)
        _of_job()
        found = reviewable()
        if not found:
            _nothing()
            return
        view = _choice(found)
        chosen = chosen_rows(view)
        review_box(view, chosen)
        counts = api_cache.studio().reviews.counts(view.id, chosen)
        _summary(view, counts, chosen)
        jobs_of(STAGE)
        if counts.reviewed:
            st.header(_("Reviewed dataset"), anchor=False)
            hidden = {"decisions"} | (set() if chosen.report else {"report", "test"})
            preset: dict[str, Any] = {"data": view.id}
            choices = {"data": {view.id: label(view)}}
            if chosen.report:
                preset |= {"report": chosen.report, "test": chosen.test}
                choices["report"] = {chosen.report: label(api_cache.studio().artifact(chosen.report))}
            stage_panel(STAGE, preset, choices, hidden=frozenset(hidden))
        earlier_jobs(STAGE)


def reviewable() -> list[ArtifactView]:
    """The datasets with a teacher's answers and those with rows that a check doubts, newest first; what a
    review has made comes last."""
    doubted = doubted_datasets()
    views = [view for view in scope.own((Kind.DATASET,)) if view.facts.get("teacher") or view.id in doubted]
    return sorted(views, key=lambda view: "review" in view.facts)


def _nothing() -> None:
    st.info(
        _("Nothing to review yet. Let a teacher answer a dataset, or check one."),
        icon=":material/info:",
    )
    for page in (nav.TEACHER, nav.DATA):
        words = _("Go to {page}").format(page=_(page.title))
        page_link(page.path, label=words, icon=":material/arrow_forward:")


def _of_job() -> None:
    """`?from=<job id>`: that job's dataset is reviewed, and the form takes its parameters."""
    if job_id := st.query_params.get("from"):
        try:
            job = api_cache.studio().job(job_id)
        except StudioError:
            st.query_params.pop("from", None)
            raise
        made = {each.stage_id: each.result.get("artifact", "") for each in api_cache.studio().run(job.run_id).jobs}
        st.query_params["review"] = refs.replace_refs(str(job.params.get("data", "")), made)
        if report := refs.replace_refs(str(job.params.get("report") or ""), made):
            st.query_params["report"] = report
        st.session_state.pop(_KEY, None)
    apply_query_params(STAGE)


def _choice(found: list[ArtifactView]) -> ArtifactView:
    """The dataset of the address (`?review=<id>`), else the newest; the choice stands in the address, so a reload keeps it."""
    options = disambiguate({view.id: label(view) for view in found})
    asked = st.query_params.get("review")
    if st.session_state.get(_KEY) not in options:
        st.session_state[_KEY] = asked if asked in options else found[0].id
    chosen = st.selectbox(_("Dataset"), list(options), format_func=options.__getitem__, key=_KEY)
    st.query_params["review"] = chosen
    return next(view for view in found if view.id == chosen)


def _summary(view: ArtifactView, first: ReviewCounts, chosen: Chosen) -> None:
    """Looks again by itself: decisions come past the page's script. With the first one the page is drawn anew."""
    st.header(_("Flagged rows") if chosen.report else _("Teacher accuracy"), anchor=False)

    def draw() -> bool:
        counts = api_cache.studio().reviews.counts(view.id, chosen)
        with st.grid(4, min_column_width=130, gap="small"):
            st.metric(_("Reviewed"), f"{number(counts.reviewed)} / {number(counts.total)}")
            st.metric(_("Accepted"), number(counts.accepted))
            st.metric(_("Corrected"), number(counts.edited))
            st.metric(_("Rejected"), number(counts.rejected))
        for line in doubt_words(counts) if chosen.report else agreement_words(counts, view):
            st.markdown(line)
        return counts.reviewed > 0

    api_cache.auto_refresh(draw, busy=first.reviewed > 0, fast=LOOK)
    if first.reviewed:
        _exports(view, chosen)


def doubt_words(counts: ReviewCounts) -> list[str]:
    """What the decisions say of rows that a check doubts: these are picked, so they say nothing of all rows."""
    found = counts.agreement
    if found is None:
        return [_("Review a few rows to see how many flags were right.")]
    said = _("**{share}** of {n} reviewed rows were wrong. Counts flagged rows only.")
    return [said.format(share=percent(1 - found.share), n=number(found.n))]


def agreement_words(counts: ReviewCounts, view: ArtifactView) -> list[str]:
    """What the decisions say of the teacher's accuracy, and how sure that is."""
    found = counts.agreement
    if found is None:
        return [_("Review a few rows to estimate the teacher's accuracy.")]
    values = {"share": percent(found.share), "low": percent(found.low), "high": percent(found.high)}
    values |= {
        "teacher": escape_markdown(str(view.facts["teacher"])),
        "n": number(found.n),
        "needed": number(found.needed),
    }
    if counts.reviewed == counts.total:
        return [_("All {n} answers by {teacher} reviewed: **{share}** correct.").format(**values)]
    said = _("**{share}** of {n} answers by {teacher} accepted (95% CI {low}–{high}).")
    return [
        said.format(**values),
        _sureness(found).format(**values),
        *([_order_words()] if counts.doubtful_first else []),
    ]


def _sureness(found: Agreement) -> str:
    if found.close:
        return _("Reliable: within ±5 points.")
    if found.n < 30:
        return _("Too few to be reliable. Review about {needed} rows for ±5 points.")
    return _("Rough estimate. Review about {needed} rows in total for ±5 points.")


def _order_words() -> str:
    return _("Least certain rows come first, so accuracy on the rest is probably higher.")


def _exports(view: ArtifactView, chosen: Chosen) -> None:
    rows = {"report": chosen.report} | ({"test": "1"} if chosen.test else {}) if chosen.report else {}
    with st.container(horizontal=True, gap="small"):
        for format, words in (("jsonl", _("Decisions (JSON Lines)")), ("csv", _("Decisions (CSV)"))):
            st.link_button(
                words,
                f"api/reviews/{view.id}/download?{urlencode({'format': format, **rows})}",
                key=f"review_{format}",
                icon=":material/download:",
                type="tertiary",
            )
