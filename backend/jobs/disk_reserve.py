"""A few megabytes set aside: on a full disk they are given up, so that the studio can still write down what happened."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

_SIZE = 4 * 2**20
_FILE = "reserve"


def allocate(home: Path) -> None:
    """Set the reserve aside unless it is there or the disk has hardly more than that left."""
    file = home / _FILE
    if not file.exists() and shutil.disk_usage(home).free > 2 * _SIZE:
        with suppress(OSError):
            file.write_bytes(bytes(_SIZE))


def release(home: Path) -> None:
    """Give the reserve up; the worker sets it aside again when there is room."""
    (home / _FILE).unlink(missing_ok=True)
