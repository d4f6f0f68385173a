"""Files through a real browser: a model comes in as a zip file, goes out again, and is deleted."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from backend.api import Studio
from tests.e2e.browser_session import until
from tests.models.test_archive import packed
from tests.studio.web_process import WebProcess

pytestmark = pytest.mark.e2e

PAINT = 30_000


@pytest.fixture
def page(browser: Browser, home: Path) -> Iterator[Page]:
    with WebProcess(home) as web:
        context = browser.new_context(reduced_motion="reduce", locale="en-GB", accept_downloads=True, base_url=web.url)
        context.set_default_timeout(PAINT)
        page = context.new_page()
        page.goto("/models")
        expect(page.get_by_role("heading", name="Models")).to_be_visible(timeout=PAINT)
        yield page
        context.close()


def test_model_comes_in_and_goes_out(page: Page, home: Path, tiny_model: Path, tmp_path: Path) -> None:
    page.get_by_text("Import a model").click()
    (tmp_path / "notes.txt").write_text("no model")
    page.set_input_files("input[type=file]", tmp_path / "notes.txt")
    expect(page.get_by_role("alert").filter(has_text="is not a supported type (.zip")).to_be_visible(timeout=PAINT)
    page.set_input_files("input[type=file]", packed(tiny_model, tmp_path / "modelo ñ.zip"))
    name = page.get_by_role("textbox", name="Name of the model")
    expect(name).to_have_value("modelo ñ", timeout=PAINT)
    page.reload()
    expect(name).to_have_value("modelo ñ", timeout=PAINT)
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_role("button", name="Details").click()
    expect(page.get_by_role("dialog").get_by_text("Imported: no earlier steps")).to_be_visible(timeout=PAINT)
    page.reload()
    expect(page.get_by_role("dialog").get_by_text("Imported: no earlier steps")).to_be_visible(timeout=PAINT)
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download").click()
    assert waiting.value.suggested_filename == "modelo ñ.zip"
    with zipfile.ZipFile(waiting.value.path()) as archive:
        assert archive.testzip() is None
        assert "modelo ñ/model.safetensors" in archive.namelist()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("button", name="Details")).to_have_count(0, timeout=PAINT)
    studio = Studio.open(home=home)
    assert studio.artifacts() == [] and studio.uploads() == []


def test_cancelled_upload_leaves_nothing_and_can_be_repeated(page: Page, home: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.zip"
    large.write_bytes(bytes(40_000_000))
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 2_000_000}
    network.send("Network.emulateNetworkConditions", slow)
    page.get_by_text("Import a model").click()
    page.set_input_files("input[type=file]", large)
    expect(page.get_by_role("progressbar", name="Uploading large.zip")).to_be_visible(timeout=PAINT)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Choose a file")).to_be_focused(timeout=PAINT)
    until(page, lambda: not list((home / "uploads").iterdir()))
    network.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    page.set_input_files("input[type=file]", large)
    expect(page.get_by_text("large.zip uploaded").first).to_be_visible(timeout=PAINT)
    assert [upload.bytes for upload in Studio.open(home=home).uploads()] == [40_000_000]
