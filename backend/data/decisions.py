"""What a person says of a teacher's answer, and files of it (JSON lines)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from backend.core.errors import StudioError

Verdict = Literal["accepted", "edited", "rejected"]


def _writable(text: str) -> str:
    """Refuses what neither a database nor a tokenizer takes: NUL bytes and halves of characters."""
    text.encode()
    if "\0" in text:
        raise ValueError("NUL")
    return text


_Text = Annotated[str, AfterValidator(_writable)]


class Decision(BaseModel):
    """`row`: its id; `decision` None: none yet, or taken back; `output`: the answer that a person wrote in place of the
    teacher's; `rating`: 1 (bad) to 5 (good)."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    row: _Text = Field(min_length=1, max_length=1000)
    decision: Literal["accept", "reject"] | None = None
    output: _Text | None = Field(default=None, min_length=1, max_length=400_000)
    rating: int | None = Field(default=None, ge=1, le=5)
    note: _Text = Field(default="", max_length=2000)

    @property
    def verdict(self) -> Verdict | None:
        if self.decision is None:
            return None
        return "rejected" if self.decision == "reject" else "accepted" if self.output is None else "edited"


def decision_lines(said: Iterable[Decision]) -> str:
    """JSON lines in the order of row ids: the same decisions give the same bytes. What was taken back is left out."""
    kept = sorted((each for each in said if each.decision), key=lambda each: each.row)
    return "".join(json.dumps(each.model_dump(exclude_defaults=True), ensure_ascii=False) + "\n" for each in kept)


def read_decisions(file: Path) -> dict[str, Decision]:
    """Row -> decision; of two about one row the last counts. Raises StudioError when a line is no decision."""
    found: dict[str, Decision] = {}
    try:
        with file.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, start=1):
                said = _parsed(line, file, number)
                if said.decision:
                    found[said.row] = said
    except (OSError, UnicodeDecodeError):
        raise StudioError("review.file_missing", field="decisions", file=file.name) from None
    return found


def accepted_rows(folder: Path) -> set[str]:
    """Ids of the rows of a dataset whose answer a person accepted or wrote in a review; none where there was no review."""
    file = folder / "decisions.jsonl"
    said = read_decisions(file) if file.is_file() else {}
    return {row for row, each in said.items() if each.decision == "accept"}


def _parsed(line: str, file: Path, number: int) -> Decision:
    try:
        return Decision.model_validate_json(line)
    except ValidationError:
        raise StudioError("review.file_line", field="decisions", file=file.name, line=number) from None
