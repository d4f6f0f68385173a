"""What a check of a dataset found, for pages and the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backend.core.errors import StudioError
from backend.core.schemas import Kind
from backend.data.gates.base import FoundRow
from backend.data.gates.fixes import FIXES
from backend.data.gates.model import ScoreCard
from backend.data.gates.registry import GATES
from backend.data.gates.report import REPORT, found_rows, read_card

if TYPE_CHECKING:
    from backend.api.studio import Studio

GATE_TITLES = {gate.name: gate.title for gate in GATES}
FIX_TITLES = {name: fix.title for name, fix in FIXES.items()}


@dataclass(frozen=True)
class DataCheck:
    """A report of the stage check_data. `artifact`: its id; `data`: the id of the dataset."""

    artifact: str
    data: str
    card: ScoreCard

    def as_json(self) -> dict[str, Any]:
        """The score card with its sentences in English."""
        card = self.card.model_dump(mode="json")
        for plain, finding in zip(card["findings"], self.card.findings, strict=True):
            plain["sentence"] = finding.problem.sentence()
        return {"artifact": self.artifact, "data": self.data, **card}


def read_check(studio: Studio, ref: str) -> DataCheck:
    """Raises StudioError when `ref` is no such report."""
    view = studio.artifact(ref)
    if view.kind is not Kind.REPORT or view.facts.get("report") != REPORT:
        raise StudioError("gates.report_other", ref=ref)
    return DataCheck(view.id, view.facts["data"], read_card(view.path))


def latest_check(studio: Studio, data: str) -> DataCheck | None:
    """The newest check of a dataset, by its id; None when there was none."""
    for view in studio.artifacts([Kind.REPORT]):
        if view.facts.get("report") == REPORT and view.facts.get("data") == data:
            return DataCheck(view.id, data, read_card(view.path))
    return None


def check_rows(studio: Studio, ref: str, gate: str, start: int = 0, count: int = 100) -> list[FoundRow]:
    """Rows that a gate found, from `start` on."""
    return found_rows(studio.artifact(ref).path, gate, start, count)
