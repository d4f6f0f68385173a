"""Home in a real browser, against a real web process and a real store."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from backend.schemas import State
from backend.settings import Settings
from backend.store import Store
from backend.store import tables as t
from tests.studio.web import Web

pytestmark = pytest.mark.e2e

SECONDS = 1000
PAINT = 30 * SECONDS


def store_in(home: Path) -> Store:
    return Store(Settings(home=home).prepare().store_url)


def add_run(store: Store, run_id: str, name: str, *states: State, **last: Any) -> None:
    """A run whose stages are in `states`; `last` are columns of the last one."""
    jobs = [
        t.Job(
            id=f"{run_id}-{place}",
            run_id=run_id,
            stage_id=f"s{place}",
            stage="finetune",
            params={},
            needs=[],
            state=state,
            queue="cpu",
            started=t.now() if state is not State.WAITING else None,
            ended=t.now() if state.ended else None,
        )
        for place, state in enumerate(states)
    ]
    store.add_run(name, store.project(), {}, jobs, run_id)
    if last:
        store.update_job(f"{run_id}-{len(states) - 1}", **last)


class House:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.store = store_in(home)
        add_run(self.store, "r1", "first-run", State.SUCCEEDED, State.SUCCEEDED)
        add_run(self.store, "r2", "second-run", State.RUNNING, done=30.0, total=100.0, note="Step 30 of 100")
        self.web = Web(home)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    started = House(tmp_path_factory.mktemp("e2e") / "home")
    with started.web:
        yield started


@pytest.fixture
def page(browser: Browser, house: House) -> Iterator[Page]:
    context = browser.new_context(reduced_motion="reduce", locale="en-GB")
    context.set_default_timeout(PAINT)
    yield context.new_page()
    context.close()


def test_home_paints_and_nothing_leaves_this_machine(page: Page, house: House) -> None:
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.goto(house.web.url)
    expect(page.get_by_role("heading", name="First project")).to_be_visible(timeout=PAINT)
    expect(page.get_by_role("link", name="first-run")).to_be_visible(timeout=PAINT)
    page.wait_for_load_state("networkidle")
    assert len(asked) > 10
    assert {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))} == {"localhost"}
    assert any("inter.woff2" in url for url in asked)
    assert wrong == []


def test_progress_moves_by_itself_in_two_tabs_and_after_reload(page: Page, house: House) -> None:
    second = page.context.new_page()
    for tab in (page, second):
        tab.goto(house.web.url)
        expect(tab.get_by_text("Step 30 of 100 · 30.0 %")).to_be_visible(timeout=PAINT)
    house.store.update_job("r2-0", done=80.0, note="Step 80 of 100")
    for tab in (page, second):
        expect(tab.get_by_text("Step 80 of 100 · 80.0 %")).to_be_visible(timeout=10 * SECONDS)
    page.reload()
    expect(page.get_by_text("Step 80 of 100 · 80.0 %")).to_be_visible(timeout=PAINT)
    house.store.update_job("r2-0", done=30.0, note="Step 30 of 100")


def test_run_opens_by_its_link_and_back_returns(page: Page, house: House) -> None:
    page.goto(house.web.url)
    page.get_by_role("link", name="second-run").first.click()
    expect(page.get_by_role("heading", name="second-run")).to_be_visible()
    assert urlsplit(page.url).query == "run=r2"
    page.reload()
    expect(page.get_by_role("heading", name="second-run")).to_be_visible(timeout=PAINT)
    page.get_by_role("link", name="All jobs").click()
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()


def test_language_switch_and_phone_width(page: Page, house: House) -> None:
    page.goto(house.web.url)
    page.get_by_text("Español").click()
    expect(page.get_by_role("heading", name="Primer proyecto")).to_be_visible()
    expect(page.get_by_text("En marcha ahora")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_role("link", name="second-run").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_new_run_appears_and_a_killed_web_process_loses_nothing(browser: Browser, tmp_path: Path) -> None:
    home = tmp_path / "home"
    page = browser.new_page()
    with Web(home) as web:
        page.goto(web.url)
        expect(page.get_by_text("Nothing has run yet")).to_be_visible(timeout=PAINT)
        add_run(store_in(home), "r9", "kept-run", State.FAILED, error={"code": "core.memory_out", "args": {}})
        page.get_by_role("link", name="kept-run").click(timeout=PAINT)
        expect(page.get_by_text("The process ran out of memory.")).to_be_visible(timeout=PAINT)
        web.stop(signal.SIGKILL)
    with Web(home, port=web.port):
        page.reload()
        expect(page.get_by_role("heading", name="kept-run")).to_be_visible(timeout=PAINT)
        expect(page.get_by_text("The process ran out of memory.")).to_be_visible(timeout=PAINT)
        page.close()
