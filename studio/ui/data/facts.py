"""A dataset in one line, and what was said when it was made."""

from __future__ import annotations

import streamlit as st

from backend.api.datasets import SPLITS
from backend.api.readings import stored_warnings
from backend.core.schemas import ArtifactView
from studio.ui.data import calls
from studio.ui.forms.form import problem_line
from studio.ui.shared.formatting import ago, escape_markdown, format_size, number, option_label
from studio.ui.shared.i18n import _, ngettext


def dataset_facts(view: ArtifactView) -> list[str]:
    """Rows of each split, labels, size, license, age."""
    rows = {split: count for split in SPLITS if (count := view.facts.get("rows", {}).get(split))}
    parts = [f"{option_label('evaluate', 'split', split)} {number(count)}" for split, count in rows.items()]
    if view.facts.get("labels"):
        parts.append(ngettext("{n} label", "{n} labels", len(view.facts["labels"])))
    return [
        *parts,
        format_size(view.size_bytes),
        escape_markdown(view.license or _("license unknown")),
        ago(view.created),
    ]


def dataset_warnings(view: ArtifactView) -> None:
    """What was said when it was made, folded."""
    if found := stored_warnings(view.facts, calls.score_card(view.id)):
        title = ngettext("{n} warning", "{n} warnings", len(found))
        with st.expander(title, icon=":material/warning:", key=f"warnings_{view.id}"):
            for problem in found:
                problem_line(problem)
