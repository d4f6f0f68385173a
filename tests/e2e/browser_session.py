"""Somebody with a browser: goes to pages, waits until they stand still, notes what was asked for and complained of."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect
from playwright.sync_api import TimeoutError as NotInTime

from tests.studio.web_process import WebProcess

W = TypeVar("W", bound=WebProcess)
PATIENCE = 30_000
"""Milliseconds within which anything has to appear."""
OPEN_LIST = 3_000
"""Milliseconds for which an open list is waited on before it is opened again."""


class BrowserSession:
    """`page` is the first tab. `profile` goes to the browser: locale, color_scheme, viewport."""

    def __init__(self, browser: Browser, url: str, **profile: object) -> None:
        self.url = url
        self.asked: list[str] = []
        self.complaints: list[str] = []
        options = {"reduced_motion": "reduce", "locale": "en-GB", "base_url": url, **profile}
        self.context = browser.new_context(**options)  # type: ignore[arg-type]
        self.context.set_default_timeout(PATIENCE)
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.context.on("console", self._hear)
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.page = self.context.new_page()

    def _hear(self, said: ConsoleMessage) -> None:
        # On a page with a name Streamlit's client first tries whether the server lies below that name.
        if said.type == "error" and not re.search(r"/\w+/_stcore/", str(said.location)):
            self.complaints.append(f"{said.text} {said.location['url']}")

    def go(self, address: str = "/") -> Page:
        """Load a page afresh and wait until it stands still."""
        self.page.goto(address)
        wait_until_idle(self.page)
        return self.page

    def tab(self, address: str) -> Page:
        """One more tab of the same browser."""
        page = self.context.new_page()
        page.goto(address)
        wait_until_idle(page)
        return page

    def forgive(self) -> None:
        """What the console said of late was to be expected: a process was killed, a request was refused. It hears of that later
        than the page, so this waits until it says nothing more for a second."""
        page = self.context.pages[-1]  # the first tab may be closed by now
        heard = -1
        while heard < len(self.complaints):
            heard = len(self.complaints)
            page.wait_for_timeout(1000)
        self.complaints.clear()

    def leave(self) -> None:
        """Close the browser. Nothing was asked of another machine, and nothing went wrong in the console."""
        self.context.close()
        hosts = {urlsplit(url).hostname for url in self.asked if not url.startswith(("data:", "blob:", "about:"))}
        assert hosts <= {urlsplit(self.url).hostname}, f"asked outside: {hosts}"
        assert not self.complaints, self.complaints


class OpenBrowser(Protocol):
    def __call__(self, url: str, **profile: object) -> BrowserSession: ...


class Start(Protocol):
    def __call__(self, kind: type[W], home: Path, *more: str, **named: Any) -> W: ...


def wait_until_idle(page: Page) -> None:
    """Until the script of the page has run, and all that it drew is there."""
    expect(page.locator("h1").first).to_be_visible()
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_attached()
    expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0)


def choose(field: Locator, option: str, typed: bool = False) -> None:
    """Pick the first option with these words, `typed` in a long list, which draws only what is in sight. A run of the script
    that ends meanwhile closes the list, or draws it anew under the click: open it again, until it closes upon the choice."""
    options = field.page.get_by_role("option")
    for _ in range(PATIENCE // OPEN_LIST):
        wait_until_idle(field.page)
        field.click()
        if typed:
            field.fill(option)
        try:
            options.filter(has_text=option).first.click(timeout=OPEN_LIST)
            options.first.wait_for(state="detached", timeout=OPEN_LIST)
            return
        except NotInTime:
            field.page.keyboard.press("Escape")
    raise AssertionError(f"no option {option!r} could be picked")


def until(page: Page, true: Callable[[], bool]) -> None:
    """Wait for what no page shows."""
    for _ in range(PATIENCE // 100):
        if true():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not become true")
