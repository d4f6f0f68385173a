"""A reading on the command line: in a line, as a table of columns, and as the question that it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.api.readings import Reading, arrow, choice, found_words, left_out, schema_words
from backend.cli.dataset_flags import written
from backend.cli.output import line, note, print_json, table
from backend.core.errors import StudioError
from backend.core.messages.reading_words import KINDS, ROLES

if TYPE_CHECKING:
    from backend.api.readings import Inspection
    from backend.core.errors import Problem

_NAMED = 12
_CHARS = 40


def head(reading: Reading) -> str:
    """`CSV, semicolons, Windows-1252 (guessed), 42 rows; text and label: Text → Kategorie; not used: Nr, Betrag`."""
    parts = [", ".join(found_words(reading))]
    if reading.taken:
        parts.append(f"{schema_words(reading.taken.schema_name)}: {arrow(reading.taken)}")
        roles = reading.taken.roles
        others = {
            "system prompt": roles.system,
            "group": roles.group,
            "split": roles.split,
            "rejected answer": roles.rejected,
        }
        parts += [f"{title}: {column}" for title, column in others.items() if column]
        if roles.carried:
            parts.append(f"metadata: {_some(roles.carried)}")
    if rest := left_out(reading):
        parts.append(f"not used: {_some(rest)}")
    return "; ".join(parts)


def show(found: Inspection, rows_too: bool, as_json: bool) -> None:
    """What was taken, before anything is stored; `rows_too`: the columns and the first rows as well, which is all there is to
    a dry run."""
    if as_json:
        print_json(found if rows_too else {"event": "reading", "text": head(found.reading), "reading": found.reading})
        return
    line(f"{found.reading.file}: {head(found.reading)}")
    if not rows_too:
        return
    show_columns(found.reading)
    for row in found.preview:
        line(f"\n{row.text}")


def show_columns(reading: Reading) -> None:
    """A table: what is in each column and what it is taken for."""
    rows = [
        [
            each.name,
            KINDS[each.kind],
            ROLES[each.role],
            each.reason.sentence() if each.reason else "",
            " | ".join(_short(example) for example in each.examples[:2]),
        ]
        for each in reading.columns
    ]
    if rows:
        table(["column", "holds", "taken for", "why", "examples"], rows)


def stop_or_warn(found: Inspection) -> list[str]:
    """Raises StudioError with all that stops an import, a question with its readings and the flags of each. What only warns is
    printed, and returned."""
    asked = found.reading.question
    if asked:
        for text in choices(found.reading):
            note(text)
    blocking = [problem for problem in found.problems if problem.blocking and problem != asked]
    if asked or blocking:
        raise StudioError.of([*([asked] if asked else []), *blocking])
    notes = _said("note", [each for each in found.problems if each.is_note])
    return notes + _said("warning", [each for each in found.problems if not each.is_note])


def choices(reading: Reading) -> list[str]:
    """The readings that fit, one a line, with the flags that choose each."""
    every = [*([reading.taken] if reading.taken else []), *reading.alternatives]
    return [
        f"- {schema_words(each.schema_name)}: {arrow(each)} ({each.flags or written(choice(each))})" for each in every
    ]


def _said(mark: str, problems: list[Problem]) -> list[str]:
    texts = list(dict.fromkeys(problem.sentence() for problem in problems))
    for text in texts:
        note(f"{mark}: {text}")
    return texts


def _short(text: str) -> str:
    return text if len(text) <= _CHARS else f"{text[:_CHARS]}…"


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
