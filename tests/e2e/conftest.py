"""A real Chromium (the system's if there is one, else Playwright's own), and visitors of a real studio."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, expect, sync_playwright

from tests.e2e.homes import fill
from tests.e2e.visitor import PATIENCE, Start, Visit, Visitor
from tests.studio.house import House
from tests.studio.web import Web

NAMES = ("chromium", "chromium-browser", "google-chrome")

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    system = next((path for path in map(shutil.which, NAMES) if path), None)
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(
                executable_path=system, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
            )
        except Error as error:
            pytest.fail(f"no Chromium can be started; `make browser` installs one: {error.message.splitlines()[0]}")
        yield started
        started.close()


@pytest.fixture
def start() -> Iterator[Start]:
    """`start(Web, home)`: a process that lives as long as the test, and longer than the visitors' browsers."""
    with ExitStack() as stack:
        yield lambda kind, *args, **named: stack.enter_context(kind(*args, **named))


@pytest.fixture
def visit(browser: Browser, start: Start) -> Iterator[Visit]:
    """`visit(url, locale="es-ES")`: a visitor with a browser profile of their own. In the end none may have asked another
    machine for anything, and no console may have told of an error."""
    visitors: list[Visitor] = []

    def enter(url: str, **profile: object) -> Visitor:
        visitors.append(Visitor(browser, url, **profile))
        return visitors[-1]

    yield enter
    for visitor in visitors:
        visitor.leave()


@pytest.fixture
def house(home: Path) -> House:
    """The studio of the test's home, to be filled."""
    return House(home)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The web process on a home with everything in it, in every state; no worker moves anything."""
    home = tmp_path_factory.mktemp("filled") / "home"
    fill(home)
    with Web(home) as web:
        yield web


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The web process on a home where nothing has happened yet."""
    with Web(tmp_path_factory.mktemp("empty") / "home") as web:
        yield web
