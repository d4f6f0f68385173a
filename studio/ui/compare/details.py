"""Below the charts: the answers of two models row by row, which label was taken for which, how each model was made."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from backend.results.answers import AnswerRow, Answers, Show
from studio.ui.compare.confusion import CROWDED, confusion_chart
from studio.ui.compare.controls import Selection, model_choice
from studio.ui.compare.labels import model_kind_label, origin_texts, short_name, significance_text, truncate
from studio.ui.shared import address, api_cache
from studio.ui.shared.charts import chart_config
from studio.ui.shared.formatting import escape_markdown
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.table import Cell, Column, plain_table

PAGE = 20
LONGEST = 2_000
"""Letters of a text on the page; the CSV file has all of them."""
FILTER, SEARCH, TURN = "cmp_show", "cmp_search", "cmp_turn"


def details(choice: Selection) -> None:
    sections: dict[str, tuple[str, Callable[[Selection], None]]] = {"rows": (_("Row by row"), _rows)}
    if any("accuracy" in one.metrics for one in choice.group):
        sections["confusion"] = (_("Confusion matrix"), _confusion)
    sections["making"] = (_("Lineage"), _making)
    chosen = st.segmented_control(
        _("Details"),
        list(sections),
        format_func=lambda each: sections[each][0],
        required=True,
        label_visibility="collapsed",
        persist_state="session",
        wrap=True,
        **address.bound("view", "rows", sections, key="cmp_section"),
    )
    sections[str(chosen or "rows")][1](choice)


def answers_of(choice: Selection) -> Answers:
    """Of the two models that stand face to face, or of one."""
    other = None if choice.picked.id == choice.against.id else choice.against.id
    return api_cache.studio().answers(choice.picked.id, other)


def shown_rows(answers: Answers) -> list[str]:
    """Ids of the rows that the filter and the search leave."""
    show: Show = st.session_state.get(FILTER) or "all"
    return answers.rows(show, st.session_state.get(SEARCH, ""))


def _rows(choice: Selection) -> None:
    answers = answers_of(choice)
    two = choice.picked.id != choice.against.id
    if two:
        _paired(choice, answers)
    first, second = choice.names[choice.picked.id], choice.names[choice.against.id]
    words: dict[str, str] = {"all": _("All rows")}
    if two:
        words |= {"differ": _("Different answers"), "first_wrong": _wrong(first), "second_wrong": _wrong(second)}
    else:
        words["first_wrong"] = _("Incorrect")
    if st.session_state.get(FILTER) not in words:
        st.session_state[FILTER] = "all"
    with st.container(horizontal=True, vertical_alignment="top", key="cmp_filter"):
        st.segmented_control(
            _("Rows"),
            list(words),
            format_func=words.__getitem__,
            key=FILTER,
            on_change=_to_first,
            required=True,
            wrap=True,
        )
        st.text_input(_("Search"), key=SEARCH, on_change=_to_first, placeholder=_("Search in all text"), max_chars=200)
    ids = shown_rows(answers)
    pages = max(1, -(-len(ids) // PAGE))
    labels = "accuracy" in choice.picked.metrics
    same = "" if labels else " · " + _("correct = exact match")
    st.caption(ngettext("{n} row", "{n} rows", len(ids)) + same)
    if not ids:
        st.info(_("No matching rows. Clear the filter or the search."), icon=":material/search_off:")
        return
    table = st.container()
    turn = f"cmp_page_{choice.picked.id}_{choice.against.id}_{st.session_state.get(TURN, 0)}"
    number = st.pagination(pages, key=turn) if pages > 1 else 1
    with table:
        _answers_table(answers.page(ids, number, PAGE), first, second)


def _wrong(name: str) -> str:
    return _("{name} incorrect").format(name=escape_markdown(short_name(name, 24)))


def _to_first() -> None:
    """Another filter begins with its first page: the pages get a new key."""
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1


def _paired(choice: Selection, answers: Answers) -> None:
    first, second = choice.names[choice.picked.id], choice.names[choice.against.id]
    paired = answers.paired()
    with st.grid(4, min_column_width=140, gap="small"):
        st.metric(_("Both correct"), paired.both, border=True, height="stretch")
        st.metric(_only(first), paired.only_first, border=True, height="stretch")
        st.metric(_only(second), paired.only_second, border=True, height="stretch")
        st.metric(_("Both incorrect"), paired.neither, border=True, height="stretch")
    st.markdown(escape_markdown(significance_text(paired, first, second)))


def _only(name: str) -> str:
    return _("Only {name} correct").format(name=escape_markdown(short_name(name, 24)))


def _answers_table(rows: list[AnswerRow], first: str, second: str) -> None:
    titles = [_("Input"), _("Correct answer"), first]
    if rows[0].second is not None:
        titles.append(second)
    columns: list[Column] = [{"title": title, "kind": "words"} for title in titles]
    plain_table("cmp_answers", _("Row by row"), columns, [_answer_cells(row) for row in rows], stack=True)


def _answer_cells(row: AnswerRow) -> list[Cell]:
    asked: Cell = {"text": truncate(row.input, LONGEST)}
    if row.fields:
        asked["sub"] = truncate(" · ".join(f"{name}: {value}" for name, value in row.fields.items()), LONGEST)
    cells: list[Cell] = [asked, {"text": truncate(row.expected, LONGEST)}]
    cells.append(_marked(row.first, row.first_right))
    if row.second is not None:
        cells.append(_marked(row.second, bool(row.second_right)))
    return cells


def _marked(text: str, right: bool) -> Cell:
    return {
        "text": truncate(text, LONGEST) or "–",
        "mark": "good" if right else "bad",
        "said": _("correct") if right else _("incorrect"),
    }


def _confusion(choice: Selection) -> None:
    one = model_choice(_("Model"), choice, "confusion", choice.picked)
    table = api_cache.studio().confusion(one.id)
    if table is None:
        st.info(_("This model was evaluated on free text: no confusion matrix."), icon=":material/info:")
        return
    name = choice.names[one.id]
    left, right = st.columns([3, 2], gap="medium")
    with left, st.container(key=f"cmp_confusion_{'wide' if len(table.labels) > CROWDED else 'box'}"):
        st.plotly_chart(
            confusion_chart(table),
            key="cmp_confusion_chart",
            config=chart_config("confusion"),
            alt=_("Confusion matrix of {name}").format(name=name),
        )
    with right:
        st.markdown(f"**{_('Most frequent confusions')}**")
        mistakes = table.mistakes()
        if not mistakes:
            st.caption(_("No confusions between labels."))
            return
        columns: list[Column] = [
            {"title": _("Correct answer"), "kind": "words"},
            {"title": _("Answered"), "kind": "words"},
            {"title": _("Rows"), "kind": "figure"},
        ]
        rows: list[list[Cell]] = [[{"text": a}, {"text": b}, {"text": str(count)}] for a, b, count in mistakes]
        plain_table("cmp_mistakes", _("Most frequent confusions"), columns, rows)


def _making(choice: Selection) -> None:
    columns: list[Column] = [{"title": _("Model"), "kind": "name"}, {"title": _("Lineage"), "kind": "words"}]
    rows: list[list[Cell]] = [
        [{"text": choice.names[one.id], "sub": model_kind_label(one)}, {"text": "\n".join(origin_texts(one))}]
        for one in choice.group
    ]
    plain_table("cmp_making", _("Lineage"), columns, rows, stack=True)
