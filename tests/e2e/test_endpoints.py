"""An endpoint with headers of its own is tried in the browser: what it takes, and what it does not, is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.browser_session import OpenBrowser, Start, wait_until_idle
from tests.providers.fake_endpoint import FakeEndpoint
from tests.studio.builder import StudioBuilder
from tests.studio.web_process import StudioProcess

pytestmark = pytest.mark.e2e


def test_the_test_says_what_an_endpoint_takes(
    home: Path, builder: StudioBuilder, open_browser: OpenBrowser, start: Start
) -> None:
    with FakeEndpoint().running() as server:
        server.refuses = {"seed": {"error": {"message": "Unsupported parameter: 'seed'"}}}
        server.answer = lambda body: "<think>counting</think>One"
        page = open_browser(start(StudioProcess, home).url).go("/teacher?step=choose")
        page.get_by_role("button", name="Add endpoint").first.click()
        dialog = page.get_by_role("dialog", name="Add endpoint")
        for label, value in {"Name": "mine", "Address": server.url, "Model": "m", "Key variable": ""}.items():
            dialog.get_by_role("textbox", name=label, exact=True).fill(value)
        dialog.get_by_text("Headers and body fields").first.click()
        dialog.get_by_role("textbox", name="Extra headers", exact=True).fill("X-Team: support")
        dialog.get_by_role("button", name="Test").click()
        expect(dialog.get_by_text("Not accepted, so left out: seed.")).to_be_visible()
        expect(dialog.get_by_text("Reasons before answering")).to_be_visible()
        dialog.get_by_role("button", name="Save").click()
        expect(dialog).to_have_count(0)
    assert builder.studio.endpoint("mine").headers == {"X-Team": "support"}
    assert server.headers[0]["x-team"] == "support"
    wait_until_idle(page)
