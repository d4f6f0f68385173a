"""Every page for those who hear it, read it in the dark, or hold it in one hand."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.browser_session import BrowserSession, OpenBrowser, until, wait_until_idle
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

HIDDEN = """() => { const header = document.querySelector("[data-testid=stHeader]").getBoundingClientRect().bottom;
  const still = !document.querySelector("[data-testid=stAppScrollToBottomContainer]");  // a chat begins at its end
  return [...document.querySelectorAll("h1")].filter(() => still).filter(e => e.getBoundingClientRect().top < header)
    .map(e => `under: ${e.innerText}`) }"""
LINE = """() => [...document.querySelectorAll("button[data-variant=segmented_control]")].filter(e => e.checkVisibility())
  .filter(e => { const s = getComputedStyle(e);
    const parts = [s.borderLeftWidth, s.borderRightWidth, s.borderTopLeftRadius, s.borderBottomRightRadius];
    return parts.some(w => parseFloat(w) < .5) })
  .map(e => `open outline: ${e.innerText}`)"""
PALE = """() => { const part = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = c => { const [r, g, b] = c.match(/[0-9.]+/g).map(Number);
    return .2126 * part(r) + .7152 * part(g) + .0722 * part(b) };
  const ground = light(getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor);
  return [...document.querySelectorAll(".js-plotly-plot :is(.xtick, .ytick, .infolayer, .legend, .bars) text")].map(e => {
    const [low, high] = [light(getComputedStyle(e).fill), ground].sort((a, b) => a - b);
    return [(high + .05) / (low + .05), e.textContent] }) }"""
FAINT = """() => { const label = [...document.querySelectorAll("[data-testid=stRadioOption]:not([data-selected]), "
    + "[data-testid=stCheckbox] label:has(input:not([role=switch])):not([data-selected])")];
  return label.filter(e => e.checkVisibility()).map(e => [...e.querySelectorAll("div")].map(each => getComputedStyle(each))
    .some(s => s.boxShadow.includes("0px 0px 0px 1px")) ? "" : `faint: ${e.innerText}`) }"""
TITLE = """() => document.querySelector("h1").getBoundingClientRect().top
  >= document.querySelector("[data-testid=stHeader]").getBoundingClientRect().bottom"""
SEEN = """() => [".st-key-project_menu", ".st-key-palette", ".st-key-lang"].filter(name =>
  document.querySelector(`[data-testid=stSidebar] ${name}`).getBoundingClientRect().bottom > innerHeight)"""
FOCUS = """() => { let e = document.activeElement; while (e.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
  const s = getComputedStyle(e); return [e.ariaLabel || e.innerText, s.outlineStyle === "solid" ? s.outlineWidth : ""] }"""
SCHEME = "() => getComputedStyle(document.documentElement).colorScheme"
BACKGROUND = "() => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"


def focused(page: Page, key: str) -> tuple[str, str]:
    """Name and outline of what has the focus after this key."""
    page.keyboard.press(key)
    name, outline = page.evaluate(FOCUS)
    return name, outline


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
    looks = (CUT, WIDER, OUTSIDE, HIDDEN, LINE)
    assert collect(browser_session, lambda page: [said for look in looks for said in page.evaluate(look)]) == {}


def test_actions_without_words_on_a_phone_keep_their_names(filled: WebProcess, open_browser: OpenBrowser) -> None:
    page = open_browser(filled.url, viewport={"width": 390, "height": 844}).go("/models")
    actions = page.locator(".st-key-actions_onnx-alumno-int4")
    expect(actions.get_by_role("button", name="Delete")).to_be_visible()
    boxes = [each.bounding_box() for each in actions.get_by_role("button").all()]
    assert len({round(box["y"]) for box in boxes if box}) == 1, "one line"


def test_a_wide_table_on_a_phone_keeps_its_names_in_sight(filled: WebProcess, open_browser: OpenBrowser) -> None:
    page = open_browser(filled.url, viewport={"width": 390, "height": 844}).go("/compare")
    table = page.get_by_role("table", name="Leaderboard")
    table.wait_for()
    left = "e => { const box = e.parentElement; box.scrollLeft = box.scrollWidth; const at = box.getBoundingClientRect().left;"
    shown = table.evaluate(left + " return [box.scrollLeft, e.querySelector('td').getBoundingClientRect().left - at] }")
    assert shown[0] > 100 and abs(shown[1]) < 2, shown


def test_playground_begins_at_its_title(filled: WebProcess, open_browser: OpenBrowser) -> None:
    page = open_browser(filled.url, viewport={"width": 390, "height": 600}).go("/playground")
    until(page, lambda: bool(page.evaluate(TITLE)))


def test_low_window_shows_project_search_and_language(filled: WebProcess, open_browser: OpenBrowser) -> None:
    page = open_browser(filled.url, viewport={"width": 1360, "height": 720}).go("/jobs")
    until(page, lambda: page.evaluate(SEEN) == [])


def test_what_can_be_chosen_is_seen(filled: WebProcess, open_browser: OpenBrowser) -> None:
    page = open_browser(filled.url).go("/settings?section=storage")
    until(page, lambda: page.evaluate(FAINT) == [""])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_of_charts_can_be_read(filled: WebProcess, open_browser: OpenBrowser, scheme: str) -> None:
    page = open_browser(filled.url, color_scheme=scheme).go("/compare?view=confusion")
    page.locator(".st-key-cmp_confusion_chart .xtick text").first.wait_for()
    found = page.evaluate(PALE)
    assert len(found) > 20 and [each for each in found if each[0] < 4.5] == []


def test_steps_are_one_stop_of_the_tab_key(filled: WebProcess, open_browser: OpenBrowser) -> None:
    page = open_browser(filled.url).go("/data")
    names = [focused(page, "Tab")]
    while not names[-1][0].startswith("1. Data"):
        assert len(names) < 30, names
        names.append(focused(page, "Tab"))
    menu = [outline for name, outline in names if name.endswith(("Home", "Teacher", "Jobs", "Settings"))]
    assert menu == ["2px"] * 4, names
    assert focused(page, "ArrowRight")[0].startswith("2. Teacher")
    assert focused(page, "End")[0].startswith("6. Compare")
    assert focused(page, "Home")[0].startswith("1. Data")
    assert not focused(page, "Tab")[0].startswith("2.")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Teacher", level=1)).to_be_visible()


def test_theme_is_chosen_in_the_settings_for_every_page(filled: WebProcess, open_browser: OpenBrowser) -> None:
    browser_session = open_browser(filled.url, color_scheme="dark")
    page = browser_session.go("/settings")
    dark = page.evaluate(BACKGROUND)
    until(page, lambda: page.evaluate(SCHEME) == "dark")  # what dialogs and popovers follow
    page.get_by_role("radiogroup", name="Theme").get_by_text("Light").click()
    until(page, lambda: page.evaluate(BACKGROUND) != dark)
    wait_until_idle(page)
    browser_session.go("/jobs")
    assert page.evaluate(BACKGROUND) == "rgb(255, 255, 255)"
    until(page, lambda: page.evaluate(SCHEME) == "light")
