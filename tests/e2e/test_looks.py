"""Every page for those who hear it, read it in the dark, or hold it in one hand."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.e2e.browser_session import BrowserSession, OpenBrowser, wait_until_idle
from tests.e2e.sample_home import PLACES
from tests.studio.web_process import WebProcess

pytestmark = pytest.mark.e2e

OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
    "resultTypes": ["violations"],
    # Streamlit's own: the menu puts section titles between its list items; sparklines and icons are svg images without a name.
    "rules": {"list": {"enabled": False}, "listitem": {"enabled": False}, "svg-img-alt": {"enabled": False}},
}
CUT = """() => [...document.querySelectorAll("h1, h2, h3, [data-testid=stMarkdownContainer], [data-testid=stMetricValue]")]
  .filter(e => e.checkVisibility() && !e.closest("[data-testid=stSidebar]"))
  .filter(e => getComputedStyle(e).overflowX !== "visible" && e.scrollWidth > e.clientWidth + 1)
  .map(e => e.innerText)"""
OUTSIDE = """() => [...document.querySelectorAll("[data-testid=stButtonGroup] button")]
  .filter(e => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1).map(e => `outside: ${e.innerText}`)"""
WIDER = """() => [document.documentElement, document.querySelector("[data-testid=stMain]")]
  .filter(e => e && e.scrollWidth > e.clientWidth + 1).map(e => `${e.scrollWidth} in ${e.clientWidth}`)"""


def findings(page: Page) -> list[str]:
    response: dict[str, Any] = Axe().run(page, options=OPTIONS).response
    return [
        f"{each['id']}: {node['target']} {node['html'][:120]} {node.get('failureSummary', '')[-300:]}"
        for each in response["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def collect(browser_session: BrowserSession, look: Any) -> dict[str, list[str]]:
    found = {}
    for place in PLACES:
        browser_session.go(place)
        if look(browser_session.page):
            wait_until_idle(browser_session.page)  # what fades while a page is drawn is not what people read
            if wrong := look(browser_session.page):
                found[place] = wrong
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible(filled: WebProcess, open_browser: OpenBrowser, scheme: str) -> None:
    assert collect(open_browser(filled.url, color_scheme=scheme), findings) == {}


@pytest.mark.parametrize("locale", ["en-GB", "es-ES"])
def test_fits_a_phone(filled: WebProcess, open_browser: OpenBrowser, locale: str) -> None:
    browser_session = open_browser(filled.url, locale=locale, viewport={"width": 390, "height": 844})
    assert (
        collect(browser_session, lambda page: page.evaluate(CUT) + page.evaluate(WIDER) + page.evaluate(OUTSIDE)) == {}
    )
