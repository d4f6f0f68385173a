"""The palette, the letters and the tour in a browser, by keys alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser_session import OpenBrowser, until, wait_until_idle
from tests.studio.web_process import WebProcess

pytestmark = pytest.mark.e2e


def palette(page: Page) -> Locator:
    return page.get_by_role("dialog", name=re.compile("Command palette|Paleta de comandos"))


def open_palette(page: Page) -> None:
    """By its key, which is heard once the page's own scripts are there."""

    def opened() -> bool:
        page.keyboard.press("Control+k")
        try:
            expect(palette(page)).to_be_visible(timeout=2000)
        except AssertionError:
            return False
        return True

    until(page, opened)
    expect(palette(page).get_by_role("combobox")).to_be_focused()


def test_keys_find_and_open_pages_and_models(filled: WebProcess, open_browser: OpenBrowser) -> None:
    session = open_browser(filled.url)
    page = session.go("/")
    loads = len([url for url in session.asked if url.rstrip("/").endswith("/_stcore/host-config")])
    open_palette(page)
    box = page.get_by_role("combobox", name="Go to a page, model or run…")
    expect(box).to_be_focused()
    expect(palette(page).get_by_role("option", name="Playground")).to_be_visible()
    page.keyboard.type("cmpr")
    chosen = palette(page).get_by_role("option", selected=True)
    expect(chosen).to_contain_text("Compare")
    active = box.get_attribute("aria-activedescendant")
    assert active and chosen.get_attribute("id") == active
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Compare", level=1)).to_be_visible()
    wait_until_idle(page)
    open_palette(page)
    page.keyboard.type("chat alumno-int4")
    expect(palette(page).get_by_role("option", selected=True)).to_contain_text("Chat with alumno-int4")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/playground\?project=\w+&models="))
    wait_until_idle(page)
    open_palette(page)
    page.keyboard.type("zzzz")
    expect(palette(page).get_by_text("No results.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(palette(page)).to_have_count(0)
    again = len([url for url in session.asked if url.rstrip("/").endswith("/_stcore/host-config")])
    assert again == loads, "no page was loaded anew"


def test_letters_lead_to_pages_but_not_while_somebody_types(filled: WebProcess, open_browser: OpenBrowser) -> None:
    page = open_browser(filled.url).go("/")
    open_palette(page)  # from then on its keys are heard
    page.keyboard.press("Escape")
    expect(palette(page)).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("d")
    expect(page.get_by_role("heading", name="Data", level=1)).to_be_visible()
    wait_until_idle(page)
    page.get_by_role("button", name="Manage projects").click()
    page.get_by_role("menuitem", name="New project").click()
    field = page.get_by_role("dialog").get_by_role("textbox", name="Name", exact=True)
    field.click()
    page.keyboard.type("gj?")
    expect(field).to_have_value("gj?")
    expect(page.get_by_role("heading", name="Data", level=1)).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="Data", level=1).click()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet.get_by_text("Fine-tune")).to_be_visible()
    sheet.get_by_role("checkbox").uncheck()
    sheet.get_by_role("button", name="Close").click()
    page.keyboard.press("g")
    page.keyboard.press("j")
    page.wait_for_timeout(500)
    expect(page.get_by_role("heading", name="Data", level=1)).to_be_visible()


def test_the_tour_is_offered_once_and_walked_by_keys(empty: WebProcess, open_browser: OpenBrowser) -> None:
    session = open_browser(empty.url, locale="es-ES")
    page = session.go("/")
    page.get_by_role("button", name="Hacer la visita guiada").press("Enter")
    tour = page.get_by_role("dialog", name="Empieza con ejemplos")
    expect(tour.get_by_role("button", name="Siguiente")).to_be_focused()
    for _step in range(5):
        page.keyboard.press("Enter")
    expect(page.locator("dialog.tour")).not_to_be_visible()
    page.reload()
    wait_until_idle(page)
    expect(page.get_by_role("button", name="Hacer la visita guiada")).to_have_count(0)
    open_palette(page)
    page.keyboard.type("nuevo proyecto")
    expect(palette(page).get_by_role("option", selected=True)).to_contain_text("Nuevo proyecto")
    page.keyboard.press("Enter")
    page.keyboard.type("Facturas")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Facturas", level=1)).to_be_visible()
