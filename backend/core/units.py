"""Numbers as people read them."""

from __future__ import annotations


def human_bytes(count: float) -> str:
    """`1234567` -> `1.2 MB` (decimal units, as disks are sold)."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
