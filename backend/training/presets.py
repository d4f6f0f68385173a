"""Sets of values for fine-tuning, by what matters most: the one place that declares them. Balanced is what the fields begin
with. Ranks and epochs are those of the guided run's presets (backend.planning.guide.presets)."""

from __future__ import annotations

from typing import Any

FINETUNE_PRESETS: dict[str, dict[str, Any]] = {
    "Quick look": {"epochs": 1.0, "rank": 8, "alpha": 16, "evaluate_rows": 50},
    "Balanced": {},
    "Top layers": {"top_share": 0.5, "rank": 64, "alpha": 128},
    "Best quality": {"epochs": 4.0, "rank": 32, "alpha": 64, "keep": "best"},
    "Least memory": {
        "qlora": True,
        "rank": 8,
        "alpha": 16,
        "batch_size": 1,
        "accumulation": 8,
        "gradient_checkpointing": True,
    },
}
"""Name -> values of fields; the fields that another preset sets begin with their defaults."""
