"""What became of the rows of a dataset that was filtered or generated, as files beside its rows.

`drops.json`: how many went and why, with the id of every row; `dropped.jsonl`: those rows; `quality.json`: variety, classes
before and after; `map.json`: some rows as points in the plane.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from backend.core.artifacts import write_json
from backend.data.dataset import REJECTED_FILE, Row, write_split
from backend.data.near_duplicates import distinct_n, near_duplicate_share

COPIED_FILES = (
    *("validation.jsonl", "test.jsonl", "pool.jsonl", REJECTED_FILE),
    *("template.json", "NOTICE", "decisions.jsonl"),
)
REPORT_FILES = ("map.json", "quality.json", "drops.json", "dropped.jsonl")
NEAR_DUPLICATE_THRESHOLD = 0.9
"""What counts as nearly the same in figures, where the user gave no threshold."""


@dataclass(frozen=True)
class Drop:
    """A row that is left out, why (a code), and the id of the row that it is too close to, if that is why."""

    row: Row
    reason: str
    other: str = ""


class Point(BaseModel):
    """A row in the plane; `state`: kept, dropped, or seed (what new rows were made from)."""

    model_config = ConfigDict(frozen=True)

    x: float
    y: float
    state: str
    label: str = ""
    text: str = ""


class Diversity(BaseModel):
    """Figures of some inputs; shares from 0 to 1."""

    model_config = ConfigDict(frozen=True)

    rows: int
    distinct_1: float
    distinct_2: float
    near_duplicates: float
    classes: dict[str, int] = {}

    @classmethod
    def of(cls, rows: Sequence[Row], threshold: float, labels: Iterable[str] = ()) -> Diversity:
        """`labels`: the classes to count rows for; none for free text."""
        texts = [row.input for row in rows]
        count = Counter(row.output for row in rows)
        return cls(
            rows=len(rows),
            distinct_1=round(distinct_n(texts, 1), 4),
            distinct_2=round(distinct_n(texts, 2), 4),
            near_duplicates=round(near_duplicate_share(texts, threshold), 4),
            classes={label: count[label] for label in labels},
        )


class FilterReport(BaseModel):
    """The whole report."""

    model_config = ConfigDict(frozen=True)

    before: Diversity
    after: Diversity
    dropped: dict[str, int]
    points: list[Point] = []


def build_report(
    rows: Sequence[Row], kept: Sequence[Row], drops: Sequence[Drop], labels: list[str], near: float
) -> FilterReport:
    """The report on rows of which some went; `near`: from which likeness inputs count as near-duplicates."""
    states = [*((row, "kept") for row in kept), *((drop.row, "dropped") for drop in drops)]
    return FilterReport(
        before=Diversity.of(rows, near, labels),
        after=Diversity.of(kept, near, labels),
        dropped=dict(Counter(drop.reason for drop in drops)),
        points=map_points(states, bool(labels)),
    )


def write_filtered_dataset(
    out: Path, source: Path, kept: Sequence[Row], quality: FilterReport, drops: Sequence[Drop]
) -> None:
    """A dataset whose training rows are `kept`, all else as in `source`, with its report."""
    write_split(out, "train", kept)
    for name in COPIED_FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, out / name)
    write_report(out, quality, drops)


def write_report(folder: Path, quality: FilterReport, drops: Sequence[Drop]) -> None:
    """The four files, into the folder of a dataset."""
    report = quality.model_dump()
    write_json(folder / "map.json", report.pop("points"))
    write_json(folder / "quality.json", report)
    rows = [{"id": drop.row.id, "reason": drop.reason, "other": drop.other} for drop in drops]
    write_json(folder / "drops.json", {"counts": quality.dropped, "rows": rows})
    with (folder / "dropped.jsonl").open("w", encoding="utf-8") as stream:
        for drop in drops:
            line = {
                "reason": drop.reason,
                "other": drop.other,
                "row": drop.row.model_dump(exclude_defaults=True),
            }
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def read_report(folder: Path) -> FilterReport | None:
    """None for a dataset that was neither filtered nor generated, or whose files are gone."""
    try:
        report = json.loads((folder / "quality.json").read_text("utf-8"))
        points = json.loads((folder / "map.json").read_text("utf-8"))
    except OSError:
        return None
    return FilterReport.model_validate({**report, "points": points})


def dropped_rows(folder: Path, reason: str, count: int) -> list[Drop]:
    """The first rows that went for this reason."""
    file = folder / "dropped.jsonl"
    if not file.is_file():
        return []
    with file.open(encoding="utf-8") as stream:
        lines = (line for raw in stream if (line := json.loads(raw))["reason"] == reason)
        return [Drop(Row.model_validate(line["row"]), line["reason"], line["other"]) for line in islice(lines, count)]


def map_points(rows: Sequence[tuple[Row, str]], labels: bool, most: int = 1_200) -> list[Point]:
    """(row, state) as points: at most `most`, spread evenly over the rows, close together when their words are."""
    from backend.data.tfidf import project_2d

    step = max(1, -(-len(rows) // most))
    chosen = list(rows[::step])
    places = project_2d([row.input for row, _ in chosen])
    return [
        Point(x=x, y=y, state=state, label=(row.output or "") if labels else "", text=row.input[:120])
        for (row, state), (x, y) in zip(chosen, places, strict=True)
    ]
