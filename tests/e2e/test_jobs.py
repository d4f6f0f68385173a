"""The queue and the models under one's hands."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from backend.core.schemas import Kind, State
from tests.e2e.visitor import Start, Visit, settle
from tests.studio.house import House
from tests.studio.web import Web

pytestmark = pytest.mark.e2e


def test_order_cancel_log_and_retry(house: House, visit: Visit, start: Start) -> None:
    error = {"code": "core.memory_out", "args": {}}
    run = house.run("broken", ("finetune", State.FAILED), minutes_ago=60, error=error)
    house.log(f"{run}-finetune", "<b>step 1</b> of 9")
    house.run("first", ("quantize", State.WAITING), minutes_ago=3)
    house.run("second", ("quantize", State.WAITING), minutes_ago=2)
    web = start(Web, house.studio.settings.home)
    page = visit(web.url).go("/jobs")
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
    settle(page)
    drawer.get_by_text("Log", exact=True).click()
    expect(drawer.get_by_text("<b>step 1</b> of 9")).to_be_visible()
    drawer.get_by_role("button", name="Retry").click()
    expect(drawer.get_by_role("button", name="Cancel")).to_be_visible()
    states = {each.name: each.state for each in house.studio.runs()}
    assert states == {"broken": State.WAITING, "first": State.CANCELLED, "second": State.WAITING}


def test_model_goes_with_all_that_was_made_from_it(house: House, visit: Visit, start: Start) -> None:
    base = house.model("base")
    tuned = house.model("tuned", Kind.ADAPTER, parents=[base.id])
    house.model("small", Kind.ONNX, parents=[tuned.id])
    web = start(Web, house.studio.settings.home)
    page = visit(web.url).go("/models")
    page.locator(f".st-key-delete_{tuned.id}").get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("small · ONNX model")).to_be_visible()
    delete = dialog.get_by_role("button", name="Delete", exact=True)
    expect(delete).to_be_disabled()
    dialog.get_by_text("Delete all of it together").click()
    delete.click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Details")).to_have_count(1)
    assert [view.id for view in house.studio.artifacts()] == [base.id]
