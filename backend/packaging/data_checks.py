"""What the newest check of each dataset found, for the README of a package."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path

from backend.core.artifacts import MANIFEST
from backend.core.schemas import ArtifactView, Kind
from backend.data.gates.model import ScoreCard
from backend.data.gates.report import REPORT, read_card


def newest_checks(
    artifacts: Path, lineage: Sequence[ArtifactView], trashed: Collection[str] = ()
) -> dict[str, ScoreCard]:
    """Dataset of `lineage` -> its newest score card; datasets that nobody checked are left out. `artifacts`: the artifact
    store; `trashed`: ids that don't count."""
    wanted = {view.id for view in lineage if view.kind is Kind.DATASET}
    manifests = sorted((artifacts / Kind.REPORT).glob(f"*/{MANIFEST}"), key=lambda file: file.stat().st_mtime_ns)
    found: dict[str, ScoreCard] = {}
    for manifest in [each for each in manifests if each.parent.name not in trashed]:
        facts = json.loads(manifest.read_text("utf-8")).get("facts", {})
        if facts.get("report") == REPORT and facts.get("data") in wanted:
            found[facts["data"]] = read_card(manifest.parent)
    return found
