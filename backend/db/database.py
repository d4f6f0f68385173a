"""Engine and migrations. The schema brings itself up to date when the store is opened."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, ExceptionContext, create_engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from backend.core.errors import StudioError
from backend.core.settings import Settings

log = logging.getLogger(__name__)
_MIGRATIONS = Path(__file__).parent / "migrations"
_KEPT_BACKUPS = 3
_PAGES_BYTES = 65_536
_BUSY_SECONDS = 15.0
_LOCKED = ("database is locked", "database table is locked", "database schema is locked")
_DAMAGED = ("malformed", "file is not a database", "database corruption")
_READ_ONLY = ("readonly database", "unable to open database file")


def open_engine(url: str) -> Engine:
    """An engine with WAL, foreign keys and a 15 s busy time-out on SQLite; connections to a server are tested before use."""
    sqlite = url.startswith("sqlite")
    options: dict[str, Any] = {"connect_args": {"check_same_thread": False, "timeout": _BUSY_SECONDS}} if sqlite else {}
    engine = create_engine(url, pool_pre_ping=not sqlite, **options)
    if sqlite:
        event.listen(engine, "connect", _sqlite_pragmas)
    return engine


def migrate(engine: Engine) -> None:
    """Apply the migrations that are missing, after a backup of a SQLite file that holds something. Safe when several
    processes start at once. Raises StudioError for a database that can't be used."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    head = scripts.get_current_head() or ""
    known = {script.revision for script in scripts.walk_revisions()}
    try:
        if _revision(engine, known) == head:
            return
        with engine.connect() as connection:
            _lock(connection)
            if (before := _revision(engine, known)) != head:
                if before and engine.dialect.name == "sqlite":
                    backup(Path(engine.url.database or ""), head)
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
            connection.commit()
    except (SQLAlchemyError, sqlite3.Error) as error:
        if told := told_database(error, engine):
            raise told from error
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        raise StudioError("core.db_url", url=engine.url.render_as_string(), reason=f"{reason}.") from error


def backup(file: Path, revision: str) -> Path:
    """A copy of a database as it is before the migrations up to `revision`, beside it; the last three are kept. Raises
    StudioError where there is no room for it."""
    target = file.with_name(f"{file.name}.before-{revision}")
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(partial)) as copy:
            partial.chmod(0o600)
            source.backup(copy)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    for old in backups(file)[_KEPT_BACKUPS:]:
        old.unlink(missing_ok=True)
    log.warning("The database is brought up to date; as it was before, it is kept as %s", target)
    return target


def backups(file: Path) -> list[Path]:
    """The copies that migrations left of a database, the newest first."""
    found = [each for each in file.parent.glob(f"{file.name}.before-*") if each.is_file()]
    return sorted(found, key=lambda each: (each.stat().st_mtime_ns, each.name), reverse=True)


def tell_failures(engine: Engine) -> None:
    """Let this engine raise what `told_database` says in place of a failure of SQLite. Not for a worker, which waits until the
    database can be used again."""

    def tell(context: ExceptionContext) -> StudioError | None:
        return None if context.is_pre_ping else told_database(context.original_exception, engine)

    event.listen(engine, "handle_error", tell)


def told_database(error: BaseException, engine: Engine | None = None) -> StudioError | None:
    """What to say of a failure of SQLite; None for any other. `engine`: of the database, the studio's own by default."""
    cause = getattr(error, "orig", None) or error
    if not isinstance(cause, sqlite3.Error):
        return None
    reason = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
    file = Path((engine.url.database if engine else None) or Settings().home / "studio.sqlite")
    text = reason.lower()
    if any(words in text for words in _LOCKED):
        return StudioError("core.db_locked", file=file)
    if any(words in text for words in _DAMAGED):
        if kept := backups(file):
            return StudioError("core.db_damaged_backup", file=file, reason=reason, backup=kept[0].name)
        return StudioError("core.db_damaged", file=file, reason=reason)
    if "disk is full" in text or ("disk i/o error" in text and _full(file)):
        return StudioError("core.disk_full", path=file.parent)
    if any(words in text for words in _READ_ONLY):
        return StudioError("core.db_read_only", file=file)
    return None


def _full(file: Path) -> bool:
    """Whether its disk has no room for a page."""
    return shutil.disk_usage(file.parent).free < _PAGES_BYTES


def _revision(engine: Engine, known: Collection[str]) -> str | None:
    """None for an empty database. Raises StudioError for one that a newer version made."""
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        found: str | None = connection.execute(text("select version_num from alembic_version")).scalar()
    if found and found not in known:
        raise StudioError("core.db_newer", file=engine.url.render_as_string(), revision=found)
    return found


def _lock(connection: Any) -> None:
    """One migration at a time: the second process waits, then finds nothing left to do."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("select pg_advisory_xact_lock(7316)"))


def _sqlite_pragmas(connection: sqlite3.Connection, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=15000"):
        connection.execute(f"PRAGMA {pragma}")
