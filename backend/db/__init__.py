"""The studio's database: SQLAlchemy 2 on SQLite (WAL) or Postgres, migrated by Alembic."""

from backend.db.store import Store

__all__ = ["Store"]
