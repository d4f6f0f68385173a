"""People edit the rows of a dataset: the draft of their changes, and its way into a new version."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal
from uuid import uuid4

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind, View
from backend.core.settings import Settings
from backend.data.dataset import DataFolder, Row
from backend.data.edit_draft import DraftState, EditDraft, Mark
from backend.data.edits import Edit, EditPlan, edit_lines
from backend.data.row_filter import RowFilter
from backend.db import Store

__all__ = ["EditSummary", "Edits"]


class EditSummary(View):
    """How many changes the draft of a dataset holds and what they are; `test`: how many are about test rows; `run`: the run
    that writes the last saved ones into a new version."""

    changes: int
    edited: int
    deleted: int
    added: int
    tagged: int
    test: int
    undoable: bool
    redoable: bool
    run: str = ""


class Edits:
    """`studio.edits`: one draft for each dataset, shared by all who work on it."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store, self.settings = store, settings

    def summary(self, dataset: str) -> EditSummary:
        state = self._state(dataset)
        counts = {op: sum(edit.count for edit in state.edits if edit.op in ops) for op, ops in _GROUPS.items()}
        return EditSummary(
            changes=sum(counts.values()),
            test=sum(edit.count for edit in state.edits if edit.split == "test"),
            undoable=bool(state.edits),
            redoable=bool(state.undone),
            run=state.run,
            **counts,
        )

    def plan(self, dataset: str) -> EditPlan:
        """The draft, ready to be applied to rows."""
        return EditPlan(self._state(dataset).edits)

    def labels(self, dataset: str) -> list[str]:
        """The labels of a dataset with those of the draft; empty for answers in free text."""
        template = DataFolder(self._view(dataset).path).template
        return list(dict.fromkeys([*template.labels, *self.plan(dataset).labels])) if template.labels else []

    def edit(
        self,
        dataset: str,
        split: str,
        row: Row,
        *,
        input: str,
        output: str | None,
        tags: Iterable[str],
        add_label: bool,
    ) -> bool:
        """The row as a person wants it; `row` is what they saw. Returns whether anything changed. Raises StudioError for an
        empty text, and for an answer that is no label unless `add_label`."""
        new = tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
        changed = {
            "input": input if input != row.input else None,
            "output": output if output != row.output else None,
            "tags": new if list(new) != row.tags else None,
        }
        if not any(value is not None for value in changed.values()):
            return False
        label = self._checked(dataset, row, input, output if changed["output"] is not None else None, add_label)
        edit = Edit.model_validate(
            {
                **changed,
                "op": "edit",
                "label": label,
                "split": split,
                "rows": (row.id,),
                "conversation": row.conversation,
                "turn": len(row.context) if row.conversation else 0,
            }
        )
        self._draft(dataset).add(edit)
        return True

    def add(
        self, dataset: str, split: str, input: str, output: str | None, tags: Iterable[str], add_label: bool
    ) -> str:
        """A new row; returns its id. Raises StudioError as `edit` does."""
        row = Row(id=f"new-{uuid4().hex[:12]}", input=input, output=output, tags=list(tags))
        label = self._checked(dataset, row, input, output, add_label)
        self._draft(dataset).add(Edit(op="add", split=split, row=row, label=label))
        return row.id

    def correct(self, dataset: str, input: str, output: str) -> str:
        """A model's answer as a person corrected it, as a new training row, tagged `corrected`; returns its id. Raises
        StudioError as `edit` does, and for the input of a validation or test row, which training must not see."""
        view = self._view(dataset)
        folder, asked = DataFolder(view.path), _alike(input)
        for split in ("validation", "test"):
            if any(_alike(row.input) == asked for row in folder.rows(split)):
                raise StudioError("edits.held_out", field="input", ref=view.name)
        return self.add(dataset, "train", input, output, ("corrected",), add_label=False)

    def change_rows(
        self, dataset: str, split: str, op: Literal["delete", "tag", "untag"], rows: Iterable[str], tag: str = ""
    ) -> None:
        """Delete or tag these rows."""
        ids = tuple(rows)
        tags = (tag.strip(),) if tag.strip() else None
        self._draft(dataset).add(Edit(op=op, split=split, rows=ids, tags=tags, count=len(ids)))

    def change_all(
        self,
        dataset: str,
        split: str,
        op: Literal["delete", "tag", "untag"],
        where: RowFilter,
        count: int,
        tag: str = "",
    ) -> None:
        """Delete or tag all stored rows that fit a filter, which are `count`."""
        tags = (tag.strip(),) if tag.strip() else None
        self._draft(dataset).add(Edit(op=op, split=split, where=where, tags=tags, count=count))

    def mark(self, dataset: str, mark: Mark) -> None:
        """`undo`, `redo`, `discard` (of all; `redo` brings them back), `restore` (of what a failed run should have saved)."""
        self._draft(dataset).mark(mark)

    def saved(self, dataset: str, run: str) -> None:
        """This run writes the changes into a new version."""
        self._draft(dataset).saved(run)

    def freeze(self, dataset: str) -> Path:
        """The changes as they stand now, as a file whose name follows from its content. Raises StudioError without any."""
        view = self._view(dataset)
        text = edit_lines(self._state(dataset).edits)
        if not text:
            raise StudioError("edits.none", ref=view.name, field="data")
        file = self.settings.edits / view.id / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.jsonl"
        if not file.is_file():
            partial = file.with_suffix(f".{uuid4().hex}.partial")
            partial.write_text(text, encoding="utf-8")
            partial.replace(file)
        return file

    def _checked(self, dataset: str, row: Row, input: str, output: str | None, add_label: bool) -> str:
        """The label that joins the others, if one does, else "". Raises StudioError."""
        if not input.strip():
            raise StudioError("edits.empty_input", field="input")
        if output is None:
            return ""
        if not output.strip() and not row.tool_calls:
            raise StudioError("edits.empty_output", field="output")
        labels = self.labels(dataset)
        if not labels or output in labels:
            return ""
        if not add_label:
            raise StudioError("edits.label_unknown", field="output", ref=self._view(dataset).name, answer=output[:100])
        return output

    def _view(self, dataset: str) -> ArtifactView:
        found = self.store.artifact(dataset)
        if found.kind is not Kind.DATASET:
            raise StudioError("core.artifact_kind", ref=dataset, kind=found.kind, wanted=Kind.DATASET)
        return found

    def _draft(self, dataset: str) -> EditDraft:
        return EditDraft(self.settings.edits / self._view(dataset).id / "draft.jsonl")

    def _state(self, dataset: str) -> DraftState:
        return self._draft(dataset).state()


_GROUPS = {"edited": ("edit",), "deleted": ("delete",), "added": ("add",), "tagged": ("tag", "untag")}


def _alike(text: str) -> str:
    return " ".join(text.split()).casefold()
