"""A model of a hub of our own through a real browser: searched, chosen, downloaded by a worker, there."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from backend.api import Studio
from tests.helpers import until
from tests.models.fake_hub import FakeHub, serving
from tests.studio.web_process import StudioProcess

pytestmark = pytest.mark.e2e

PAINT = 60_000


def test_a_model_is_searched_chosen_and_downloaded(
    browser: Browser, home: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {path.name: path.read_bytes() for path in tiny_model.iterdir() if path.is_file()}
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    with serving(FakeHub(files, license="mit")) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        with StudioProcess(home) as web:
            context = browser.new_context(reduced_motion="reduce", locale="en-GB", base_url=web.url)
            context.set_default_timeout(PAINT)
            page = context.new_page()
            page.goto("/models")
            page.get_by_text("Models on the hub").click()
            page.get_by_role("textbox", name="Search the hub").fill("tiny")
            page.get_by_test_id("stBaseButton-secondaryFormSubmit").click()
            expect(page.get_by_text("acme/tiny")).to_be_visible(timeout=PAINT)
            assert not any("/resolve/" in path for _, path, _ in server.asked)
            page.get_by_role("button", name="Download", exact=True).click()
            expect(page.get_by_text("The download of acme/tiny has started.")).to_be_visible(timeout=PAINT)
            studio = Studio.open(home=home)
            until(lambda: studio.runs()[0].jobs[0].started, lambda: studio.runs()[0].jobs)
            until(lambda: studio.runs()[0].state.ended, lambda: studio.runs()[0].jobs)
            assert studio.artifacts(), studio.runs()[0].jobs[0].error
            expect(page.get_by_role("button", name="Details")).to_be_visible(timeout=PAINT)
            context.close()
    (made,) = studio.artifacts()
    assert (made.name, made.license, made.facts["hub"]["repo"]) == ("tiny", "mit", "acme/tiny")
    assert (made.path / "model.safetensors").read_bytes() == files["model.safetensors"]
