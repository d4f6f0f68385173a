"""Load tests as others read them: from the facts of their reports, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from backend.core.schemas import ArtifactView, Kind, View
from backend.inference.load import REPORT, LoadLevel

_NEEDED = frozenset({"model", "model_name", "cores", "levels"})


class LoadTest(View):
    """One load test. `model`: an artifact's id; `cores` that the server could use; times in seconds, memory in bytes."""

    id: str
    model: str
    model_name: str
    cores: int
    max_new_tokens: int = 0
    cold_start_seconds: float = 0.0
    peak_memory_bytes: int = 0
    levels: list[LoadLevel]
    created: datetime

    def users_at_once(self, limit_ms: float) -> int:
        """The most clients whose requests all came back, 95 % of them within `limit_ms`; 0 where no level did."""
        return max((level.clients for level in self._within(limit_ms)), default=0)

    def best_level(self, limit_ms: float) -> LoadLevel | None:
        """Of the levels that keep the limit, the one that answers most a second; None where none does."""
        return max(self._within(limit_ms), key=lambda level: level.requests_per_s, default=None)

    def _within(self, limit_ms: float) -> list[LoadLevel]:
        return [level for level in self.levels if not level.errors and level.latency_ms_p95 <= limit_ms]


def load_tests(artifacts: Iterable[ArtifactView]) -> list[LoadTest]:
    """All of the store, in the order of `artifacts`; a model's name is that of now."""
    known = {view.id: view for view in artifacts}
    return [
        LoadTest.model_validate(
            {
                **{name: value for name, value in view.facts.items() if name in LoadTest.model_fields},
                "id": view.id,
                "created": view.created,
                "model_name": known[view.facts["model"]].name
                if view.facts["model"] in known
                else view.facts["model_name"],
            }
        )
        for view in known.values()
        if view.kind is Kind.REPORT and view.facts.get("report") == REPORT and view.facts.keys() >= _NEEDED
    ]


def newest_of(tests: Sequence[LoadTest], model: str | None) -> LoadTest | None:
    """Of one model."""
    return next((test for test in tests if test.model == model), None)
