"""Which fields of a stage's form stand open, and which of them belong to who answers."""

from __future__ import annotations

ANSWERERS: dict[str, tuple[str, ...]] = {
    "model": ("model",),
    "saved": ("endpoint", "budget"),
    "endpoint": ("endpoint_url", "endpoint_model", "endpoint_key_env"),
}
"""Who can answer, and the fields that say who; a budget needs prices, which only a saved endpoint has."""
SENDING = ("concurrency", "retries", "timeout")

BASIC: dict[str, tuple[str, ...]] = {
    "dataset": ("source", "name", "input", "output"),
    "audition": ("data", "models", "endpoints", "rows", "prompt", "budget"),
    "generate": ("data", "method", "rows", "about"),
    "teacher": ("data", "splits", "prompt", "samples"),
    "judge": ("data", "rubric", "min_score"),
    "curate": ("data", "min_confidence", "near_duplicates", "balance"),
    "review": ("data", "unreviewed", "name"),
    "prune": ("model", "data", "keep_layers", "vocabulary"),
    "capture": ("teacher", "data", "bytes_per_token"),
    "distill": ("student", "data", "method", "capture", "teacher", "epochs"),
    "ablation": ("student", "data", "gold", "seeds", "max_steps", "split"),
    "finetune": ("model", "data", "epochs", "rank"),
    "quantize": ("model", "precision", "target"),
    "scheme_search": ("model", "data", "schemes", "keep", "minutes"),
    "attach": ("model", "adapter", "data"),
    "parity": ("model", "data", "rows"),
    "checklist": ("model", "data", "split", "rows", "requests", "floor"),
    "prove": ("model", "data", "rows"),
    "package": ("model", "reports", "overrule", "evaluations", "name", "version"),
    "evaluate": ("data", "split"),
}
"""The fields that stand open, in this order; the rest is folded under “Advanced”."""
