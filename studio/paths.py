"""Where the shell's own files lie; pages and assets are found by `backend.core.paths`."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent
STATIC = HERE / "static"
LOCALE = HERE / "locale"
