"""The card that says how a file is read: what was found, which column plays which part, and the question that is left."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import streamlit as st

from backend.api.readings import (
    CHOSEN,
    Candidate,
    ColumnReading,
    Reading,
    arrow,
    choice,
    found_words,
    left_out,
    message_text,
    schema_words,
    stored_notes,
    stored_reading,
    used_columns,
)
from backend.core.messages.data import ROW_ERRORS
from backend.core.messages.reading_words import KINDS, ROLES
from backend.core.schemas import ArtifactView
from studio.ui.data.look import COLUMN_LISTS, LAYOUT, STAGE, Look
from studio.ui.data.row_errors import row_errors
from studio.ui.forms.form import Form, problem_line
from studio.ui.shared.formatting import count_text, escape_markdown, message_markdown, number
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.table import Cell, Column, Tag, plain_table

if TYPE_CHECKING:
    from backend.api.readings import Inspection, PreviewRow
    from backend.core.errors import Problem

_TONES = {"input": "accent", "messages": "accent", "output": "green", "rejected": "red"}
_AVATARS = {"user": ":material/person:", "assistant": ":material/smart_toy:", "tool": ":material/build:"}
_MOST_COLUMNS = 12
_CHARS = 600
_EXAMPLE_CHARS = 40


def reading_form(form: Form, look: Look, other: Mapping[str, Any]) -> None:
    """The card below the first fields of the form: it may choose another reading. `other`: how the page makes its form."""
    found = look.found or look.free
    if found is None:
        return
    with st.container(border=True, key="reading"):
        row_errors(found.problems, form)
        _head(found.reading, str(st.session_state.get(form.key("turns")) or ""))
        _notes(found)
        if look.free:
            _readings(look.free.reading, None if found.reading.question else found.reading.taken, form, other)
        _columns(found.reading)
        layout = [name for name in LAYOUT if name in form.fields]
        if layout:
            _layout(form, layout)
        _rows(found)


def told(look: Look) -> frozenset[str]:
    """The codes of what the card says, so that the form need not say it too."""
    found = look.found or look.free
    if found is None:
        return frozenset()
    asked = [found.reading.question] if found.reading.question else []
    said = [problem for problem in found.problems if not problem.blocking or problem.code in ROW_ERRORS]
    return frozenset(problem.code for problem in (*said, *asked))


def _warnings(found: Inspection) -> list[Problem]:
    rest = [problem for problem in found.problems if not problem.blocking and not problem.is_note]
    return [problem for problem in rest if problem.code not in ROW_ERRORS]


def _notes(found: Inspection) -> None:
    _note_lines([problem for problem in found.problems if problem.is_note])
    for problem in _warnings(found):
        problem_line(problem)


def _note_lines(notes: list[Problem]) -> None:
    """What was taken, but for what the head and the table of columns say."""
    for note in notes:
        if not note.code.startswith("reading.taken_by_"):
            st.caption(f":material/info: {message_markdown(note.fact(_))}")


def _layout(form: Form, names: list[str]) -> None:
    """The fields that say how the text of the file is laid out, for a reading that looks wrong."""
    with st.expander(_("Text looks wrong?"), icon=":material/translate:", key="layout"):
        left, right = st.columns(2)
        for at, name in enumerate(names):
            with (left, right)[at % 2]:
                form.draw([name], form.problems)


def reading_card(view: ArtifactView) -> None:
    """How the file of a stored dataset was read."""
    reading = stored_reading(view.path)
    if reading is None:
        st.info(_("This dataset was not imported from a file."), icon=":material/info:")
        return
    with st.container(border=True, key=f"reading_{view.id}"):
        _head(reading)
        _note_lines(stored_notes(view.facts))
        _columns(reading)


def _head(reading: Reading, turns: str = "") -> None:
    """`turns`: which answers of a conversation are learned, where that is to be said."""
    chips = " ".join(f":gray-badge[{escape_markdown(part)}]" for part in found_words(reading, _, count_text))
    st.markdown(f"**{escape_markdown(reading.file)}** {chips}")
    if not reading.taken:
        return
    taken = reading.taken
    st.markdown(
        f":material/schema: **{escape_markdown(schema_words(taken.schema_name, _))}** · {escape_markdown(arrow(taken))}"
    )
    if taken.roles.messages and turns == "all":
        st.caption(_("Each answer of a conversation becomes a row, with the preceding messages."))
    if reading.answer == "label" and reading.labels:
        labels = ", ".join(_short(label, _EXAMPLE_CHARS) for label in reading.labels[:8]) + (
            ", …" if len(reading.labels) > 8 else ""
        )
        st.caption(escape_markdown(f"{ngettext('{n} label', '{n} labels', len(reading.labels))}: {labels}"))
    if rest := left_out(reading):
        named = ", ".join(rest[:8]) + (", …" if len(rest) > 8 else "")
        st.caption(escape_markdown(_("Not used: {columns}").format(columns=named)))


def _readings(free: Reading, taken: Candidate | None, form: Form, other: Mapping[str, Any]) -> None:
    """A choice between the readings that fit, at the one that is `taken`; folded where nobody has to choose."""
    every = [*([free.taken] if free.taken else []), *free.alternatives]
    if len(every) < 2 and not free.question:
        return
    used = choice(taken) if taken else None
    now = next((at for at, one in enumerate(every) if choice(one) == used), None)
    if free.question:
        st.markdown(f"**{_('How should the rows be read?')}**")
        if now is None:
            asked = _("The file can be read in several ways. Choose one to preview it below.")
            st.caption(f":red[:material/error:] {escape_markdown(asked)}")
        _radio(every, now, form, other, free.columns)
        return
    with st.expander(_("Other interpretations"), icon=":material/alt_route:", key="readings"):
        _radio(every, now, form, other, free.columns)


def _caption(one: Candidate, examples: Mapping[str, list[str]]) -> str:
    """What the answers would be, else why it could be read so."""
    shown = ", ".join(f"“{_short(text, _EXAMPLE_CHARS)}”" for text in examples.get(one.roles.output, []))
    return _("Answers such as {examples}").format(examples=shown) if shown else one.reason.fact(_)


def _radio(
    every: list[Candidate],
    now: int | None,
    form: Form,
    other: Mapping[str, Any],
    columns: list[ColumnReading],
) -> None:
    def words(at: int) -> str:
        return f"**{escape_markdown(schema_words(every[at].schema_name, _))}** · {escape_markdown(arrow(every[at]))}"

    examples = {column.name: column.examples for column in columns}
    key = form.key("reading")
    if st.session_state.get(key) != now:
        st.session_state[key] = now
    st.radio(
        _("Interpretations"),
        range(len(every)),
        index=None,
        format_func=words,
        captions=[escape_markdown(_caption(one, examples)) for one in every],
        key=key,
        label_visibility="collapsed",
        on_change=_choose,
        args=(key, every, other),
    )


def _choose(key: str, every: list[Candidate], other: Mapping[str, Any]) -> None:
    """The fields of the form take the chosen reading."""
    at = st.session_state.get(key)
    if at is None:
        return
    empty: dict[str, Any] = {name: [] if name in COLUMN_LISTS else "" for name in CHOSEN} | {"data_schema": "auto"}
    Form(STAGE, **other).take(empty | choice(every[at]))


def _columns(reading: Reading) -> None:
    """A table: each column, what it is taken for and why. Those that have a part come first."""
    used = used_columns(reading.taken) - set(reading.taken.roles.carried) if reading.taken else set()
    ordered = sorted(reading.columns, key=lambda one: (one.name not in used, one.role == "unused"))
    if not ordered:
        return
    titles: list[Column] = [
        {"title": _("Column"), "kind": "name"},
        {"title": _("Read as"), "kind": "words"},
        {"title": _("Examples"), "kind": "words"},
    ]
    whole = reading.taken is not None and reading.taken.schema_name == "own_export"  # read back, whatever is in it
    if whole:
        ordered = [one for one in ordered if one.kind != "empty"]
    decided = reading.taken is not None and not whole
    if not decided:
        del titles[1]
    shown = ordered[:_MOST_COLUMNS]
    plain_table(
        "columns",
        _("File columns"),
        titles,
        [column_cells(one, decided) for one in shown],
        stack=True,
    )
    if more := len(ordered) - len(shown):
        st.caption(ngettext("{n} more column", "{n} more columns", more))


def column_cells(column: ColumnReading, decided: bool = True) -> list[Cell]:
    """A row of the table of columns; before it is `decided` how the rows are read, none is taken for anything."""
    tone: Any = _TONES.get(column.role, "" if column.role in ("unused", "carried") else "orange")
    tags: list[Tag] = [{"text": _(ROLES[column.role]), "tone": tone}]
    kind = _(KINDS[column.kind])
    told = column.reason is not None and column.reason.code.startswith("reading.is_")  # the kind says the same
    reason = None if told else column.reason
    distinct = _("{count} distinct").format(count=number(column.distinct)) if column.kind == "label" else ""
    return [
        {"text": column.name.strip() or _("unnamed"), "sub": " · ".join(part for part in (kind, distinct) if part)},
        *([Cell(text="", tags=tags, sub=reason.fact(_) if reason else "")] if decided else []),
        {"text": " · ".join(_short(example, _EXAMPLE_CHARS) for example in column.examples[:2])},
    ]


def _rows(found: Inspection) -> None:
    """The first rows as a model will read them, as a chat."""
    if found.reading.question:
        return
    st.markdown(f"**{_('Model input')}**")
    system = ""
    for row in _without_beginnings(found.preview)[:3]:
        with st.container(border=True, key=f"preview_{row.id}", gap="xsmall"):
            for turn in row.turns:
                text = message_text(turn)
                if turn["role"] == "system":
                    if text != system:
                        st.caption(f"{_('System prompt')}:")
                        st.text(_short(text))
                        system = text
                    continue
                role = turn["role"] if turn["role"] in _AVATARS else "user"
                with st.chat_message(role, avatar=_AVATARS[role]):
                    st.text(_short(text))
    if not found.preview:
        st.caption(escape_markdown(_("No readable rows.")))


def _without_beginnings(rows: list[PreviewRow]) -> list[PreviewRow]:
    """A conversation is a row per answer: only the longest shows what the others begin."""
    kept = [row for row, after in pairwise(rows) if after.turns[: len(row.turns)] != row.turns]
    return [*kept, *rows[-1:]]


def _short(text: str, most: int = _CHARS) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
