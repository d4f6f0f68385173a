"""Home in a real browser: what a new user sees first, and what somebody who comes back finds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from backend.core.schemas import State
from tests.e2e.visitor import Start, Visit, settle
from tests.studio.house import House
from tests.studio.web import Web

pytestmark = pytest.mark.e2e


def test_new_user_is_led_to_data_and_a_first_run_appears(home: Path, visit: Visit, start: Start) -> None:
    visitor = visit(start(Web, home).url)
    page = visitor.go()
    expect(page.get_by_role("button", name="Start the demo")).to_be_enabled()
    assert any("inter.woff2" in url for url in visitor.asked), "the font comes from this machine"
    page.get_by_role("link", name="Begin with your own data").click()
    expect(page.get_by_text("Drop a CSV, TSV, JSON, JSON Lines or Parquet file here")).to_be_visible()
    visitor.go()
    expect(page.get_by_text("Nothing has run yet")).to_be_visible()
    House(home).run("first", ("dataset", State.RUNNING))
    expect(page.get_by_role("link", name="first").first).to_be_visible()
    expect(page.get_by_text("Nothing has run yet")).to_have_count(0)


def test_run_opens_by_its_link_and_the_browser_goes_back(house: House, visit: Visit, start: Start) -> None:
    house.run("lessons", ("dataset", State.SUCCEEDED), ("finetune", State.SUCCEEDED))
    page = visit(start(Web, house.studio.settings.home).url).go()
    page.get_by_role("link", name="lessons").click()
    expect(page.get_by_role("heading", name="lessons")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?run=r-lessons$"))
    page.reload()
    settle(page)
    expect(page.get_by_role("heading", name="lessons")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Recent runs")).to_be_visible()


def test_stepper_goes_to_a_step(filled: Web, visit: Visit) -> None:
    page = visit(filled.url).go()
    page.get_by_role("button", name="5. Quantize").click()
    expect(page.get_by_role("heading", name="Quantize")).to_be_visible()
    expect(page.get_by_role("button", name="5. Quantize")).to_have_attribute("aria-current", "step")
