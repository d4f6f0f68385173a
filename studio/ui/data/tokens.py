"""The tab Tokens: how a model reads a row piece by piece, and how long the rows are for it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from backend.api import MODEL_KINDS
from backend.core.errors import StudioError
from backend.core.refs import RefTo
from backend.core.schemas import ArtifactView
from studio.ui.data import calls
from studio.ui.data.length_chart import length_chart
from studio.ui.data.token_chips import token_chips
from studio.ui.forms.form import problem_line
from studio.ui.forms.pickers import choices
from studio.ui.forms.stage_panel import prepare_builtin
from studio.ui.shared import address, api_cache
from studio.ui.shared.charts import chart_config
from studio.ui.shared.formatting import escape_markdown, number, option_label
from studio.ui.shared.i18n import _, ngettext

LIMIT = 512
KEY = "tokens_of"
"""Dataset, split and id of the row that was asked for by name."""


def show_tokens(view: ArtifactView, split: str, row_id: str) -> None:
    """Callback: the tab with this row."""
    st.session_state[KEY] = (view.id, split, row_id)
    st.session_state[f"tokens_split_{view.id}"] = split
    address.write("tab", "tokens")


def _forget() -> None:
    st.session_state.pop(KEY, None)


def tokens_tab(view: ArtifactView) -> None:
    models = choices(RefTo(MODEL_KINDS))
    if not models:
        st.info(_("No local model to tokenize with."), icon=":material/info:")
        return
    rows = {split: count for split, count in view.facts.get("rows", {}).items() if count}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="token_choice"):
        model = st.selectbox(_("Model"), list(models), format_func=models.__getitem__, key="tokens_model", width=330)
        split = st.selectbox(
            _("Split"),
            list(rows),
            format_func=lambda name: option_label("evaluate", "split", name),
            key=f"tokens_split_{view.id}",
            filter_mode=None,
            width=150,
        )
        place = st.number_input(
            _("Row"), 1, rows.get(str(split), 1), key=f"tokens_row_{view.id}_{split}", width=150, on_change=_forget
        )
    if model in api_cache.missing_builtins():
        prepare_builtin(str(model))
        return
    try:
        _row(view, str(split), int(place), str(model))
        st.header(_("Row length"), anchor=False)
        _lengths(view, str(split), str(model))
    except StudioError as error:
        names = {each.path.name: each.name for each in api_cache.artifacts()}
        for problem in error.problems:
            named = {key: names.get(value, value) for key, value in problem.args.items() if isinstance(value, str)}
            problem_line(problem.model_copy(update={"args": problem.args | named}))


def _row(view: ArtifactView, split: str, place: int, model: str) -> None:
    asked = st.session_state.get(KEY)
    if asked and asked[:2] == (view.id, split):
        shown = api_cache.studio().dataset_row(*asked)
    else:
        (shown,) = api_cache.studio().dataset_page(view.id, split, place, 1).rows
    st.caption(escape_markdown(_("Row {id}").format(id=shown.row.id)))
    with st.spinner(_("Tokenizing the row…"), show_time=False):
        found = calls.token_view(view.id, shown.row.id, split, model)
    learned = sum(bool(piece.loss) for piece in found.pieces)
    with st.grid(3, min_column_width=130, gap="small"):
        st.metric(_("Prompt tokens"), number(found.prompt_tokens))
        st.metric(_("Answer tokens"), number(found.answer_tokens))
        st.metric(_("Trained tokens"), number(learned), help=_("Only these are trained; the rest is context."))
    token_chips(f"chips_{view.id}", found.pieces)


def _lengths(view: ArtifactView, split: str, model: str) -> None:
    limit = st.number_input(
        _("Maximum length in tokens"), 16, 131_072, LIMIT, step=64, key=f"tokens_limit_{view.id}", width=220
    )
    with st.spinner(_("Counting tokens…"), show_time=False):
        found = calls.token_lengths(view.id, model, split, int(limit))
    rows, total = int(found.measured), found.total
    too_long = int(found.truncated) + int(found.dropped)
    words = _("{m} of {n} rows exceed the limit.").format(m=number(too_long), n=number(rows))
    st.markdown(f":orange[:material/content_cut:] {words}" if too_long else f":green[:material/check:] {words}")
    if too_long:
        st.caption(_too_long(found))
    st.plotly_chart(
        length_chart(total.edges, total.counts, int(limit)),
        key="length_chart",
        config=chart_config("lengths"),
        alt=words,
    )
    words = _("{share}% have up to {n}")
    parts = [words.format(share=share, n=number(tokens)) for share, tokens in total.percentiles.items()]
    if found.sampled:
        words = _("a sample: {n} of {m} rows")
        parts.append(words.format(n=number(rows), m=number(found.rows)))
    st.caption(" · ".join(parts))


def _too_long(found: Any) -> str:
    parts = []
    if found.truncated:
        parts.append(ngettext("{n} row would be truncated", "{n} rows would be truncated", int(found.truncated)))
    if found.dropped:
        parts.append(ngettext("{n} row would be dropped", "{n} rows would be dropped", int(found.dropped)))
    return ", ".join(parts) + "."
