"""What happens under an open page: an end, a cancel that is taken back, a form that shows its mistake."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from backend.core.schemas import Kind, State
from backend.db import tables as t
from backend.files.uploads import receive_upload
from tests.e2e.browser_session import OpenBrowser, Start, until, wait_until_idle
from tests.studio.builder import StudioBuilder
from tests.studio.web_process import WebProcess

pytestmark = pytest.mark.e2e

TOLD = """
window.told = [];
window.Notification = class { constructor(title) { window.told.push(title) } };
window.Notification.permission = "granted";
window.Notification.requestPermission = async () => "granted";
"""
"""Notes what the browser would show: one without a screen shows nothing."""


def test_the_end_of_a_job_is_seen_without_a_reload(
    builder: StudioBuilder, open_browser: OpenBrowser, start: Start
) -> None:
    builder.model()
    run = builder.run("live", ("finetune", State.RUNNING))
    web = start(WebProcess, builder.studio.settings.home)
    session = open_browser(web.url)
    session.context.add_init_script(TOLD)
    page = session.go(f"/run?id={run}")
    expect(page).to_have_title("(35%) Run · SLMOps Studio")
    bell = page.locator(".st-key-bell button").first
    bell.click()
    page.get_by_role("button", name="Enable browser notifications").click()
    expect(page.get_by_role("button", name="Disable browser notifications")).to_be_visible()
    page.keyboard.press("Escape")
    made = builder.model("mine", Kind.ADAPTER, job=f"{run}-finetune")
    result = {"artifact": made.id, "metrics": {}}
    builder.store.update_job(f"{run}-finetune", state=State.SUCCEEDED, ended=t.now(), seconds=90.0, result=result)
    expect(page.get_by_role("link", name="Try it")).to_be_visible()
    expect(bell).to_contain_text("Notifications (1)")
    expect(page).to_have_title("Run · SLMOps Studio")
    until(page, lambda: page.evaluate("window.told") == ["live is done"])
    bell.click()
    expect(page.get_by_role("link", name="live is done")).to_be_visible()
    page.get_by_role("button", name="Mark as read").click()
    expect(bell).not_to_contain_text("(1)")
    page.reload()
    wait_until_idle(page)
    expect(bell).not_to_contain_text("(1)")


def test_a_cancel_is_asked_about_and_taken_back(
    builder: StudioBuilder, open_browser: OpenBrowser, start: Start
) -> None:
    builder.run("long", ("finetune", State.RUNNING), started=t.now() - timedelta(minutes=5))
    builder.run("short", ("finetune", State.WAITING), minutes_ago=3)
    builder.run("last", ("finetune", State.WAITING), minutes_ago=2)
    web = start(WebProcess, builder.studio.settings.home)
    page = open_browser(web.url).go("/finetune")
    waiting = page.locator(".st-key-waiting a")
    expect(waiting).to_contain_text(["short", "last"])
    page.locator(".st-key-cancel_r-short-finetune button").dblclick()
    undo = page.locator(".st-key-undo_bar")
    expect(undo).to_contain_text("Fine-tune cancelled")
    assert builder.studio.job("r-last-finetune").state is State.WAITING
    undo.get_by_role("button", name="Undo").click()
    expect(waiting).to_contain_text(["short", "last"])
    expect(undo).to_have_count(0)
    running = page.locator(".st-key-cancel_r-long-finetune button")
    expect(running).to_be_enabled()
    running.click()
    expect(page.get_by_text(re.compile(r"Cancel after \d+ min .* of work"))).to_be_visible()
    page.get_by_role("button", name="Keep running").click()
    expect(running).to_be_visible()
    assert builder.studio.job("r-long-finetune").state is State.RUNNING


def test_a_run_is_cancelled_on_its_page(builder: StudioBuilder, open_browser: OpenBrowser, start: Start) -> None:
    run = builder.run("long", ("finetune", State.RUNNING), started=t.now() - timedelta(minutes=5))
    web = start(WebProcess, builder.studio.settings.home)
    page = open_browser(web.url).go(f"/run?id={run}")
    page.get_by_role("button", name="Cancel the run").click()
    page.locator(f".st-key-cancel_yes_{run} button").click()  # rests for a moment, then wakes by itself
    until(page, lambda: builder.studio.run(run).state is State.CANCELLED)


def test_a_form_opens_at_what_made_its_job_fail(
    builder: StudioBuilder, open_browser: OpenBrowser, start: Start
) -> None:
    with receive_upload(builder.studio.settings, "x.csv") as incoming:
        incoming.write(b"text,label\n" + b"".join(b"text %d,%d\n" % (n, n % 2) for n in range(30)) + b",1\n" * 8)
        source = str(incoming.finish().path)
    error = {"code": "data.input_empty", "args": {"file": "x.csv", "count": 8, "places": "32, 33"}}
    run = builder.run("bad", ("dataset", State.FAILED), error=error, params={"source": source})
    web = start(WebProcess, builder.studio.settings.home)
    page = open_browser(web.url).go(f"/run?id={run}")
    page.get_by_role("link", name="Edit form").click()
    field = page.locator("[class*='dataset-on_bad_row']").first
    expect(field).to_be_in_viewport()
    until(page, lambda: page.evaluate("!!document.activeElement.closest(\"[class*='dataset-on_bad_row']\")"))
