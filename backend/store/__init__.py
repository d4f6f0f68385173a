"""The studio's database: SQLAlchemy 2 on SQLite (WAL) or Postgres, migrated by Alembic."""

from backend.store.store import Store

__all__ = ["Store"]
