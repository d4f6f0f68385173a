"""The student beside its teacher before anything runs: size and speed, predicted."""

from __future__ import annotations

import streamlit as st

from backend.planning.forecast import ModelForecast
from backend.planning.planner import PlannedStage
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import decimal, format_size, number, percent
from studio.ui.shared.i18n import _


def student_preview(step: PlannedStage) -> None:
    """A small table and a sentence for a step that cuts a student; nothing for others."""
    found = api_cache.studio().outlooks(step)
    if found is None:
        return
    teacher, student = found
    st.header(_("Student preview"), anchor=False)
    lines = [["", _("Teacher"), _("Student")], ["---", "---:", "---:"]]
    lines += [[word, *cells] for word, *cells in zip(_words(), _figures(teacher), _figures(student), strict=True)]
    st.markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))
    smaller = percent(1 - student.int4_bytes / teacher.fp32_bytes)
    faster = number(teacher.fp32_answer_seconds / student.int4_answer_seconds)
    words = _("In INT4: {smaller} smaller than its FP32 teacher and about {times}× as fast.")
    st.caption(words.format(smaller=smaller, times=faster))
    st.caption(_("Estimated for this machine; quality is measured after distillation."))


def _words() -> list[str]:
    return [_("Parameters"), _("Size in FP32"), _("Size in INT4"), _("First token, INT4"), _("Tokens/s, INT4")]


def _figures(model: ModelForecast) -> list[str]:
    """In the order of `_words`; a figure and its unit stay on one line."""
    figures = [
        f"{decimal(model.parameters / 1e6, 1, 1)} M",
        format_size(model.fp32_bytes),
        format_size(model.int4_bytes),
        f"{number(model.first_token_seconds * 1000)} ms",
        number(model.tokens_per_s),
    ]
    return [figure.replace(" ", "\u00a0") for figure in figures]
