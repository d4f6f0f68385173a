"""A database is copied before it is migrated, and only then."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.db import database
from backend.db.database import backup, backups, migrate, open_engine


def revision(file: Path) -> str:
    with closing(sqlite3.connect(file)) as held:
        found: str = held.execute("select version_num from alembic_version").fetchone()[0]
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database of an earlier version: 0009 had no headers of endpoints."""
    from alembic import command
    from alembic.config import Config

    made = tmp_path / "studio.sqlite"
    engine = open_engine(f"sqlite:///{made}")
    config = Config()
    config.set_main_option("script_location", str(database._MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0009")
    engine.dispose()
    return made


def test_a_migration_leaves_a_backup_that_is_the_old_database(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    engine = open_engine(f"sqlite:///{file}")
    with caplog.at_level(logging.WARNING):
        migrate(engine)
        migrate(engine)
    engine.dispose()
    (kept,) = backups(file)
    assert kept.name == f"studio.sqlite.before-{revision(file)}" and revision(kept) == "0009" != revision(file)
    assert [kept.name in each.getMessage() for each in caplog.records if each.name == database.__name__] == [True]
    assert kept.stat().st_mode & 0o077 == 0


def test_a_new_database_needs_no_backup(tmp_path: Path) -> None:
    migrate(open_engine(f"sqlite:///{tmp_path / 'studio.sqlite'}"))
    assert backups(tmp_path / "studio.sqlite") == []


def test_the_last_three_backups_are_kept(file: Path) -> None:
    for number in range(5):
        backup(file, f"{number}")
    assert [each.name[-1] for each in backups(file)] == ["4", "3", "2"]


def test_without_a_backup_nothing_is_migrated(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Path:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(database, "backup", fail)
    with pytest.raises(StudioError) as failed:
        migrate(open_engine(f"sqlite:///{file}"))
    assert failed.value.code == "core.disk_full" and revision(file) == "0009"
