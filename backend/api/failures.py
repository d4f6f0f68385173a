"""What pages and command line say of a database that fails."""

from backend.db.database import told_database

__all__ = ["told_database"]
