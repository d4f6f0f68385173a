"""What a person changes in the rows of a dataset: single edits, and edits of all rows that a filter shows.

An edit is about the rows as they are stored (a filter too), so the same list of edits always gives the same dataset. The page
shows rows with the draft's edits; the stage `edit_data` writes them into a new version.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from backend.core.errors import StudioError
from backend.data.dataset import Row
from backend.data.row_filter import RowFilter


class Edit(BaseModel):
    """`edit`: new `input`, `output` and `tags` of one row, None where they stay; `delete`, `tag` and `untag`: of `rows`, or
    of all stored rows of the split that fit `where`; `add`: the new row `row`. `label`: the answer is a new one, which joins
    the dataset's labels; `conversation` and `turn`: whose message the edited row is and at which place, so that later turns
    show the new words too; `count`: the rows that it was about when it was made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    op: Literal["edit", "delete", "tag", "untag", "add"]
    split: str = "train"
    rows: tuple[str, ...] = ()
    where: RowFilter | None = None
    input: str | None = None
    output: str | None = None
    tags: tuple[str, ...] | None = None
    row: Row | None = None
    label: str = ""
    conversation: str = ""
    turn: int = 0
    count: int = 1


class EditPlan:
    """Edits in their order, ready to be applied to one row after the other."""

    def __init__(self, edits: Iterable[Edit]) -> None:
        self.edits = list(edits)
        self._of_row: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._wide: dict[str, list[int]] = defaultdict(list)
        self._turns: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._added: dict[tuple[str, str], int] = {}
        for at, edit in enumerate(self.edits):
            for row_id in edit.rows:
                self._of_row[edit.split, row_id].append(at)
            if edit.where is not None:
                self._wide[edit.split].append(at)
            if edit.conversation and edit.op == "edit":
                self._turns[edit.split, edit.conversation].append(at)
            if edit.op == "add" and edit.row is not None:
                self._added[edit.split, edit.row.id] = at

    @property
    def labels(self) -> list[str]:
        """Labels that join those of the dataset."""
        return list(dict.fromkeys(edit.label for edit in self.edits if edit.label))

    def touches(self, split: str, row_id: str) -> bool:
        """Whether an edit names this row, or it is new."""
        return (split, row_id) in self._of_row or (split, row_id) in self._added

    def apply(self, split: str, row: Row) -> Row | None:
        """The stored row as the edits leave it; None when it is deleted."""
        wide = [at for at in self._wide.get(split, ()) if _hits(self.edits[at].where, row)]
        turns = self._turns.get((split, row.conversation), []) if row.conversation and row.context else []
        for at in sorted({*self._of_row.get((split, row.id), ()), *wide, *turns}):
            edit = self.edits[at]
            changed = _with_turn(row, edit) if row.id not in edit.rows and at not in wide else _edited(row, edit)
            if changed is None:
                return None
            row = changed
        return row

    def added(self, split: str) -> list[Row]:
        """The new rows of a split, as later edits of them leave them. An edit by a filter is not about them."""
        found = []
        for (where, row_id), start in self._added.items():
            row: Row | None = self.edits[start].row if where == split else None
            for at in self._of_row.get((where, row_id), ()):
                row = _edited(row, self.edits[at]) if row is not None and at > start else row
            found += [row] if row is not None else []
        return found


def _hits(where: RowFilter | None, row: Row) -> bool:
    return where is not None and where.matches(row)


def _edited(row: Row, edit: Edit) -> Row | None:
    if edit.op == "delete":
        return None
    tags = edit.tags or ()
    if edit.op == "tag":
        return row.model_copy(update={"tags": list(dict.fromkeys([*row.tags, *tags]))})
    if edit.op == "untag":
        return row.model_copy(update={"tags": [tag for tag in row.tags if tag not in tags]})
    new: dict[str, Any] = {} if edit.input is None else {"input": edit.input}
    new |= {} if edit.tags is None else {"tags": list(edit.tags)}
    if edit.output is not None and edit.output != row.output:  # the confidence and the like are about another answer
        new |= {"output": edit.output, "confidence": None, "rationale": None, "scores": []}
        new |= {"gold": edit.output} if row.gold is not None else {}
    return row.model_copy(update=new)


def _with_turn(row: Row, edit: Edit) -> Row:
    """The same turn in the context of a later row of the conversation."""
    context = [dict(message) for message in row.context]
    for place, words in ((edit.turn, edit.input), (edit.turn + 1, edit.output)):
        if words is not None and place < len(context):
            context[place]["content"] = words
    return row.model_copy(update={"context": context})


def edit_lines(edits: Iterable[Edit]) -> str:
    """One edit a line, as JSON."""
    return "".join(edit.model_dump_json(exclude_defaults=True) + "\n" for edit in edits)


def read_edits(file: Path) -> list[Edit]:
    """Raises StudioError when the file can't be read or holds something else."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise StudioError("edits.file_missing", field="edits", file=file.name) from None
    return list(_parsed(file, lines))


def _parsed(file: Path, lines: list[str]) -> Iterator[Edit]:
    for number, line in enumerate(lines, 1):
        try:
            yield Edit.model_validate_json(line)
        except ValidationError:
            raise StudioError("edits.file_line", field="edits", file=file.name, line=number) from None
