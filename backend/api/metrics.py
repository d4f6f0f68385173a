"""What is measured, for pages: names, units and where better is."""

from backend.stats.metrics import Metric, costs, headline, higher_is_better, metrics, qualities

__all__ = ["Metric", "costs", "headline", "higher_is_better", "metrics", "qualities"]
