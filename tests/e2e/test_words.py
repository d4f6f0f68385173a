"""On a Spanish page every word is Spanish: no sentence of the catalogues in English, and no English that is in none of them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from playwright.sync_api import Page, expect

from studio.paths import LOCALE
from tests.e2e.browser_session import BrowserSession, OpenBrowser, choose, wait_until_idle
from tests.e2e.sample_home import PAGES, PLACES
from tests.studio.web_process import WebProcess

pytestmark = pytest.mark.e2e

COLLECT = Path(__file__).with_name("words_on_page.js").read_text("utf-8")
FRAMEWORK = re.compile("Logo")
"""What Streamlit writes itself and is the same in Spanish."""
ENGLISH = re.compile(
    r"\b(the|of|and|with|your|this|these|from|here|yet|what|which|when|not|press|choose|select|drop|browse|required|results"
    r"|show|hide|view|loading|running|waiting|failed|done|more|than|each|for|to)\b",
    re.IGNORECASE,
)


@cache
def untranslated() -> tuple[frozenset[str], re.Pattern[str]]:
    """English words of the catalogues that are other words in Spanish: whole ones, and a pattern of those with gaps."""
    whole, gaps, spanish = set(), [], set()
    for path in sorted((LOCALE / "es" / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="es"):
                spanish |= {plain(text) for text in forms(message.string)}
                for text in map(plain, forms(message.id)):
                    if "{" not in text:
                        whole.add(text)
                    elif len(re.findall(r"[a-z]{2,}", re.sub(r"\{\w*\}", "", text))) > 1:
                        gaps.append(re.sub(r"\\\{\w*\\\}", ".+", re.escape(text)))
    assert len(whole) > 500 and len(gaps) > 100
    return frozenset(whole - spanish - {""}), re.compile("|".join(gaps))


def forms(text: Any) -> tuple[str, ...]:
    """Of a catalogue's entry: one, or that of one and of many."""
    return (text,) if isinstance(text, str) else tuple(text)


def plain(text: str) -> str:
    """Without the marks of Markdown, as it is drawn."""
    return re.sub(r"[*`]", "", text).strip()


def english_on(page: Page) -> list[str]:
    whole, gaps = untranslated()
    found = []
    for where, text in page.evaluate(COLLECT):
        if FRAMEWORK.fullmatch(text):
            continue
        text = re.sub(r"(^|\s)/\S+", "", text)  # a path
        parts = [text, *text.split(" · ")]
        if any(part in whole or gaps.fullmatch(part) for part in parts) or ENGLISH.search(text):
            found.append(f"{where}: {text[:120]}")
    return found


def walk(browser_session: BrowserSession, places: list[str]) -> dict[str, list[str]]:
    found = {}
    for place in places:
        page = browser_session.go(place)
        expect(page.get_by_test_id("stSkipToContent")).to_have_text(
            "Saltar al contenido principal"
        )  # exchanged a moment later
        if wrong := english_on(page):
            found[place] = wrong
    return found


def test_no_english_where_there_is_everything(filled: WebProcess, open_browser: OpenBrowser) -> None:
    assert walk(open_browser(filled.url, locale="es-ES"), PLACES) == {}


def test_no_english_where_there_is_nothing(empty: WebProcess, open_browser: OpenBrowser) -> None:
    assert walk(open_browser(empty.url, locale="es-ES"), PAGES) == {}


def test_no_english_in_what_opens(filled: WebProcess, open_browser: OpenBrowser) -> None:
    """Dialogs, popovers and what is folded."""
    browser_session = open_browser(filled.url, locale="es-ES")
    page = browser_session.go("/models")
    page.get_by_text("Importar un modelo").click()
    expect(page.get_by_role("button", name="Elegir archivo")).to_be_visible()
    assert english_on(page) == []
    page.locator("[class*=st-key-delete_adapter]").get_by_role("button").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert english_on(page) == []
    browser_session.go("/finetune")
    page.get_by_text("Avanzado").click()
    page.get_by_role("button", name="Gestionar proyectos").click()
    page.get_by_role("menuitem", name="Nuevo proyecto").click()
    expect(page.get_by_role("button", name="Crear")).to_be_visible()
    assert english_on(page) == []
    browser_session.go("/compare")
    page.get_by_role("button", name="Exportar").click()
    expect(page.get_by_role("button", name="Informe (HTML)")).to_be_visible()
    assert english_on(page) == []


def test_language_is_switched_in_place_and_follows_to_other_pages(
    filled: WebProcess, open_browser: OpenBrowser
) -> None:
    page = open_browser(filled.url).go("/jobs")
    expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()
    page.locator("section[data-testid=stSidebar]").get_by_text("Español").click()
    expect(page.get_by_role("heading", name="Trabajos", exact=True)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    page.get_by_role("link", name="Modelos", exact=True).click()
    expect(page.get_by_role("heading", name="Modelos", exact=True)).to_be_visible()
    wait_until_idle(page)
    assert english_on(page) == []


def test_streamlits_own_words_are_spanish_and_turn_english_again(filled: WebProcess, open_browser: OpenBrowser) -> None:
    """Its menu, its page for a wrong address, its names for screen readers; what people wrote stays as it is."""
    visitor = open_browser(filled.url, locale="es-ES")
    page = visitor.page
    page.goto("/no-such-page")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("La página que has pedido no existe. Se muestra la de inicio.")
    expect(dialog).to_contain_text("Página no encontrada")
    dialog.get_by_role("button", name="Cerrar").first.click()
    page.get_by_role("button", name="Menú principal").click()
    expect(page.get_by_text("Imprimir")).to_be_visible()
    assert english_on(page) == []
    page.keyboard.press("Escape")
    page.locator("section[data-testid=stSidebar]").get_by_text("English").click()
    expect(page.get_by_role("button", name="Main menu")).to_be_attached()
    expect(page.get_by_role("button", name="Menú principal")).to_have_count(0)
    visitor.forgive()


def test_what_was_chosen_survives_a_change_of_language(filled: WebProcess, open_browser: OpenBrowser) -> None:
    """Streamlit sends a choice by its words: those of the old language must not be taken for no choice, then or later."""
    page = open_browser(filled.url).go("/jobs")
    page.get_by_role("radio", name="Failed", exact=True).click()
    expect(page).to_have_url(re.compile("state=failed"))
    choose(page.get_by_role("combobox", name=re.compile("Stage$")), "Fine-tune", typed=True)
    expect(page).to_have_url(re.compile("stage=finetune"))
    page.locator("section[data-testid=stSidebar]").get_by_text("Español").click()
    expect(page.get_by_role("heading", name="Trabajos", exact=True)).to_be_visible()
    for search in ("rota", "rota2"):  # every later run sends what the browser holds
        expect(page.get_by_role("radio", name="Fallido", exact=True)).to_be_checked()
        expect(page.get_by_role("combobox", name=re.compile("Etapa$"))).to_have_value("Ajuste fino")
        field = page.get_by_role("textbox", name="Buscar")
        field.fill(search)
        field.press("Enter")
        expect(page).to_have_url(re.compile(f"search={search}$|search={search}&"))
        wait_until_idle(page)
        expect(page).to_have_url(re.compile("stage=finetune"))
        expect(page).to_have_url(re.compile("state=failed"))
