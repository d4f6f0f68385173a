"""Which models of a run can be used, the recommended one first, and what they are called."""

from __future__ import annotations

from backend.core.schemas import ArtifactView
from backend.results.run_result import RunResult
from studio.ui.result.words import bits_words
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import format_metric
from studio.ui.shared.i18n import _


def choices(result: RunResult) -> list[ArtifactView]:
    """The model that is handed over and the one before INT4, which comes first where INT4 took much."""
    known = {view.id: view for view in api_cache.artifacts()}
    before = known.get((result.tuned.model if result.tuned else None) or "")
    found = [view for view in (result.model, before) if view]
    return found[::-1] if bits_words(result)[1] else found


def choice_label(result: RunResult, view: ArtifactView) -> str:
    """Name and quality, and whether it is the recommended one."""
    measured = next((one for one in (result.best, result.tuned) if one and one.model == view.id), None)
    parts = [view.name]
    if measured and result.quality in measured.metrics:
        parts.append(format_metric(result.quality, measured.metrics[result.quality])[1])
    if view.id == choices(result)[0].id:
        parts.append(_("recommended"))
    return " · ".join(parts)
