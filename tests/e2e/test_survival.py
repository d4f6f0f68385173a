"""Whatever is closed, reloaded or killed: each page shows the truth again, and nobody has to click."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from backend.core.schemas import Kind, State
from backend.data.facts import data_facts
from tests.e2e.browser_session import BrowserSession, OpenBrowser, Start, choose
from tests.helpers import build_tiny_model, tiny_dataset
from tests.studio.builder import StudioBuilder
from tests.studio.web_process import StudioProcess, WebProcess

pytestmark = pytest.mark.e2e


def test_progress_moves_by_itself_in_two_tabs_and_after_reload(
    builder: StudioBuilder, home: Path, open_browser: OpenBrowser, start: Start
) -> None:
    run = builder.run("lessons", ("finetune", State.RUNNING))
    web = start(WebProcess, home)
    browser_session = open_browser(web.url)
    tabs = [
        browser_session.go("/"),
        browser_session.tab("/jobs"),
        browser_session.tab(f"/run?id={run}"),
        browser_session.tab("/finetune"),
    ]
    for tab in tabs:
        expect(tab.get_by_text("Training · 35.0%")).to_be_visible()
    builder.store.update_job(f"{run}-finetune", done=192.0)
    for tab in tabs:
        expect(tab.get_by_text("Training · 80.0%")).to_be_visible()
    tabs[0].reload()
    expect(tabs[0].get_by_text("Training · 80.0%")).to_be_visible()
    builder.store.update_job(f"{run}-finetune", state=State.SUCCEEDED, result={"metrics": {"steps": 240}})
    for tab in tabs[1:]:
        expect(tab.locator("[class*=st-key-job_], table").filter(has_text="Done").first).to_be_visible()


def test_killed_web_process_comes_back_to_open_pages(
    builder: StudioBuilder, home: Path, open_browser: OpenBrowser, start: Start
) -> None:
    error = {"code": "core.memory_out", "args": {}}
    builder.run("broken", ("finetune", State.FAILED), error=error)
    web = start(WebProcess, home)
    browser_session = open_browser(web.url)
    page, other = browser_session.go("/"), browser_session.tab("/run?id=r-broken")
    expect(page.get_by_role("link", name="broken")).to_be_visible()
    expect(other.get_by_text("The process ran out of memory.")).to_be_visible()
    web.stop(signal.SIGKILL)
    builder.run("later", ("quantize", State.WAITING))
    start(WebProcess, home, port=web.port)
    expect(page.get_by_role("link", name="later").first).to_be_visible()
    other.reload()
    expect(other.get_by_text("The process ran out of memory.")).to_be_visible()
    browser_session.forgive()


def test_killed_worker_comes_back_and_finishes_while_nobody_looks(
    builder: StudioBuilder, home: Path, open_browser: OpenBrowser, start: Start, browser: Browser, tmp_path: Path
) -> None:
    builder.studio.import_model(build_tiny_model(tmp_path / "tiny"), "tiny")
    data = tiny_dataset(tmp_path / "colours")
    builder.keep(Kind.DATASET, "colours", data, data_facts(data))
    studio = start(StudioProcess, home)
    first = BrowserSession(browser, studio.url)
    page = first.go("/finetune")
    choose(page.get_by_role("combobox", name="Model", exact=True), "tiny ·")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("progressbar").first).to_be_visible()
    first.leave()
    studio.kill("backend.jobs.worker")
    page = open_browser(studio.url).go("/jobs")
    expect(page.get_by_role("table", name="History").get_by_text("Done")).to_be_visible(timeout=120_000)
    (run,) = builder.studio.runs()
    assert (run.state, run.jobs[0].attempts) == (State.SUCCEEDED, 2)
