"""A dataset in one line, and what was said when it was made."""

from __future__ import annotations

import streamlit as st

from backend.api.datasets import SPLITS
from backend.api.readings import stored_warnings
from backend.core.errors import Problem
from backend.core.messages.data import ROW_ERRORS
from backend.core.schemas import ArtifactView
from studio.ui.data import calls
from studio.ui.data.row_errors import skipped_line
from studio.ui.forms.form import problem_line
from studio.ui.shared.formatting import ago, escape_markdown, format_size, message_markdown, number, option_label
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


def dataset_origin(view: ArtifactView) -> None:
    """The repository of a hub that its rows were fetched from."""
    origin = view.facts.get("hub")
    if origin:
        words = _("From {repo} on {host}, commit {commit}")
        named = {name: escape_markdown(str(origin.get(name, ""))) for name in ("repo", "host")}
        st.caption(words.format(**named, commit=f"`{str(origin.get('commit', ''))[:10]}`"))


def dataset_warnings(view: ArtifactView) -> None:
    """What was said when it was made, folded."""
    if found := stored_warnings(view.facts, calls.score_card(view.id)):
        title = ngettext("{n} warning", "{n} warnings", len(found))
        with st.expander(title, icon=":material/warning:", key=f"warnings_{view.id}"):
            for problem in found:
                _warning(problem)
            if any(_is_finding(problem) for problem in found):
                st.button(
                    _("Go to Checks"),
                    key=f"to_checks_{view.id}",
                    icon=":material/fact_check:",
                    on_click=st.session_state.update,
                    args=({f"tab_{view.id}": "checks"},),
                )


def _is_finding(problem: Problem) -> bool:
    return problem.code.startswith("gates.")


def _warning(problem: Problem) -> None:
    """The remedy of a finding is a button of the tab Checks; rows that were skipped need none."""
    if problem.code in ROW_ERRORS:
        skipped_line(problem)
    elif _is_finding(problem):
        st.markdown(f":orange[:material/warning:] :orange[{message_markdown(problem.fact(_))}]")
    else:
        problem_line(problem)
