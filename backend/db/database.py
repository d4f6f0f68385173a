"""Engine and migrations. The schema brings itself up to date when the store is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from backend.core.errors import StudioError

_MIGRATIONS = Path(__file__).parent / "migrations"


def open_engine(url: str) -> Engine:
    """An engine with WAL, foreign keys and a 15 s busy time-out on SQLite; connections are tested before use."""
    sqlite = url.startswith("sqlite")
    options: dict[str, Any] = {"connect_args": {"check_same_thread": False, "timeout": 15}} if sqlite else {}
    engine = create_engine(url, pool_pre_ping=True, **options)
    if sqlite:
        event.listen(engine, "connect", _sqlite_pragmas)
    return engine


def migrate(engine: Engine) -> None:
    """Apply the migrations that are missing. Safe when several processes start at once."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    head = ScriptDirectory.from_config(config).get_current_head()
    try:
        if _revision(engine) == head:
            return
        with engine.connect() as connection:
            _lock(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        raise StudioError("core.db_url", url=engine.url.render_as_string(), reason=f"{reason}.") from error


def _revision(engine: Engine) -> str | None:
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        return connection.execute(text("select version_num from alembic_version")).scalar()


def _lock(connection: Any) -> None:
    """One migration at a time: the second process waits, then finds nothing left to do."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("select pg_advisory_xact_lock(7316)"))


def _sqlite_pragmas(connection: sqlite3.Connection, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=15000"):
        connection.execute(f"PRAGMA {pragma}")
