"""What comes after a dataset: the card of one that has just been made, and the way to the training that takes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import streamlit as st

from backend.api.readings import stored_warnings
from backend.core.schemas import ArtifactView, Kind
from studio import nav
from studio.ui.data import calls
from studio.ui.data.facts import dataset_facts
from studio.ui.data.look import STAGE
from studio.ui.data.uploads import TAKEN
from studio.ui.forms.form import Form
from studio.ui.shared import api_cache
from studio.ui.shared.address import switch_page
from studio.ui.shared.formatting import escape_markdown
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.project import project
from studio.ui.shared.project_progress import latest_jobs

NEW = timedelta(minutes=30)
"""So long a dataset is news on the page that made it."""
_SEEN = "datasets_seen"


def seen(view: ArtifactView) -> None:
    """It was opened in this session: its card has done its work."""
    st.session_state.setdefault(_SEEN, set()).add(view.id)


def made_card() -> bool:
    """The dataset that the newest job of the page made, until it is opened, old, or followed by another file. Says whether
    there is one."""
    jobs = latest_jobs(api_cache.project_runs(project().id), STAGE)
    made = str(jobs[0].result.get("artifact") or "") if jobs and jobs[0].state.finished else ""
    view = next((one for one in api_cache.artifacts((Kind.DATASET,)) if one.id == made), None)
    since = max(datetime.now(UTC) - NEW, st.session_state.get(TAKEN, datetime.min.replace(tzinfo=UTC)))
    if view is None or view.id in st.session_state.get(_SEEN, ()) or view.created < since:
        return False
    warnings = len(stored_warnings(view.facts))
    with st.container(border=True, key="made", gap="small"):
        words = _("**{name}** is ready").format(name=escape_markdown(view.name))
        badge = f" :orange-badge[{ngettext('{n} warning', '{n} warnings', warnings)}]" if warnings else ""
        st.markdown(f":green[:material/check_circle:] {words}{badge}")
        st.caption(" · ".join(dataset_facts(view)))
        with st.container(horizontal=True, gap="small"):
            if st.button(_("Look at the rows"), key="made_rows", icon=":material/table_rows:", type="primary"):
                switch_page(nav.DATA.path, query_params={"data": view.id})
            check = partial(api_cache.run_action, partial(calls.check_again, view.id))
            if st.button(_("Check the dataset"), key="made_checks", icon=":material/fact_check:", on_click=check):
                switch_page(nav.DATA.path, query_params={"data": view.id, "tab": "checks"})
            tune_button(view)
    return True


def tune_button(view: ArtifactView) -> None:
    """Opens the page Fine-tune with this dataset chosen."""
    if not view.facts.get("rows", {}).get("train"):
        return
    if st.button(_("Fine-tune on it"), key=f"tune_{view.id}", icon=nav.FINETUNE.icon, on_click=_take, args=(view.id,)):
        switch_page(nav.FINETUNE.path)


def _take(dataset: str) -> None:
    Form("finetune").take({"data": dataset})
