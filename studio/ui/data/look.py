"""Asks for the reading of the file that the form names, and fills the form's choices from it.

Reading a file takes from a fifth of a second to a minute, in a process of its own: a page waits for it only a moment, and draws
everything else meanwhile.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from backend.api.readings import CHOSEN, Candidate, schema_titles, schema_words, used_columns
from backend.core.errors import StudioError
from backend.core.messages.reading_words import DELIMITERS, ENCODINGS
from studio.ui.forms.form import Form
from studio.ui.shared import api_cache
from studio.ui.shared.i18n import _
from studio.ui.shared.tasks import Task, background, drop

if TYPE_CHECKING:
    from backend.api.readings import Inspection

STAGE = "dataset"
LAYOUT = ("encoding", "delimiter", "header", "quotes", "text_rows", "records")
"""The fields that say how a file's text is laid out."""
FOLLOWING = (*CHOSEN, *LAYOUT, "group", "keep_columns", "split_column", "on_bad_row", "name")
"""What was said of one file and doesn't count for another."""
WAIT_SECONDS = 3.0
"""Seconds that a page waits for a reading."""
COLUMN_FIELDS = ("input", "output", "details", "group", "messages", "system_column", "label_names", "split_column")
COLUMN_LISTS = ("input_columns", "keep_columns")
_OFFERED = ("utf-8", "cp1252", "iso-8859-1", "iso-8859-15", "cp1250", "utf-16", "mac-roman")
_MOST_CHOICES = 300


@dataclass
class Look:
    """What is known of a source. `found`: its reading by what the form says, None while it is read and when it can't be;
    `free`: as the studio reads it when nobody chooses columns; `work`: what is still going on; `by_time`: a column of dates
    divides the rows."""

    found: Inspection | None = None
    free: Inspection | None = None
    work: Task | None = None
    by_time: bool = False


def look_at(raw: dict[str, Any]) -> Look:
    """Ask for the reading of the form's values, and wait a moment for it."""
    look = Look(by_time=raw.get("split_by") == "time")
    open_ = {name: value for name, value in raw.items() if name not in CHOSEN}
    look.free = _asked(open_, look)
    look.found = look.free if open_ == raw or look.work else _asked(raw, look)
    return look


def _asked(raw: dict[str, Any], look: Look) -> Inspection | None:
    """None while it is read (`look.work` is set then) and for what can't be read: the pre-flight check says why."""
    studio = api_cache.studio()
    try:
        if studio.inspected(raw):
            return studio.inspect(raw)
        key = f"reading:{json.dumps(raw, sort_keys=True)}"
        work = background(key, lambda: studio.inspect(raw))
        if not work.wait(WAIT_SECONDS):
            look.work = work
            return None
        drop(key)
        found: Inspection = work.get()
        return found
    except StudioError:
        return None


def at_work(form: Form, work: Task) -> None:
    """In place of the form while a file is read: another one may be chosen meanwhile."""
    form.draw(["source"], {})

    def look() -> bool:
        if not work.done:
            st.markdown(f":shimmer[{_('Reading the file…')}]")
        return not work.done

    api_cache.auto_refresh(look, busy=True)


class _AnyOption(dict[str, str]):
    """Options that are not known yet: every value is one of them."""

    def __contains__(self, value: object) -> bool:
        return True


def any_column() -> dict[str, dict[str, str]]:
    """Options for a form whose file is yet to be read."""
    return {name: _AnyOption() for name in (*COLUMN_FIELDS, *COLUMN_LISTS, "encoding", "delimiter", "data_schema")}


def column_choices(look: Look) -> dict[str, dict[str, str]]:
    """Options of the fields that name columns, and of the other fields that the reading fills."""
    found = look.found or look.free
    if found is None:
        return {"data_schema": _schemas(None)}
    reading = found.reading
    names = {column.name: column.name for column in reading.columns[:_MOST_CHOICES]}
    names |= {name: name for name in sorted(used_columns(reading.taken) if reading.taken else ()) if name not in names}
    taken = _taken(reading.taken, look.by_time)
    choices = {role: {"": _by_itself(role, taken.get(role, "")), **names} for role in COLUMN_FIELDS}
    choices |= dict.fromkeys(COLUMN_LISTS, names)
    facts = reading.source
    encoding = ENCODINGS.get(facts.encoding, facts.encoding)
    encodings = {code: name for code, name in ENCODINGS.items() if code in _OFFERED}
    delimiters = {("tab" if mark == "\t" else mark): _(name) for mark, name in DELIMITERS.items() if mark != " "}
    choices["encoding"] = {"": _found(encoding), **encodings}
    choices["delimiter"] = {"": _found(_(DELIMITERS.get(facts.delimiter, facts.delimiter))), **delimiters}
    choices["data_schema"] = _schemas(reading.taken)
    return choices


def _schemas(taken: Candidate | None) -> dict[str, str]:
    return {"auto": _found(schema_words(taken.schema_name, _) if taken else "")} | {
        name: _(title) for name, title in schema_titles().items()
    }


def _taken(candidate: Candidate | None, by_time: bool) -> dict[str, str]:
    """The fields of the form that a reading fills, as words; dates divide only who wants it."""
    if candidate is None:
        return {}
    roles = candidate.roles
    return {
        "input": " + ".join(roles.input),
        "output": roles.output or " + ".join(roles.outputs[:5]),
        "messages": roles.messages,
        "system_column": roles.system,
        "label_names": roles.label_names,
        "group": roles.group,
        "split_column": roles.split or (roles.time if by_time else ""),
    }


def _by_itself(role: str, found: str) -> str:
    return _found(found) if found or role in ("input", "output") else _("none")


def _found(what: str) -> str:
    return _("Auto-detected: {column}").format(column=what) if what else _("auto-detected")
