"""The queue and the models under one's hands."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from backend.core.schemas import Kind, State
from tests.e2e.browser_session import OpenBrowser, Start, wait_until_idle
from tests.studio.builder import StudioBuilder
from tests.studio.web_process import WebProcess

pytestmark = pytest.mark.e2e


def test_order_cancel_log_and_retry(builder: StudioBuilder, open_browser: OpenBrowser, start: Start) -> None:
    error = {"code": "core.memory_out", "args": {}}
    run = builder.run("broken", ("finetune", State.FAILED), minutes_ago=60, error=error)
    builder.log(f"{run}-finetune", "<b>step 1</b> of 9")
    builder.run("first", ("quantize", State.WAITING), minutes_ago=3)
    builder.run("second", ("quantize", State.WAITING), minutes_ago=2)
    web = start(WebProcess, builder.studio.settings.home)
    page = open_browser(web.url).go("/jobs")
    waiting = page.locator(".st-key-waiting a")
    expect(waiting).to_contain_text(["first", "second"])
    page.locator(".st-key-move_-1_r-second-quantize").get_by_role("button").click()
    expect(waiting).to_contain_text(["second", "first"])
    page.locator(".st-key-cancel_r-first-quantize").get_by_role("button").click()
    expect(waiting).to_contain_text(["second"])
    page.get_by_role("row").filter(has_text="broken").get_by_role("button").click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text("The process ran out of memory.")).to_be_visible()
    expect(page).to_have_url(re.compile(f"job={run}-finetune"))
    page.reload()
    wait_until_idle(page)
    drawer.get_by_text("Log", exact=True).click()
    expect(drawer.get_by_text("<b>step 1</b> of 9")).to_be_visible()
    drawer.get_by_role("button", name="Retry").click()
    expect(drawer.get_by_role("button", name="Cancel")).to_be_visible()
    states = {each.name: each.state for each in builder.studio.runs()}
    assert states == {"broken": State.WAITING, "first": State.CANCELLED, "second": State.WAITING}


def test_model_goes_with_all_that_was_made_from_it(
    builder: StudioBuilder, open_browser: OpenBrowser, start: Start
) -> None:
    base = builder.model("base")
    tuned = builder.model("tuned", Kind.ADAPTER, parents=[base.id])
    builder.model("small", Kind.ONNX, parents=[tuned.id])
    web = start(WebProcess, builder.studio.settings.home)
    page = open_browser(web.url).go("/models")
    page.locator(f".st-key-delete_{tuned.id}").get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("small · ONNX model")).to_be_visible()
    delete = dialog.get_by_role("button", name="Delete", exact=True)
    expect(delete).to_be_disabled()
    dialog.get_by_text("Delete all").click()
    delete.click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Details")).to_have_count(1)
    assert [view.id for view in builder.studio.artifacts()] == [base.id]
