"""A database that fails under a running studio is said in a sentence with what to do, on pages and after a press."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from backend.api import Studio
from backend.core.errors import StudioError
from backend.db import database
from studio.ui.shared import api_cache
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words

SAID = {
    "damaged": ("is damaged", "está dañada"),
    "locked": ("is locked by another program", "Otro programa"),
    "read-only": ("can't be written", "no se puede escribir"),
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.05)


def file_of(builder: StudioBuilder) -> Path:
    """The database in its file, with nobody connected to it."""
    builder.store.engine.dispose()
    file = builder.studio.settings.home / "studio.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return file


@contextmanager
def failing(builder: StudioBuilder, how: str) -> Iterator[None]:
    """The database as it is when something befell it while the studio was open."""
    api_cache.studio().store.engine.dispose()
    file = file_of(builder)
    if how == "damaged":
        content = bytearray(file.read_bytes())
        content[100:] = b"\xff" * (len(content) - 100)
        file.write_bytes(content)
        yield
        return
    holder = sqlite3.connect(file)
    try:
        holder.execute("PRAGMA locking_mode=EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        holder.close()


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("how", ["damaged", "locked"])
def test_a_page_says_what_is_wrong(show: Show, builder: StudioBuilder, how: str, language: str) -> None:
    at = show("models", language)
    with failing(builder, how):
        st.cache_resource.clear()
        at.run()
    assert not at.exception, at.exception
    assert SAID[how][language == "es"] in words(at) and "studio.sqlite" in words(at).replace("\\", "")
    assert "sqlite3" not in words(at) and "sqlalche.me" not in words(at)


@pytest.mark.parametrize("how", ["damaged", "locked"])
def test_a_studio_that_is_open_raises_sentences(builder: StudioBuilder, how: str) -> None:
    studio = api_cache.studio()
    with failing(builder, how), pytest.raises(StudioError, match=SAID[how][0]):
        studio.projects()


def test_a_write_to_a_read_only_database_is_said(show: Show, builder: StudioBuilder) -> None:
    at = AppTest.from_function(_pressed)
    at.run()
    with api_cache.studio().store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=1")  # as SQLite answers for a file without the right to write
    at.button[0].click().run()
    assert not at.exception
    assert SAID["read-only"][0] in at.toast[0].value


def _pressed() -> None:
    import streamlit as st

    from studio.ui.shared import api_cache

    st.button("x", on_click=api_cache.run_action, args=(lambda: api_cache.studio().create_project("second"),))


def test_a_command_or_worker_keeps_the_failure_as_it_is(builder: StudioBuilder) -> None:
    opened = Studio.open()
    opened.store.engine.dispose()
    with failing(builder, "locked"), pytest.raises(Exception, match="database is locked") as raised:
        opened.projects()
    assert not isinstance(raised.value, StudioError)
