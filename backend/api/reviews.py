"""People check a teacher's answers, or rows that a check doubts: which rows come next, what was said of them, and what that
says of the teacher."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, Literal, get_args

from backend.core.csv_cells import escape_formula
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind, View
from backend.core.settings import Settings
from backend.data.dataset import Row
from backend.data.decisions import Decision, Verdict, decision_lines
from backend.data.gates.report import REPORT, read_doubts
from backend.data.review_order import ReviewQueue, RowPosition
from backend.db import Store
from backend.db import tables as t
from backend.stats.intervals import rows_needed, wilson_interval

ReviewFilter = Literal["unreviewed", "all", "accepted", "edited", "rejected"]
REVIEW_FILTERS: tuple[ReviewFilter, ...] = get_args(ReviewFilter)
FORMATS = ("jsonl", "csv")
PAGE_ROWS = 25
PAGE_BYTES = 400_000
"""A page of long rows ends early: it is on its way while somebody waits for it."""
OVERLAP_SECONDS = 2.0
"""Seconds that a look for changes reaches back: what was being written at the last look is seen now."""
CLOSE_MARGIN = 0.05
"""An estimate is called close when its interval reaches no more than this to each side."""


@dataclass(frozen=True)
class Chosen:
    """Which rows of a dataset: a teacher's answers, or those that the check `report` (its id) doubts, and of the test rows
    among these only with `test`."""

    report: str = ""
    test: bool = False


TEACHERS = Chosen()


class Agreement(View):
    """The share of the reviewed answers that people took as they were, with its 95 % interval; `needed`: reviewed rows
    after which it would reach about 5 points to each side."""

    share: float
    low: float
    high: float
    n: int
    needed: int

    @property
    def close(self) -> bool:
        return (self.high - self.low) / 2 <= CLOSE_MARGIN


class ReviewCounts(View):
    """How many answers there are to review, and what became of them; `doubtful_first`: whether those come first that
    are more likely to be wrong."""

    total: int
    accepted: int
    edited: int
    rejected: int
    doubtful_first: bool

    @property
    def reviewed(self) -> int:
        return self.accepted + self.edited + self.rejected

    @property
    def agreement(self) -> Agreement | None:
        """An edited answer was wrong. None before the first decision."""
        if not self.reviewed:
            return None
        share = self.accepted / self.reviewed
        low, high = wilson_interval(self.accepted, self.reviewed)
        needed = min(self.total, rows_needed(share, CLOSE_MARGIN))
        return Agreement(share=share, low=low, high=high, n=self.reviewed, needed=needed)


class ReviewPage(View):
    """Rows in their order, each with what was said of it; `why`: row -> what a check says against its answer; `splits`: row
    -> its split, where that is not train; `next` is where the following page starts, None at the end."""

    rows: list[tuple[Row, Decision | None]]
    why: dict[str, str] = {}
    splits: dict[str, str] = {}
    next: int | None
    counts: ReviewCounts
    moment: float


class Changes(View):
    """What was said since a moment (seconds since 1970, of the server), by anybody; `moment` is where to go on."""

    said: list[Decision]
    counts: ReviewCounts
    moment: float


class Reviews:
    """One per process. Every method raises StudioError for a dataset that is none, or holds no teacher's answers where these
    are chosen, and for a report that is none of this dataset."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self._lock = Lock()
        self._review_queues = lru_cache(maxsize=8)(self._load_review_queue)
        self._doubts = lru_cache(maxsize=256)(self._count_doubts)

    def review_queue(self, view: ArtifactView, chosen: Chosen = TEACHERS) -> ReviewQueue:
        digests = view.digest + (self._report(view, chosen.report).digest if chosen.report else "")
        with self._lock:  # two tabs that ask at once: read once
            return self._review_queues(view.id, chosen, digests)

    def _load_review_queue(self, dataset: str, chosen: Chosen, _digests: str) -> ReviewQueue:
        """`_digests` are part of the key: a job that ran again may have written other rows under the same id."""
        view = self.store.artifact(dataset)
        doubts = read_doubts(self._report(view, chosen.report).path, chosen.test) if chosen.report else None
        return ReviewQueue(view, self.store.artifact, doubts)

    def _report(self, view: ArtifactView, report: str) -> ArtifactView:
        found = self.store.artifact(report)
        if found.facts.get("report") != REPORT or found.facts.get("data") != view.id:
            raise StudioError("review.report_other", field="report", ref=view.name, report=found.name)
        return found

    def _view(self, dataset: str) -> ArtifactView:
        view = self.store.artifact(dataset)
        if view.kind is not Kind.DATASET:
            raise StudioError("core.artifact_kind", ref=dataset, kind=view.kind, wanted=Kind.DATASET)
        return view

    def doubts(self, report: ArtifactView) -> Counter[str]:
        """How many rows of each split a check doubts; empty for another report."""
        if report.facts.get("report") != REPORT:
            return Counter()
        return self._doubts(report.id, report.digest)

    def _count_doubts(self, report: str, _digest: str) -> Counter[str]:
        try:
            return Counter(doubt.split for doubt in read_doubts(self.store.artifact(report).path, test=True))
        except StudioError:  # its files are gone
            return Counter()

    def counts(self, dataset: str, chosen: Chosen = TEACHERS) -> ReviewCounts:
        return self._counts(self._view(dataset), chosen)

    def _counts(self, view: ArtifactView, chosen: Chosen) -> ReviewCounts:
        review_queue = self.review_queue(view, chosen)
        said = Counter(verdict for row, verdict in self.store.verdicts(view.id).items() if row in review_queue.at)
        found = {verdict: said[verdict] for verdict in get_args(Verdict)}
        return ReviewCounts(total=len(review_queue.positions), doubtful_first=review_queue.doubtful, **found)

    def page(
        self,
        dataset: str,
        show: ReviewFilter = "unreviewed",
        label: str = "",
        start: int = 0,
        chosen: Chosen = TEACHERS,
    ) -> ReviewPage:
        """The rows from place `start` of the order on that fit `show`, and `label` (the row's answer) if one is given."""
        moment, view = _now(), self._view(dataset)
        review_queue = self.review_queue(view, chosen)
        verdicts = self.store.verdicts(view.id)
        taken: list[RowPosition] = []
        following, size = None, 0
        for number in range(start, len(review_queue.positions)):
            place = review_queue.positions[number]
            if (label and place.label != label) or not _matches(show, verdicts.get(place.row)):
                continue
            if len(taken) == PAGE_ROWS or (taken and size + place.size > PAGE_BYTES):
                following = number
                break
            taken.append(place)
            size += place.size
        said = {each.row: each for each, _at in self.store.reviews(view.id, rows=[place.row for place in taken])}
        return ReviewPage(
            rows=[(row, said.get(row.id)) for row in review_queue.rows(taken)],
            why={place.row: place.why for place in taken if place.why},
            splits={place.row: place.split for place in taken if place.split != "train"},
            next=following,
            counts=self._counts(view, chosen),
            moment=moment,
        )

    def save(self, dataset: str, said: Decision, chosen: Chosen = TEACHERS) -> ReviewCounts:
        """The last word on a row counts. An answer that is written as it stood is no correction."""
        view = self._view(dataset)
        review_queue = self.review_queue(view, chosen)
        if said.row not in review_queue.at:
            raise StudioError("review.row_unknown", ref=view.name, row=said.row)
        answer = said.output.strip() if said.output and said.decision == "accept" else None
        (row,) = review_queue.rows([review_queue.positions[review_queue.at[said.row]]])
        if answer in ("", row.output):
            answer = None
        if answer is not None and review_queue.labels and answer not in review_queue.labels:
            raise StudioError("review.label_unknown", field="output", ref=view.name, answer=answer[:100])
        self.store.save_review(view.id, said.model_copy(update={"output": answer}))
        return self._counts(view, chosen)

    def changes(self, dataset: str, since: float, chosen: Chosen = TEACHERS) -> Changes:
        moment, view = _now(), self._view(dataset)
        found = self.store.reviews(view.id, since=datetime.fromtimestamp(since, UTC))
        return Changes(said=[said for said, _at in found], counts=self._counts(view, chosen), moment=moment)

    def export(self, dataset: str, format: str, chosen: Chosen = TEACHERS) -> Iterator[bytes]:
        """Everything that was said, with the rows it was said of, as JSON lines (the review stage reads them) or CSV."""
        view = self._view(dataset)
        review_queue = self.review_queue(view, chosen)
        if format not in FORMATS:
            raise StudioError("files.format", ref=view.name, format=format)
        said = {each.row: (each, at) for each, at in self.store.reviews(view.id) if each != Decision(row=each.row)}
        positions = [place for place in review_queue.positions if place.row in said]
        found = (_flat(row, *said[row.id]) for row in review_queue.rows(positions))
        return _csv(found) if format == "csv" else _jsonl(found)

    def freeze(self, dataset: str) -> Path:
        """The decisions as they stand now, as a file whose name follows from its content. Raises StudioError when there are
        none."""
        view = self._view(dataset)
        text = decision_lines(said for said, _at in self.store.reviews(view.id))
        if not text:
            raise StudioError("review.none", ref=view.name, field="data")
        file = self.settings.reviews / view.id / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.jsonl"
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = file.with_suffix(".partial")
            partial.write_text(text, encoding="utf-8")
            partial.replace(file)
        return file


def _now() -> float:
    return t.now().timestamp() - OVERLAP_SECONDS


def _matches(show: ReviewFilter, verdict: Verdict | None) -> bool:
    return show == "all" or (verdict or "unreviewed") == show


def _flat(row: Row, said: Decision, at: datetime) -> dict[str, Any]:
    return {**said.model_dump(), "at": at.isoformat(timespec="seconds"), "input": row.input, "answer": row.output}


def _jsonl(found: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    while some := list(islice(found, 200)):
        yield "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in some).encode()


def _csv(found: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """With a byte order mark, without which a spreadsheet misreads accents."""
    line = io.StringIO()
    writer = csv.writer(line)
    line.write("\ufeff")
    writer.writerow(("row", "decision", "output", "rating", "note", "at", "input", "answer"))
    yield line.getvalue().encode()
    for each in found:
        line.seek(0)
        line.truncate()
        writer.writerow("" if cell is None else escape_formula(cell) for cell in each.values())
        yield line.getvalue().encode()
