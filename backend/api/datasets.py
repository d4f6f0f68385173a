"""The part of the facade that shows datasets: pages of rows from disk, single rows, exports, checks."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from backend.api.edits import Edits
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind, RunView, View
from backend.core.settings import Settings
from backend.data.baseline import BaselineReport
from backend.data.dataset import SPLITS, DataFolder, Row, Template
from backend.data.edits import EditPlan
from backend.data.gates.model import Example, Finding, ScoreCard
from backend.data.row_filter import RowFilter, Sort
from backend.data.row_index import RowIndex, is_ready, open_index
from backend.db import Store
from backend.files import downloads
from backend.files.exports import FORMATS, Format

__all__ = [
    "FORMATS",
    "SPLITS",
    "BaselineReport",
    "Datasets",
    "Example",
    "Finding",
    "Format",
    "Row",
    "RowFilter",
    "RowPage",
    "ScoreCard",
    "Sort",
]

CHECKS_FILE = "checks.json"
QUICK_ROWS = 200_000
"""Up to so many rows an index is made while somebody waits for it: about a second."""
SEARCH_SECONDS = 2.0


class ShownRow(View):
    """A row as the draft leaves it. `state`: "" where nothing was changed, else `edited`, `deleted` (then `row` is as it
    is stored) or `added`."""

    row: Row
    state: str = ""


class RowPage(View):
    """One page of the rows that fit. `total`: how many fit; `whole`: False where the search stopped before it had looked at
    all rows, so there may be more; `added`: new rows of the draft, on the first page only."""

    rows: list[ShownRow]
    total: int
    whole: bool = True
    added: list[Row] = []


class LengthSummary(View):
    """Characters of the input that half of the rows, 95 % and all of them stay within."""

    half: int
    most: int
    all: int


class Datasets(ABC):
    """Mixed into `backend.api.Studio`."""

    store: Store
    settings: Settings

    @abstractmethod
    def dataset(self, ref: str) -> ArtifactView:
        """Raises StudioError when it is no dataset."""

    @cached_property
    def edits(self) -> Edits:
        return Edits(self.store, self.settings)

    def dataset_page(
        self,
        dataset: str,
        split: str,
        page: int = 1,
        size: int = 25,
        where: RowFilter | None = None,
        sort: Sort = "",
        descending: bool = False,
        seconds: float = SEARCH_SECONDS,
    ) -> RowPage:
        """Page 1 is the first. A search takes `seconds` at most. Raises StudioError."""
        view, where = self.dataset(dataset), where or RowFilter()
        index = self._index(view, split)
        found, whole = _selected(index, where, sort, descending, seconds)
        start = size * (max(page, 1) - 1)
        plan = self.edits.plan(view.id)
        rows = [_shown(plan, split, row) for row in index.rows(found[start : start + size])]
        return RowPage(rows=rows, total=len(found), whole=whole, added=plan.added(split) if page <= 1 else [])

    def dataset_row(self, dataset: str, split: str, row_id: str) -> ShownRow:
        """One row by its id, as the draft leaves it. Raises StudioError when there is none."""
        view = self.dataset(dataset)
        plan = self.edits.plan(view.id)
        for new in plan.added(split):
            if new.id == row_id:
                return ShownRow(row=new, state="added")
        index = self._index(view, split)
        position = index.find(row_id)
        if position is None:
            raise StudioError("edits.row_unknown", ref=view.name, row=row_id, split=split)
        return _shown(plan, split, index.rows([position])[0])

    def table_ready(self, dataset: str, split: str) -> bool:
        """Whether `dataset_page` answers at once: the index is there, or small enough to be made in passing."""
        view = self.dataset(dataset)
        few = view.facts.get("rows", {}).get(split, 0) <= QUICK_ROWS
        return bool(few or is_ready(view.path, split, self._rows_cache(view)))

    def prepare_table(self, dataset: str, split: str) -> None:
        """Make the index; some seconds for a million rows."""
        self._index(self.dataset(dataset), split)

    def label_counts(self, dataset: str, split: str) -> dict[str, int]:
        """How often each label is the answer, of all rows."""
        return self._index(self.dataset(dataset), split).label_counts()

    def input_lengths(self, dataset: str, split: str) -> LengthSummary | None:
        """Of all rows; None where there are none."""
        found = self._index(self.dataset(dataset), split).length_quantiles((0.5, 0.95, 1.0))
        return LengthSummary(half=found[0], most=found[1], all=found[2]) if found else None

    def versions(self, dataset: str) -> tuple[ArtifactView | None, list[ArtifactView]]:
        """The dataset that this one is a new version of, and the datasets that were made from it, newest first."""
        view = self.dataset(dataset)
        parents = [found for parent in view.parents if (found := self.store.find_artifact(parent))]
        before = next((parent for parent in parents if parent.kind is view.kind), None)
        after = [child for child in self.store.children(view.id) if child.kind is view.kind]
        return before, sorted(after, key=lambda child: child.created, reverse=True)

    def save_version(self, dataset: str, name: str = "", project: str | None = None) -> RunView:
        """Start the stage that writes the draft into a new version; the draft is empty then. Raises StudioError."""
        view = self.dataset(dataset)
        params = {"data": view.id, "edits": str(self.edits.freeze(view.id))} | ({"name": name} if name else {})
        run = self.start_stage("edit_data", params, project)
        self.edits.saved(view.id, run.id)
        return run

    @abstractmethod
    def start_stage(self, stage: str, params: dict[str, Any], project: str | None = None) -> RunView:
        """One stage as a run of its own. Raises StudioError with all problems."""

    def check_report(self, dataset: str) -> ArtifactView | None:
        """The newest report of a check of a dataset; None before the first."""
        found = [child for child in self.store.children(self.dataset(dataset).id) if child.kind is Kind.REPORT]
        checks = [child for child in found if (child.path / CHECKS_FILE).is_file()]
        return max(checks, key=lambda child: child.created, default=None)

    def score_card(self, dataset: str) -> ScoreCard | None:
        """What the newest check of a dataset found; None before the first, and for one of another version of the studio."""
        report = self.check_report(dataset)
        try:
            return ScoreCard.model_validate_json((report.path / CHECKS_FILE).read_text("utf-8")) if report else None
        except ValidationError:
            return None

    def baseline(self, dataset: str) -> BaselineReport | None:
        """The newest quick baseline of a dataset; None before the first, and for one of another version of the studio."""
        children = self.store.children(self.dataset(dataset).id)
        measured = [child for child in children if child.facts.get("report") == "baseline"]
        newest = max(measured, key=lambda child: child.created, default=None)
        try:
            return BaselineReport.model_validate(newest.facts["baseline"]) if newest else None
        except ValidationError:
            return None

    def export(self, dataset: str, format: str, split: str = "train") -> Iterator[bytes]:
        """A dataset's bytes in one of `FORMATS`. Raises StudioError before the first piece."""
        return downloads.as_rows(self.dataset(dataset), format, split)

    def export_name(self, dataset: str, format: str, split: str = "train") -> str:
        """What such a file is called."""
        return downloads.file_name(self.dataset(dataset), format, split)

    def _rows_cache(self, view: ArtifactView) -> Path:
        return self.settings.cache / "rows" / view.id

    def _index(self, view: ArtifactView, split: str) -> RowIndex:
        if split not in SPLITS or not (view.path / f"{split}.jsonl").is_file():
            filled = [name for name in SPLITS if (view.path / f"{name}.jsonl").is_file()]
            raise StudioError("edits.split_unknown", ref=view.name, split=split, splits=", ".join(filled))
        return open_index(view.path, split, self._rows_cache(view))

    def template(self, dataset: str) -> Template:
        """How a row of a dataset becomes messages."""
        return DataFolder(self.dataset(dataset).path).template


def _shown(plan: EditPlan, split: str, row: Row) -> ShownRow:
    new = plan.apply(split, row)
    if new is None:
        return ShownRow(row=row, state="deleted")
    return ShownRow(row=new, state="edited" if new != row else "")


@lru_cache(maxsize=16)
def _selected(index: RowIndex, where: RowFilter, sort: Sort, descending: bool, seconds: float) -> tuple[Any, bool]:
    """Kept for the next page of the same table."""
    end = time.monotonic() + seconds
    return index.select(where, sort, descending, stop=lambda: time.monotonic() > end)
