"""A run as an object: named, tagged, deleted and brought back, and seen beside another."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from backend.core.schemas import Kind, State
from tests.e2e.browser_session import OpenBrowser, Start, until, wait_until_idle
from tests.studio.builder import StudioBuilder
from tests.studio.web_process import WebProcess

pytestmark = pytest.mark.e2e


def two_runs(builder: StudioBuilder) -> None:
    """Two chains that trained and measured, the second with a higher rank and better."""
    data = builder.dataset("tickets")
    for name, rank, accuracy in (("first", 8, 0.5), ("second", 64, 0.9)):
        model = builder.model(f"{name}-lora", Kind.ADAPTER, parents=[data.id])
        made = builder.evaluation(model, data, accuracy)
        run = builder.run(name, ("finetune", State.SUCCEEDED), ("evaluate", State.SUCCEEDED))
        metrics = {key: value for key, value in made.facts.items() if isinstance(value, float)}
        builder.store.update_job(f"{run}-finetune", resolved={"data": data.id, "rank": rank})
        builder.store.update_job(f"{run}-finetune", result={"artifact": model.id, "metrics": {"eval_loss": 1.0 / rank}})
        builder.store.update_job(f"{run}-evaluate", resolved={"model": model.id, "data": data.id}, needs=["finetune"])
        builder.store.update_job(f"{run}-evaluate", result={"artifact": made.id, "metrics": metrics})
        builder.points(f"{run}-finetune")


def edit(page: Page, name: str, tag: str) -> None:
    page.locator(".st-key-run_edit").get_by_role("button").first.click()
    page.get_by_label("Name", exact=True).and_(page.get_by_role("textbox")).last.fill(name)
    tags = page.get_by_role("combobox", name=re.compile("Tags"))
    tags.fill(tag)
    tags.press("Enter")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save", exact=True).click()


def test_run_is_named_tagged_deleted_restored_and_compared(
    builder: StudioBuilder, open_browser: OpenBrowser, start: Start
) -> None:
    two_runs(builder)
    web = start(WebProcess, builder.studio.settings.home)
    page = open_browser(web.url).go("/run?id=r-second")
    edit(page, "Rank 64", "to ship")
    expect(page.get_by_role("heading", name="#2 Rank 64")).to_be_visible()
    until(page, lambda: builder.studio.run("r-second").tags == ["to ship"])
    page.locator("[class*=st-key-graph] button").get_by_text("Evaluate").first.click()
    expect(page.get_by_text("Changed parameters").or_(page.get_by_text("All parameters")).first).to_be_visible()
    page.goto("/jobs?search=ship")
    wait_until_idle(page)
    rows = page.get_by_role("row").filter(has=page.get_by_role("checkbox"))
    expect(rows.filter(has_text="Rank 64")).to_contain_text("tickets")
    expect(rows.filter(has_text="first")).to_have_count(0)
    page.goto("/jobs")
    wait_until_idle(page)
    page.get_by_role("checkbox", name="Select #2 Rank 64").check()
    expect(page.get_by_text("1 selected").first).to_be_visible()
    page.get_by_role("checkbox", name="Select #1 first").check()
    expect(page.get_by_text("2 selected").first).to_be_visible()
    page.get_by_role("link", name="Compare").last.click()
    expect(page).to_have_url(re.compile(r"id=r-second.*with=r-first|with=r-first.*id=r-second"))
    expect(page.get_by_role("heading", name="Compared with #1 first")).to_be_visible()
    results = page.get_by_role("region", name="Results")
    expect(results).to_contain_text("+40 points")
    expect(results).to_contain_text("95% CI")
    expect(page.get_by_role("region", name="Differences")).to_contain_text("64")
    page.locator(".st-key-delete_run").get_by_role("button").first.click()
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    until(page, lambda: [run.id for run in builder.studio.runs()] == ["r-first"])
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_role("row").filter(has_text="Rank 64")).to_be_visible()
    assert len(builder.studio.runs()) == 2
