"""Projects and what was typed in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from backend.core.schemas import State
from tests.e2e.browser_session import OpenBrowser, Start, choose, until, wait_until_idle
from tests.studio.builder import StudioBuilder
from tests.studio.web_process import WebProcess

pytestmark = pytest.mark.e2e


def test_new_project_is_empty_and_each_keeps_its_own_form(
    builder: StudioBuilder, open_browser: OpenBrowser, start: Start
) -> None:
    builder.dataset(), builder.model()
    builder.run("lessons", ("finetune", State.FAILED))
    web = start(WebProcess, builder.studio.settings.home)
    # High enough for the whole sidebar: the list of projects closes when what it hangs on is scrolled.
    page = open_browser(web.url, viewport={"width": 1280, "height": 1100}).go("/finetune")
    rank(builder, page, 7)
    expect(page.get_by_text("Results so far").first).to_be_visible()
    page.get_by_role("button", name="Manage projects").click()
    page.get_by_role("menuitem", name="New project").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("Support emails")
    page.get_by_role("textbox", name="Name", exact=True).press("Enter")
    expect(page.get_by_role("combobox", name="Project")).to_have_value("Support emails")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("Project “Support emails” created").first).to_be_visible()
    expect(page.get_by_role("heading", name="Support emails", level=1)).to_be_visible()  # a new project begins at Home
    wait_until_idle(page)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Fine-tune", exact=True).click()
    expect(page.get_by_role("heading", name="Fine-tune", level=1)).to_be_visible()
    expect(page.get_by_text("Results so far")).to_have_count(0)
    expect(page.get_by_text("This step needs a dataset").first).to_be_visible()
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_disabled()
    rank(builder, page, 5)
    page.reload()
    wait_until_idle(page)
    expect(page.get_by_role("combobox", name="Project")).to_have_value("Support emails")
    expect(page.get_by_role("spinbutton", name="Rank")).to_have_value("5")
    choose(page.get_by_role("combobox", name="Project"), "First project")
    expect(page.get_by_role("spinbutton", name="Rank")).to_have_value("7")
    expect(page.get_by_text("Results so far").first).to_be_visible()


def test_two_tabs_have_two_projects_and_back_and_forward_walk_what_was_opened(
    builder: StudioBuilder, open_browser: OpenBrowser, start: Start
) -> None:
    builder.dataset("tickets"), builder.dataset("mails", project="Mails")
    first, other = builder.store.project("default"), builder.store.project("Mails")
    web = start(WebProcess, builder.studio.settings.home)
    session = open_browser(web.url)
    page = session.go(f"/?project={first}")
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Data", exact=True).click()
    expect(page).to_have_url(f"{web.url}/data?project={first}")
    wait_until_idle(page)
    page.get_by_role("link", name="tickets").first.click()
    expect(page).to_have_url(f"{web.url}/data?project={first}&data=dataset-tickets")
    wait_until_idle(page)
    page.get_by_text("Interpretation", exact=True).first.click()
    expect(page).to_have_url(f"{web.url}/data?project={first}&data=dataset-tickets&tab=reading")
    wait_until_idle(page)

    tab = session.tab(f"/data?project={other}")
    expect(tab.get_by_role("combobox", name="Project")).to_have_value("Mails")
    expect(tab.get_by_role("link", name="mails").first).to_be_visible()
    expect(tab.get_by_role("link", name="tickets")).to_have_count(0)
    pasted = session.tab(page.url.removeprefix(web.url))
    expect(pasted.get_by_role("heading", name="tickets").first).to_be_visible()
    expect(pasted.get_by_role("combobox", name="Project")).to_have_value("First project")

    walk = [f"/?project={first}", f"/data?project={first}", f"/data?project={first}&data=dataset-tickets"]
    for address in reversed(walk):
        page.go_back()
        expect(page).to_have_url(web.url + address)
    for address in walk[1:]:  # faster than the pages run: what an overtaken run says of its address is not taken
        page.go_forward()
        expect(page).to_have_url(web.url + address)
    wait_until_idle(page)
    expect(page).to_have_url(web.url + walk[-1])
    expect(page.get_by_role("heading", name="tickets").first).to_be_visible()
    expect(page.get_by_role("combobox", name="Project")).to_have_value("First project")

    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Jobs", exact=True).click()
    expect(page).to_have_url(f"{web.url}/jobs?project={first}")
    wait_until_idle(page)
    page.get_by_text("Failed", exact=True).first.click()
    expect(page).to_have_url(f"{web.url}/jobs?project={first}&state=failed")
    page.go_back()
    expect(page).to_have_url(f"{web.url}/data?project={first}&data=dataset-tickets")


def test_an_address_without_project_leads_to_the_last_one_and_a_wrong_one_to_a_choice(
    builder: StudioBuilder, open_browser: OpenBrowser, start: Start
) -> None:
    builder.studio.choose_project(other := builder.store.project("Mails"))
    builder.store.project("default")
    web = start(WebProcess, builder.studio.settings.home)
    page = open_browser(web.url).go("/models")
    expect(page).to_have_url(f"{web.url}/models?project={other}")
    page.goto("/models?project=gone")
    expect(page.get_by_role("heading", name="Project not found")).to_be_visible()
    page.get_by_role("link", name="Mails").click()
    expect(page).to_have_url(f"{web.url}/?project={other}")
    expect(page.get_by_role("combobox", name="Project")).to_have_value("Mails")


def test_a_project_goes_to_the_trash_and_undo_or_its_address_brings_it_back(
    builder: StudioBuilder, open_browser: OpenBrowser, start: Start
) -> None:
    builder.dataset("tickets"), builder.dataset("mails", project="Mails")
    other = builder.store.project("Mails")
    web = start(WebProcess, builder.studio.settings.home)
    page = open_browser(web.url).go(f"/settings?project={other}")

    def delete() -> None:
        page.get_by_role("button", name="Delete project").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
        expect(page.get_by_text("“Mails” moved to trash")).to_be_visible()
        expect(page.get_by_role("combobox", name="Project")).to_have_value("First project")
        wait_until_idle(page)

    delete()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("combobox", name="Project")).to_have_value("Mails")
    expect(page.get_by_text("Project “Mails” restored").first).to_be_visible()
    expect(page).to_have_url(f"{web.url}/settings?project={other}")
    wait_until_idle(page)
    delete()
    page.goto(f"/data?project={other}")
    expect(page.get_by_text("This project is in the trash.")).to_be_visible()
    expect(page.get_by_role("link", name="mails")).to_have_count(0)
    page.get_by_role("button", name="Restore", exact=True).click()
    expect(page.get_by_role("link", name="mails").first).to_be_visible()
    expect(page.get_by_role("combobox", name="Project")).to_have_value("Mails")


def test_a_project_goes_out_as_a_file_and_comes_into_another_studio(
    builder: StudioBuilder, open_browser: OpenBrowser, start: Start, tmp_path: Path
) -> None:
    data, model = builder.dataset("tickets"), builder.model("tuned")
    builder.evaluation(model, data, 0.9)
    builder.run("lessons", ("finetune", State.SUCCEEDED))
    web = start(WebProcess, builder.studio.settings.home)
    page = open_browser(web.url).go("/settings")
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_text("1 run · 3 datasets, models and other artifacts").first).to_be_visible()
    with page.expect_download() as sent:
        page.get_by_role("link", name="Download").click()
    file = tmp_path / sent.value.suggested_filename
    sent.value.save_as(file)
    assert file.name == "default.slmops.zip"

    fresh = StudioBuilder(tmp_path / "fresh")
    other = start(WebProcess, fresh.studio.settings.home)
    page = open_browser(other.url).go("/settings")
    page.get_by_text("Import a project").first.click()
    page.locator("input[type=file]").first.set_input_files(file)
    page.get_by_role("link", name="Open", exact=True).click()
    expect(page.get_by_role("combobox", name="Project")).to_have_value("default (2)")
    made = fresh.studio.project_named("default (2)")
    assert {view.name for view in fresh.studio.artifacts(project=made.id)} == {"tickets", "tuned", "tuned on tickets"}
    expect(page).to_have_url(f"{other.url}/?project={made.id}")
    expect(page.get_by_text("90.0%").first).to_be_visible()


def rank(builder: StudioBuilder, page: Page, value: int) -> None:
    """Type a rank and wait until the draft of a project holds it."""
    page.get_by_role("spinbutton", name="Rank").fill(str(value))
    page.keyboard.press("Enter")
    studio = builder.studio
    until(page, lambda: value in [studio.draft(each.id, "finetune").get("rank") for each in studio.projects()])
    wait_until_idle(page)
