"""A real Chromium (the system's if there is one, else Playwright's own), and visitors of a real studio."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, expect, sync_playwright

from tests.e2e.browser_session import PATIENCE, BrowserSession, OpenBrowser, Start
from tests.e2e.sample_home import fill
from tests.studio.builder import StudioBuilder
from tests.studio.web_process import WebProcess

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
def open_browser(browser: Browser, start: Start) -> Iterator[OpenBrowser]:
    """`open_browser(url, locale="es-ES")`: a session with a browser profile of its own. In the end none may have asked
    another machine for anything, and no console may have told of an error."""
    visitors: list[BrowserSession] = []

    def enter(url: str, **profile: object) -> BrowserSession:
        visitors.append(BrowserSession(browser, url, **profile))
        return visitors[-1]

    yield enter
    for browser_session in visitors:
        browser_session.leave()


@pytest.fixture
def builder(home: Path) -> StudioBuilder:
    """The studio of the test's home, to be filled."""
    return StudioBuilder(home)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    """The web process on a home with everything in it, in every state; no worker moves anything."""
    home = tmp_path_factory.mktemp("filled") / "home"
    fill(home)
    with WebProcess(home) as web:
        yield web


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    """The web process on a home where nothing has happened yet."""
    with WebProcess(tmp_path_factory.mktemp("empty") / "home") as web:
        yield web
