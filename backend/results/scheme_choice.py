"""Which of the measured quantization schemes is taken: the smallest that keeps enough quality."""

from __future__ import annotations

from typing import Any

from backend.results.evaluations import pareto_indices
from backend.stats.metrics import headline


def choose_scheme(points: list[dict[str, Any]], original: dict[str, float], keep: float) -> dict[str, Any]:
    """The choice among measured points: the smallest that keeps `keep` of the original's quality, else the best; `kept`: the
    share that it keeps; `front`: the names that no other beats in size and quality, smallest first."""
    metric = headline(original)
    good = [point for point in points if point["metrics"][metric] >= keep * original[metric]]

    def size(point: dict[str, Any]) -> float:
        return float(point["metrics"]["size_bytes"])

    chosen = min(good, key=size) if good else max(points, key=lambda point: (point["metrics"][metric], -size(point)))
    share = chosen["metrics"][metric] / original[metric] if original[metric] else 1.0
    front = pareto_indices([(size(point), point["metrics"][metric]) for point in points], "size_bytes", metric)
    return {
        "choice": chosen["name"],
        "metric": metric,
        "keep": keep,
        "kept": share,
        "passed": bool(good),
        "front": [points[at]["name"] for at in front],
    }
