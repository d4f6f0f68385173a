"""Home in a real browser: what a new user sees first, and what somebody who comes back finds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from backend.core.schemas import State
from tests.e2e.browser_session import OpenBrowser, Start, wait_until_idle
from tests.studio.builder import StudioBuilder
from tests.studio.web_process import WebProcess

pytestmark = pytest.mark.e2e


def test_new_user_is_led_to_data_and_a_first_run_appears(home: Path, open_browser: OpenBrowser, start: Start) -> None:
    browser_session = open_browser(start(WebProcess, home).url)
    page = browser_session.go()
    expect(page.get_by_role("button", name="Start demo")).to_be_enabled()
    assert any("inter.woff2" in url for url in browser_session.asked), "the font comes from this machine"
    page.get_by_role("link", name="Go step by step instead").click()
    expect(page.get_by_text("Drop your file of examples here")).to_be_visible()
    browser_session.go()
    expect(page.get_by_text("No file at hand?")).to_be_visible()
    StudioBuilder(home).run("first", ("dataset", State.RUNNING))
    expect(page.get_by_role("link", name="first").first).to_be_visible()
    expect(page.get_by_text("No file at hand?")).to_have_count(0)


def test_run_opens_by_its_link_and_the_browser_goes_back(
    builder: StudioBuilder, open_browser: OpenBrowser, start: Start
) -> None:
    builder.run("lessons", ("dataset", State.SUCCEEDED), ("finetune", State.SUCCEEDED))
    page = open_browser(start(WebProcess, builder.studio.settings.home).url).go()
    page.get_by_role("link", name="lessons").click()
    expect(page.get_by_role("heading", name="lessons")).to_be_visible()
    expect(page).to_have_url(re.compile(r"[?&]id=r-lessons$"))
    page.reload()
    wait_until_idle(page)
    expect(page.get_by_role("heading", name="lessons")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Recent runs")).to_be_visible()


def test_stepper_goes_to_a_step(filled: WebProcess, open_browser: OpenBrowser) -> None:
    page = open_browser(filled.url).go()
    page.get_by_role("button", name="5. Quantize").click()
    expect(page.get_by_role("heading", name="Quantize")).to_be_visible()
    expect(page.get_by_role("button", name="5. Quantize")).to_have_attribute("aria-current", "step")
