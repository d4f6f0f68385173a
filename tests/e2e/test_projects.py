"""Projects and what was typed in them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from backend.core.schemas import State
from tests.e2e.browser_session import OpenBrowser, Start, until, wait_until_idle
from tests.studio.builder import StudioBuilder
from tests.studio.web_process import WebProcess

pytestmark = pytest.mark.e2e


def test_new_project_is_empty_and_each_keeps_its_own_form(
    builder: StudioBuilder, open_browser: OpenBrowser, start: Start
) -> None:
    builder.dataset(), builder.model()
    builder.run("lessons", ("finetune", State.FAILED))
    web = start(WebProcess, builder.studio.settings.home)
    page = open_browser(web.url).go("/finetune")
    rank(builder, page, 7)
    expect(page.get_by_text("Results so far")).to_be_visible()
    page.get_by_role("button", name="New or rename").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("Support mails")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("combobox", name="Project")).to_have_value("Support mails")
    expect(page.get_by_text("Results so far")).to_have_count(0)
    expect(page.get_by_role("spinbutton", name="Rank")).to_have_value("16")
    rank(builder, page, 5)
    page.reload()
    wait_until_idle(page)
    expect(page.get_by_role("combobox", name="Project")).to_have_value("Support mails")
    expect(page.get_by_role("spinbutton", name="Rank")).to_have_value("5")
    page.get_by_role("combobox", name="Project").click()
    page.get_by_role("option", name="First project").click()
    expect(page.get_by_role("spinbutton", name="Rank")).to_have_value("7")
    expect(page.get_by_text("Results so far")).to_be_visible()


def rank(builder: StudioBuilder, page: Page, value: int) -> None:
    """Type a rank and wait until the draft of a project holds it."""
    page.get_by_role("spinbutton", name="Rank").fill(str(value))
    page.keyboard.press("Enter")
    studio = builder.studio
    until(page, lambda: value in [studio.draft(each.id, "finetune").get("rank") for each in studio.projects()])
    wait_until_idle(page)
