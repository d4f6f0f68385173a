"""Which fields of a form belong to who answers."""

from __future__ import annotations

ANSWERERS: dict[str, tuple[str, ...]] = {
    "model": ("model",),
    "saved": ("endpoint", "budget"),
    "endpoint": ("endpoint_url", "endpoint_model", "endpoint_key_env"),
}
"""Who can answer, and the fields that say who; a budget needs prices, which only a saved endpoint has."""
SENDING = ("concurrency", "retries", "timeout", "personal_data")
TEACHING = ("trial_rows", "batch")
"""Fields that count for a teacher at an endpoint alone."""
