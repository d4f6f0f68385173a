"""The page Data: a file or the demo becomes a dataset; the datasets there are, with their rows."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from backend.data.demo import SOURCE as DEMO
from studio import nav
from studio.ui.data.dataset import dataset_page
from studio.ui.data.datasets import dataset_list
from studio.ui.data.hub import hub_box
from studio.ui.data.look import FOLLOWING, STAGE, any_column, at_work, column_choices, look_at
from studio.ui.data.onward import dataset_actions
from studio.ui.data.reading import reading_form, told
from studio.ui.data.uploads import another_file, chosen_source, source_choices, take_upload, upload_source
from studio.ui.forms.form import Form
from studio.ui.forms.stage_page import apply_query_params, jobs_of, last_failure
from studio.ui.forms.stage_panel import stage_panel
from studio.ui.gallery.cards import gallery
from studio.ui.shared import api_cache
from studio.ui.shared.i18n import _
from studio.ui.shared.project_progress import next_link, project_stepper

_NOT_THE_DEMO = frozenset({*FOLLOWING, "validation_source", "test_source", "turns", "license"} - {"name"})


def data_page() -> None:
    if opened := st.query_params.get("data"):
        with api_cache.show_errors():
            dataset_page(opened)
        return
    st.title(_("Data"), anchor=False)
    st.caption(_("Turn a file of examples into a dataset for training and evaluation."))
    with api_cache.show_errors():
        project_stepper(nav.DATA)
        apply_query_params(STAGE)
        ended = jobs_of(STAGE, dataset_actions)
        last_failure(STAGE)
        if not ended:
            next_link(nav.DATA)
        upload_source()
        hub_box()
        gallery(take_upload)
        _form()
        dataset_list()


def _form() -> None:
    """The form, with the reading of its file; while that takes longer than a moment, a line in its place."""
    another_file()
    sources = source_choices(DEMO)
    others = {"": _("from the same file"), **{path: words for path, words in sources.items() if path != DEMO}}
    choices = {"source": sources, "validation_source": others, "test_source": others}
    hidden = _NOT_THE_DEMO if chosen_source(sources, DEMO) == DEMO else frozenset({"languages"})
    form = Form(STAGE, choices | any_column(), hidden)
    look = look_at(form.values()[0])
    if look.work:
        at_work(form, look.work)
        return
    make: dict[str, Any] = {"choices": choices | column_choices(look), "hidden": hidden}
    stage_panel(STAGE, **make, aside=partial(reading_form, look=look, other=make), told=told(look))
