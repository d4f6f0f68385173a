"""Two tiny models talk in a browser, each in a process of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser_session import OpenBrowser, Start, until, wait_until_idle
from tests.serve.harness import HostHarness
from tests.studio.web_process import StudioProcess

pytestmark = pytest.mark.e2e

ANSWERS = "[class*=st-key-pg_answer_]"


def said(page: Page) -> list[str]:
    return page.locator(f"{ANSWERS} [data-testid=stText]").all_inner_texts()


def test_two_models_stream_stop_and_keep_what_they_said(
    home: Path, onnx: Path, open_browser: OpenBrowser, start: Start
) -> None:
    harness = HostHarness(home)
    for name in ("one", "two"):
        harness.add(onnx, name)
    studio = start(StudioProcess, home, "--no-worker")
    browser_session = open_browser(studio.url)
    page = browser_session.go("/playground?models=one,two")
    longest(page, "Home")
    ask(page, "red item 3")
    for_both = page.locator(ANSWERS).filter(has_text="cut off at the maximum length")
    expect(for_both).to_have_count(2)
    until(page, lambda: len(said(page)) == 2 and all(text.strip() for text in said(page)))
    first = said(page)
    longest(page, "End")
    ask(page, "<b>blue</b> item 4")
    page.get_by_test_id("stBottomBlockContainer").get_by_role(
        "button", name="Stop"
    ).click()  # Streamlit's own says so too
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible()
    expect(
        page.locator(ANSWERS).filter(has_text="stopped").first
    ).to_be_visible()  # the other may have ended just before
    expect(page.get_by_text("<b>blue</b> item 4")).to_be_visible()
    until(page, lambda: len(said(page)) == 4 and said(page)[:2] == first)
    kept = said(page)
    page.reload()
    wait_until_idle(page)
    expect(page.get_by_text("<b>blue</b> item 4")).to_be_visible()
    until(page, lambda: said(page) == kept)
    expect(page).to_have_url(re.compile(r"chat=\w+"))
    other = browser_session.tab(page.url)
    until(other, lambda: said(other) == kept)


def longest(page: Page, steps: str) -> None:
    """To the end of the slider: `Home` is 16 tokens, `End` 2,048."""
    page.get_by_role("button", name="Sampling").click()
    page.get_by_role("slider", name="Maximum answer length (tokens)").press(steps)
    page.get_by_role("button", name="Sampling").click()


def ask(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Message both models").fill(text)
    page.keyboard.press("Enter")
