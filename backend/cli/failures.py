"""Failures of disk and database that a command meets, as the sentences that the studio has for them."""

from __future__ import annotations

import errno
import sys

from backend.core.errors import StudioError

_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


def told(error: Exception) -> StudioError | None:
    """What to say of `error`; None for a bug, which keeps its traceback."""
    if isinstance(error, StudioError):
        return error
    if isinstance(error, OSError) and error.filename and not isinstance(error.filename, int):
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return StudioError("core.disk_full", path=error.filename)
        if error.errno in _NOT_ALLOWED:
            return StudioError("core.file_denied", path=error.filename, reason=f"{error.strerror}.")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        from backend.core.settings import Settings

        return StudioError("core.disk_full", path=Settings().home)
    if "backend.db" in sys.modules:
        from backend.api.failures import told_database

        return told_database(error)
    return None
