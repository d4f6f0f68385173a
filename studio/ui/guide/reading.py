"""The reading of the dropped file, in short: what was taken, how it will be learned, what is wrong and how it is repaired."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING, Any

import streamlit as st

from backend.api.data_checks import FIX_TITLES
from backend.api.guide import GOALS, Material
from backend.api.readings import Candidate, arrow, choice, found_words, message_text, schema_words
from backend.core.errors import Problem
from studio.ui.forms.form import problem_line
from studio.ui.guide import state
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import count_text, escape_markdown, message_markdown
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.tasks import Task, background

if TYPE_CHECKING:
    from backend.api.readings import Inspection, PreviewRow

WAIT_SECONDS = 3.0
FIXES = {"data.contradictions": "drop_contradictions", "data.few_distinct": "drop_duplicates"}
"""Warnings of a reading that one fix of the stage `clean_data` takes away."""
_CHARS = 280
_SHOWN_ROWS = 2
_NAMED = 6


def read(source: dict[str, Any]) -> Inspection | Task:
    """The reading of a source; the work on it while it goes on or when it failed. A child process reads."""
    studio = api_cache.studio()
    work = background(f"guide:{json.dumps(source, sort_keys=True)}", lambda: studio.inspect(source))
    if not work.wait(WAIT_SECONDS) or work.error or work.bug:
        return work
    found: Inspection = work.get()
    return found


def reading_card(found: Inspection) -> None:
    """What was found, a question where the file fits several readings, a sample, findings with repairs."""
    reading = found.reading
    chips = " ".join(f":gray-badge[{escape_markdown(part)}]" for part in found_words(reading, _, count_text))
    st.markdown(f":material/description: **{escape_markdown(_file_name(reading.file))}** {chips}")
    if reading.question:
        _question(found)
        return
    if reading.taken:
        taken = escape_markdown(schema_words(reading.taken.schema_name, _))
        st.markdown(
            f":green[:material/check_circle:] **{taken}** · {escape_markdown(arrow(reading.taken))}{_labels(found)}"
        )
        _unread(found)
    _sample(found.preview)
    _findings(found)
    _unanswered(found)


def _unread(found: Inspection) -> None:
    """Columns that no model sees: whoever misses one finds it under the reading options."""
    names = [column.name for column in found.reading.columns if column.role in ("unused", "carried")]
    if names:
        shown = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
        st.caption(f":material/visibility_off: {_('Not read by the model:')} {escape_markdown(shown)}")


def answer_examples(found: Inspection) -> list[str]:
    """A few answers of the file."""
    roles = found.reading.taken.roles if found.reading.taken else None
    return [
        example
        for column in found.reading.columns
        if roles and column.name == roles.output
        for example in column.examples
    ]


def repairs(found: Inspection) -> list[tuple[str, Problem]]:
    """(what takes it away, the problem) of all that one click repairs: `skip` leaves out rows that can't be used, others are
    fixes of the stage `clean_data`."""
    offered: list[tuple[str, Problem]] = []
    for problem in found.problems:
        if problem.blocking and "places" in problem.args:
            offered.append(("skip", problem))
        elif problem.code in FIXES:
            offered.append((FIXES[problem.code], problem))
    if merged := _variants(found.reading.labels):
        offered.append(("merge_labels", Problem(code="guide.label_variants", args={"names": merged}, blocking=False)))
    return offered


def _variants(labels: list[str]) -> str:
    """Labels that differ by capitals, accents or spaces alone: `Avería / avería`."""
    return ", ".join(" / ".join(each) for each in _spellings(labels) if len(each) > 1)


def _spellings(labels: list[str]) -> list[list[str]]:
    """Each label in all the ways that it is written."""
    groups: dict[str, list[str]] = {}
    for label in labels:
        bare = unicodedata.normalize("NFKD", " ".join(label.split()).casefold())
        groups.setdefault("".join(each for each in bare if not unicodedata.combining(each)), []).append(label)
    return list(groups.values())


def _file_name(file: str) -> str:
    return file.rpartition("/")[2]


def _labels(found: Inspection) -> str:
    labels = found.reading.labels if found.reading.answer == "label" else []
    if not labels:
        return ""
    if "merge_labels" in state.chosen()["fixes"]:  # which spelling wins is decided by the rows, in the run
        count = len(_spellings(labels))
        return f" · {ngettext('{n} label', '{n} labels', count)}"
    named = ", ".join(labels[:_NAMED]) + (", …" if len(labels) > _NAMED else "")
    return f" · {ngettext('{n} label', '{n} labels', len(labels))}: {escape_markdown(named)}"


def _question(found: Inspection) -> None:
    """The one question of the guided way."""
    reading = found.reading
    every = [*([reading.taken] if reading.taken else []), *reading.alternatives]
    examples = {column.name: column.examples for column in reading.columns}

    def words(at: int) -> str:
        return f"**{escape_markdown(schema_words(every[at].schema_name, _))}** · {escape_markdown(arrow(every[at]))}"

    key = "guide_reading"
    st.radio(
        _("What should the model learn to write?"),
        range(len(every)),
        index=None,
        format_func=words,
        captions=[_answers(one, examples) for one in every],
        key=key,
        on_change=lambda: _choose(every[st.session_state[key]]),
    )


def _answers(one: Candidate, examples: dict[str, list[str]]) -> str:
    shown = ", ".join(f"“{_short(text, 40)}”" for text in examples.get(one.roles.output, []))
    return escape_markdown(_("Answers such as {examples}").format(examples=shown) if shown else one.reason.fact(_))


def _choose(one: Candidate) -> None:
    state.add_to_source(**choice(one))


def _sample(rows: list[PreviewRow]) -> None:
    """The first rows as the model will learn them."""
    if not rows:
        return
    with st.container(border=True, key="guide_sample", gap="xsmall"):
        st.caption(_("The model learns to answer like this"))
        for row in rows[:_SHOWN_ROWS]:
            turns = [turn for turn in row.turns if turn["role"] != "system"]
            *before, last = turns or [{"role": "user", "content": ""}]
            asked = before[-1] if before else last
            answer = message_text(last) if before else _("(the teacher answers)")
            st.markdown(f"{_flat(message_text(asked))} :gray[→] **{_flat(answer)}**")


def _findings(found: Inspection) -> None:
    """Each with its repair; what nothing can be done about here says where, and what was left out is only told."""
    offered = repairs(found)
    repaired = {id(problem) for _fix, problem in offered}
    now = state.chosen()
    for fix, problem in offered:
        done = fix in now["fixes"]
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"guide_found_{problem.code}"):
            colour, icon = (
                ("green", "check_circle") if done else ("red", "error") if problem.blocking else ("orange", "warning")
            )
            st.markdown(f":{colour}[:material/{icon}:] {escape_markdown(_said(fix, problem, done))}", width="stretch")
            _repair(fix, problem, done)
    _repair_all([fix for fix, _problem in offered if fix not in now["fixes"]])
    for problem in found.problems:
        if problem.is_note or id(problem) in repaired:
            continue
        if not problem.blocking and "places" in problem.args:
            st.caption(f":material/playlist_remove: {_('Skipped:')} {message_markdown(problem.fact(_))}")
        else:
            problem_line(problem)


def _said(fix: str, problem: Problem, done: bool) -> str:
    if done and fix == "merge_labels":
        return _("Merged into one label: {names}.").format(names=problem.args["names"])
    return problem.fact(_)


def _unanswered(found: Inspection) -> None:
    """Rows that only a teacher could make something of."""
    rows, goal = Material.of(found.forecast), state.chosen()["goal"]
    if not rows.answered or not rows.pool or (goal and GOALS[goal].distills):
        return
    said = ngettext(
        "{n} row without an answer is not used for training.",
        "{n} rows without an answer are not used for training.",
        rows.pool,
    )
    st.caption(f":material/playlist_remove: {said}")


def _repair(fix: str, problem: Problem, done: bool) -> None:
    if fix == "skip":
        label = ngettext("Skip this row", "Skip these {n} rows", int(problem.args.get("count", 1)))
        action: dict[str, Any] = {"on_click": state.add_to_source, "kwargs": {"on_bad_row": "skip"}}
    else:
        label = _(FIX_TITLES[fix])
        action = {"on_click": _toggle, "args": (fix,)}
    icon = ":material/undo:" if done else ":material/build:"
    label = _("Undo") if done else label
    st.button(label, key=f"guide_fix_{problem.code}", icon=icon, width="content", **action)


def _repair_all(open_fixes: list[str]) -> None:
    """One click for what takes several, and one reading of the file in place of one for each."""
    if len(open_fixes) > 1:
        label = ngettext("Repair {n} finding", "Repair all {n} findings", len(open_fixes))
        st.button(
            label, key="guide_fix_all", icon=":material/build:", type="primary", on_click=_mend, args=(open_fixes,)
        )


def _mend(open_fixes: list[str]) -> None:
    """Callback."""
    fixes = [fix for fix in open_fixes if fix != "skip"]
    state.take(fixes=[*state.chosen()["fixes"], *fixes])
    if "skip" in open_fixes:
        state.add_to_source(on_bad_row="skip")


def _toggle(fix: str) -> None:
    fixes = list(state.chosen()["fixes"])
    state.take(fixes=[one for one in fixes if one != fix] if fix in fixes else [*fixes, fix])


def _flat(text: str) -> str:
    return escape_markdown(_short(" ".join(text.split()), _CHARS))


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
