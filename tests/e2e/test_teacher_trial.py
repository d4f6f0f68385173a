"""Five rows of a teacher are tried in the browser: prompts, replies and what is of no use are shown, nothing is started."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.browser_session import OpenBrowser, Start, wait_until_idle
from tests.providers.fake_endpoint import FakeEndpoint
from tests.studio.builder import LABELS, StudioBuilder
from tests.studio.web_process import StudioProcess

pytestmark = pytest.mark.e2e


def test_five_rows_are_tried_before_the_start(
    home: Path, builder: StudioBuilder, open_browser: OpenBrowser, start: Start
) -> None:
    builder.dataset()
    with FakeEndpoint().running() as server:
        both = " or ".join(LABELS[:2])
        server.answer = lambda body: both if " p1" in str(body["messages"]) else f"**{LABELS[0]}**"
        builder.studio.save_endpoint(
            {"name": "gpt", "preset": "openai", "url": server.url, "model": "m", "key_env": ""}
        )
        studio = start(StudioProcess, home)
        page = open_browser(studio.url).go("/teacher?step=teacher")
        page.get_by_text("Saved endpoint").first.click()
        wait_until_idle(page)
        page.get_by_role("button", name="Try 5 rows").first.click()
        expect(page.get_by_text("4 of 5 answers are usable").first).to_be_visible()
        expect(page.get_by_text("Several labels").first).to_be_visible()
        expect(page.get_by_text("Reply with one of").first).to_be_visible()
        wait_until_idle(page)
    assert len(server.asked) == 5
