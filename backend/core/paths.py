"""Where shipped files lie: the packaged copy in the wheel, else the folder beside `studio/` in a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The parent of `backend/` and `studio/`; child processes start here."""


def assets() -> Path:
    packaged = ROOT / "studio" / "_assets"
    return packaged if packaged.is_dir() else ROOT / "assets"


@cache
def pages() -> Path:
    packaged = ROOT / "studio" / "_pages"
    return packaged if packaged.is_dir() else ROOT / "pages"
