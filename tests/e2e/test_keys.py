"""A key is typed in the browser, tested, kept in a keyring and used by a real job; nothing else ever holds it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.browser_session import OpenBrowser, Start, until, wait_until_idle
from tests.jobs.test_keys import everything_in
from tests.providers.fake_endpoint import FakeEndpoint
from tests.studio.builder import LABELS, StudioBuilder
from tests.studio.web_process import StudioProcess

pytestmark = pytest.mark.e2e
KEY = "sk-typed-0123456789"


def test_a_typed_key_reaches_the_endpoint_and_no_file(
    home: Path, keyring_file: Path, builder: StudioBuilder, open_browser: OpenBrowser, start: Start
) -> None:
    data = builder.dataset(pool=3)
    with FakeEndpoint(key=KEY).running() as server:
        server.answer = lambda body: LABELS[0]
        studio = start(StudioProcess, home)
        session = open_browser(studio.url)
        page = session.go("/teacher?step=choose")
        page.get_by_role("button", name="Add endpoint").first.click()
        dialog = page.get_by_role("dialog", name="Add endpoint")
        for label, value in {"Name": "mine", "Address": server.url, "Model": "m"}.items():
            dialog.get_by_role("textbox", name=label, exact=True).fill(value)
        field = dialog.get_by_label("API key", exact=True)
        expect(field).to_have_attribute("type", "password")
        field.fill(KEY)
        dialog.get_by_role("button", name="Test").click()
        expect(dialog.get_by_text("Answered in")).to_be_visible()
        dialog.get_by_role("button", name="Save").click()
        expect(dialog).to_have_count(0)
        expect(page.get_by_text("key in the keyring").first).to_be_visible()
        assert KEY in json.loads(keyring_file.read_text("utf-8")).values()
        run = builder.studio.start_stage("teacher", {"data": data.id, "endpoint": "mine", "splits": ["pool"]})
        until(page, lambda: builder.studio.run(run.id).jobs[0].state.ended)
        assert builder.studio.run(run.id).state.value == "succeeded" and len(server.asked) >= 4
        page.get_by_role("button", name="Edit").first.click()
        dialog = page.get_by_role("dialog", name="Edit endpoint")
        expect(dialog.get_by_label("API key", exact=True)).to_have_value("")
        dialog.get_by_role("button", name="Delete key").click()
        until(page, lambda: KEY not in keyring_file.read_text("utf-8"))
    assert KEY not in page.url + page.content()
    assert KEY not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert all(KEY not in url for url in session.asked)
    assert KEY.encode() not in everything_in(home)
    page.get_by_role("button", name="Cancel").first.click()
    wait_until_idle(page)
