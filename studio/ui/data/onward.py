"""What comes after a dataset: the card of one that has just been made, and the way to the training that takes it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from backend.core.schemas import ArtifactView
from studio import nav
from studio.ui.data import calls
from studio.ui.forms.form import Form
from studio.ui.shared import api_cache
from studio.ui.shared.address import switch_page
from studio.ui.shared.i18n import _


def dataset_actions(view: ArtifactView) -> None:
    """Where a dataset that has just been made leads."""
    if st.button(_("View rows"), key="made_rows", icon=":material/table_rows:", type="primary"):
        switch_page(nav.DATA.path, query_params={"data": view.id})
    check = partial(api_cache.run_action, partial(calls.check_again, view.id))
    if st.button(_("Check dataset"), key="made_checks", icon=":material/fact_check:", on_click=check):
        switch_page(nav.DATA.path, query_params={"data": view.id, "tab": "checks"})
    tune_button(view)


def tune_button(view: ArtifactView) -> None:
    """Opens the page Fine-tune with this dataset chosen, for raw text at its continued pre-training."""
    if view.facts.get("rows", {}).get("train"):
        stage, words = "finetune", _("Fine-tune with this dataset")
    elif view.facts.get("reading", {}).get("schema") == "raw_text":
        stage, words = "pretrain", _("Pre-train on this dataset")
    else:
        return
    if st.button(words, key=f"tune_{view.id}", icon=nav.FINETUNE.icon, on_click=_take, args=(stage, view.id)):
        switch_page(nav.FINETUNE.path, query_params={"step": stage})


def _take(stage: str, dataset: str) -> None:
    Form(stage).take({"data": dataset})
