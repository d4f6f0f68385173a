"""One row in a window: all of its texts, to be edited; and the window for a new row."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from backend.api.datasets import SPLITS, Row, ShownRow
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView
from studio.ui.data.tokens import show_tokens
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import escape_markdown, message_markdown, option_label
from studio.ui.shared.i18n import _

KEY = "row_open"
_ERROR = "row_error"
NEW = ""


def open_row(view: ArtifactView, split: str, row_id: str) -> None:
    """Callback: the row's window opens; `NEW`: that of a new row."""
    st.session_state[KEY] = (view.id, split, row_id)
    st.session_state.pop(_ERROR, None)
    for name in ("input", "output", "tags", "add_label"):
        st.session_state.pop(f"row_{name}", None)


def new_row(row: Row) -> ShownRow:
    return ShownRow(row=row, state="added")


def row_dialog(view: ArtifactView) -> None:
    """Draws the window while a row is open."""
    dataset, split, row_id = st.session_state.get(KEY, ("", "", ""))
    if dataset != view.id:
        return
    title = escape_markdown(_("Row {id}").format(id=row_id)) if row_id else _("New row")
    st.dialog(title, width="medium", on_dismiss=_end, icon=":material/edit:")(_body)(view, split, row_id)


def _end() -> None:
    st.session_state.pop(KEY, None)


def _body(view: ArtifactView, split: str, row_id: str) -> None:
    if st.session_state.get(KEY) != (view.id, split, row_id):  # done or cancelled within the dialog
        st.rerun()
    with api_cache.show_errors():
        found = api_cache.studio().dataset_row(view.id, split, row_id) if row_id else new_row(Row(id=NEW, input=""))
        row = found.row
        if not row_id:
            split = _new_split(view, split)
        _before(row)
        st.text_area(_("Input"), key="row_input", height=130, **_begin("row_input", row.input))
        _answer(view, row)
        st.multiselect(
            _("Tags"),
            sorted({*row.tags, *st.session_state.get("row_tags", ())}),
            key="row_tags",
            accept_new_options=True,
            placeholder=_("Type a tag"),
            **_begin("row_tags", list(row.tags)),
        )
        _beside(row)
        if split == "test":
            st.caption(f":material/info: {_('Test row: earlier results will not be comparable after this change.')}")
        if wrong := st.session_state.get(_ERROR):
            st.error(message_markdown(wrong), icon=":material/error:")
        _buttons(view, split, found)


def _begin(key: str, value: Any) -> dict[str, Any]:
    """The first value of a field, unless the session has one already."""
    st.session_state.setdefault(key, value)
    return {}


def _new_split(view: ArtifactView, split: str) -> str:
    splits = [name for name in SPLITS if name != "pool"]
    st.session_state.setdefault("row_split", split if split in splits else "train")
    chosen = st.selectbox(
        _("Split"), splits, format_func=lambda name: option_label("evaluate", "split", name), key="row_split"
    )
    return str(chosen or "train")


def _answer(view: ArtifactView, row: Row) -> None:
    labels = api_cache.studio().edits.labels(view.id)
    if not labels:
        st.text_area(_("Answer"), key="row_output", height=130, **_begin("row_output", row.output or ""))
        return
    st.session_state.setdefault("row_output", row.output)
    known = [*labels, row.output, st.session_state["row_output"]]  # what was typed stays a choice
    options = list(dict.fromkeys(each for each in known if each))
    chosen = st.selectbox(
        _("Answer"),
        options,
        key="row_output",
        accept_new_options=True,
        placeholder=_("Choose or type a label"),
    )
    if chosen and chosen not in labels:
        words = _("Add “{label}” to the dataset's labels").format(label=escape_markdown(chosen))
        st.checkbox(words, key="row_add_label")


def _before(row: Row) -> None:
    """What comes before the row in its conversation, and what the model may call."""
    if row.context:
        with st.expander(_("Earlier messages: {n}").format(n=len(row.context)), key="row_context"):
            for message in row.context:
                with st.chat_message("assistant" if message["role"] == "assistant" else "user"):
                    st.text(str(message.get("content") or json.dumps(message.get("tool_calls"), ensure_ascii=False)))
    if row.tools:
        with st.expander(_("Tools"), key="row_tools"):
            st.code(json.dumps(row.tools, ensure_ascii=False, indent=1), language="json", wrap_lines=True)


def _beside(row: Row) -> None:
    """What belongs to the row and is not edited here."""
    if row.tool_calls:
        st.markdown(f"**{_('Tool calls')}**")
        st.code(json.dumps(row.tool_calls, ensure_ascii=False, indent=1), language="json", wrap_lines=True)
    if row.rejected is not None:
        st.markdown(f"**{_('Rejected answer')}**")
        st.text(row.rejected)
    if row.fields:
        pairs = [f"{escape_markdown(name)}: {escape_markdown(value)}" for name, value in row.fields.items()]
        st.caption(" · ".join(pairs))


def _buttons(view: ArtifactView, split: str, found: ShownRow) -> None:
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if not found.state and found.row.id:
            st.button(
                _("Tokens"),
                key="row_tokens",
                icon=":material/token:",
                on_click=_tokens,
                args=(view, split, found.row.id),
            )
        if found.row.id and found.state != "deleted":
            st.button(
                _("Delete"),
                key="row_delete",
                icon=":material/delete:",
                on_click=_delete,
                args=(view.id, split, found.row.id),
            )
        st.button(_("Cancel"), key="row_cancel", on_click=_end)
        st.button(
            _("Save") if found.row.id else _("Add row"),
            key="row_save",
            type="primary",
            disabled=found.state == "deleted",
            help=_("This row is deleted. Undo that first.") if found.state == "deleted" else None,
            on_click=_save,
            args=(view.id, split, found.row),
        )


def _tokens(view: ArtifactView, split: str, row_id: str) -> None:
    show_tokens(view, split, row_id)
    _end()


def _delete(dataset: str, split: str, row_id: str) -> None:
    api_cache.run_action(lambda: api_cache.studio().edits.change_rows(dataset, split, "delete", [row_id]))
    _end()


def _save(dataset: str, split: str, row: Row) -> None:
    edits, state = api_cache.studio().edits, st.session_state
    output = state.get("row_output") or None if row.output is None else state.get("row_output") or ""
    tags, add = list(state.get("row_tags") or []), bool(state.get("row_add_label"))
    words = str(state.get("row_input", ""))
    try:
        if row.id:
            edits.edit(dataset, split, row, input=words, output=output, tags=tags, add_label=add)
        else:
            edits.add(dataset, str(state.get("row_split", split)), words, output or "", tags, add)
    except StudioError as error:
        state[_ERROR] = "\n\n".join(problem.sentence(_) for problem in error.problems)
        return
    _end()
