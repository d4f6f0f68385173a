"""The changes to a dataset that are not yet a version: an append-only file, so that a reload, a crash or another tab loses
nothing. What was done and taken back is a line each; the draft is what they come to."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from backend.data.edits import Edit

Mark = Literal["undo", "redo", "discard", "restore"]
_lock = threading.Lock()


class DraftState(BaseModel):
    """`edits`: those that count; `undone`: those that `redo` brings back, the next one last; `saved`: those of the last save,
    whose run is `run`, until something else is done."""

    edits: list[Edit] = []
    undone: list[Edit] = []
    saved: list[Edit] = []
    run: str = ""


class EditDraft:
    """The draft of one dataset, in `file`."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def state(self) -> DraftState:
        state = DraftState()
        for line in self._lines():
            _replay(state, line)
        return state

    def add(self, *edits: Edit) -> None:
        """What was undone before is gone then."""
        self._append(*({"do": edit.model_dump(mode="json", exclude_defaults=True)} for edit in edits))

    def mark(self, mark: Mark) -> None:
        """`undo` and `redo` one edit; `discard` undoes all of them; `restore` takes back a save whose run failed."""
        self._append({mark: True})

    def saved(self, run: str) -> None:
        """All edits are being written into a new version by this run: the draft is empty."""
        self._append({"saved": run})

    def _append(self, *lines: dict[str, Any]) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        with _lock, self.file.open("ab+") as stream:
            size = stream.seek(0, 2)
            if size:
                stream.seek(size - 1)
                text = text if stream.read(1) == b"\n" else f"\n{text}"  # after a line that broke off
            stream.write(text.encode())

    def _lines(self) -> list[dict[str, Any]]:
        """A line that broke off with the process is left out."""
        if not self.file.is_file():
            return []
        found = []
        for line in self.file.read_text("utf-8", errors="replace").split("\n"):
            try:
                found.append(json.loads(line))
            except json.JSONDecodeError:
                continue
        return found


def _replay(state: DraftState, line: dict[str, Any]) -> None:
    if "do" in line:
        try:
            state.edits.append(Edit.model_validate(line["do"]))
        except ValidationError:  # of another version of the studio
            return
        state.undone.clear()
    elif "undo" in line and state.edits:
        state.undone.append(state.edits.pop())
    elif "redo" in line and state.undone:
        state.edits.append(state.undone.pop())
    elif "discard" in line:
        state.undone += reversed(state.edits)
        state.edits.clear()
    elif "saved" in line:
        state.saved, state.run = state.edits, line["saved"]
        state.edits, state.undone = [], []
    elif "restore" in line:
        state.edits = [*state.saved, *state.edits]
        state.saved, state.run = [], ""
