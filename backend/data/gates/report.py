"""The files of a check: `checks.json` (the score card), `checks.jsonl` (every row of every finding) and `review.jsonl` (rows
that a person should look at, the most doubtful first)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from backend.core.artifacts import write_json
from backend.core.errors import StudioError
from backend.data.gates.base import Found, FoundRow
from backend.data.gates.model import Finding, ScoreCard

REPORT = "check_data"
"""The fact `report` of what holds these files."""
CARD, ROWS, REVIEW = "checks.json", "checks.jsonl", "review.jsonl"
REVIEWED = ("wrong_labels", "contradictions")
"""Gates whose rows a person has to decide on."""


class Doubt(NamedTuple):
    """A row that a person should look at: its id, its split, and why."""

    row: str
    split: str
    detail: str


def write_report(folder: Path, card: ScoreCard, found: Sequence[Found]) -> None:
    """Into an empty folder."""
    write_json(folder / CARD, card.model_dump(mode="json"))
    with (folder / ROWS).open("w", encoding="utf-8") as stream:
        for each in found:
            for row in each.rows:
                stream.write(json.dumps({"gate": each.finding.gate, **row._asdict()}, ensure_ascii=False) + "\n")
    with (folder / REVIEW).open("w", encoding="utf-8") as stream:
        for row in review_rows(found):
            doubt = Doubt(row.row, row.split, row.detail)
            stream.write(json.dumps(doubt._asdict(), ensure_ascii=False) + "\n")


def review_rows(found: Sequence[Found]) -> Iterator[FoundRow]:
    """Each row once, by the order of `REVIEWED`."""
    known: set[str] = set()
    by_gate = {each.finding.gate: each.rows for each in found}
    for name in REVIEWED:
        for row in by_gate.get(name, ()):
            if row.row not in known:
                known.add(row.row)
                yield row


def read_doubts(folder: Path, test: bool = False) -> list[Doubt]:
    """The rows of a report that a person should look at, the most doubtful first; those of the test split only if asked for.
    Raises StudioError when the file is gone."""
    file = folder / REVIEW
    if not file.is_file():
        raise StudioError("core.artifact_damaged", ref=folder.name, file=REVIEW)
    with file.open(encoding="utf-8") as stream:
        found = [Doubt(**json.loads(line)) for line in stream]
    return [doubt for doubt in found if test or doubt.split != "test"]


def read_card(folder: Path) -> ScoreCard:
    """Raises StudioError when the file is gone."""
    file = folder / CARD
    if not file.is_file():
        raise StudioError("core.artifact_damaged", ref=folder.name, file=CARD)
    return ScoreCard.model_validate_json(file.read_text("utf-8"))


def row_ids(folder: Path, gates: Sequence[str]) -> list[str]:
    """Ids of the rows that these gates found."""
    return [row.row for gate in gates for row in _rows_of(folder, gate)]


def found_rows(folder: Path, gate: str, start: int = 0, count: int = 100) -> list[FoundRow]:
    """Rows of one gate's finding, from `start` on."""
    return [row for at, row in enumerate(_rows_of(folder, gate)) if start <= at < start + count]


def _rows_of(folder: Path, gate: str) -> Iterator[FoundRow]:
    with (folder / ROWS).open(encoding="utf-8") as stream:
        for line in stream:
            row = json.loads(line)
            if row.pop("gate") == gate:
                yield FoundRow(**row)


def save_found(file: Path, found: Found | None) -> None:
    """A gate's result, for a resume."""
    content = None if found is None else {"finding": found.finding.model_dump(mode="json"), "rows": found.rows}
    write_json(file, content)


def load_found(file: Path) -> Found | None:
    """What `save_found` wrote."""
    content = json.loads(file.read_text("utf-8"))
    if content is None:
        return None
    return Found(Finding.model_validate(content["finding"]), [FoundRow(*row) for row in content["rows"]])
