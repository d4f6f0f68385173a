"""What pages and command line say of a database that fails."""

from backend.api.studio import Studio
from backend.db import database
from backend.db.database import told_database

__all__ = ["tell_failures", "told_database"]


def tell_failures(studio: Studio) -> None:
    """From now on a database that fails (locked, damaged, read-only, full) raises StudioError, on every read and write."""
    database.tell_failures(studio.store.engine)
