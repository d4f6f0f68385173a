"""Where shipped files lie: the packaged copy in the wheel, else the folder beside `studio/` in a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from backend.core.errors import StudioError

ROOT = Path(__file__).resolve().parents[2]
"""The parent of `backend/` and `studio/`; child processes start here."""


def assets() -> Path:
    packaged = ROOT / "studio" / "_assets"
    return packaged if packaged.is_dir() else ROOT / "assets"


@cache
def pages() -> Path:
    packaged = ROOT / "studio" / "_pages"
    return packaged if packaged.is_dir() else ROOT / "pages"


def absolute(path: str | Path) -> Path:
    """A path that means the same to every process, whatever folder it was started in: from the folder of the caller, `~`
    written out. Raises StudioError where one of these is not there."""
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise StudioError("core.no_home", path=path) from error
    except FileNotFoundError as error:
        raise StudioError("core.folder_gone") from error
