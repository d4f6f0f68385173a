"""Review in a real browser: by keys only, over a reload, a second tab and a broken connection, to the reviewed dataset."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from backend.core.schemas import Kind
from backend.data.dataset import DataFolder, Row
from backend.data.decisions import Decision
from tests.e2e.browser_session import OpenBrowser, Start, until
from tests.studio.builder import LABELS, StudioBuilder
from tests.studio.web_process import StudioProcess, WebProcess

pytestmark = pytest.mark.e2e

NASTY = '<img src=x onerror="document.title = 1">'


def card(page: Page, row: str) -> Locator:
    """The card while it shows this row."""
    return page.locator(f".card[data-row='{row}']")


def press(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def decided(builder: StudioBuilder, dataset: str) -> dict[str, Decision]:
    return {said.row: said for said, _at in builder.store.reviews(dataset)}


def test_twenty_rows_by_keys_a_reload_a_second_tab_and_the_reviewed_dataset(
    builder: StudioBuilder, home: Path, open_browser: OpenBrowser, start: Start
) -> None:
    view = builder.answers()
    browser_session = open_browser(start(StudioProcess, home).url)
    page = browser_session.go("/review")
    expect(card(page, "p0")).to_be_visible()
    for n in range(12):  # two keys a row at most
        expect(card(page, f"p{n}")).to_be_visible()
        press(page, "R" if n % 4 == 3 else "4 A" if n % 4 == 2 else "A")
    expect(page.get_by_text("12 of 30 reviewed · accepted 9 · corrected 0 · rejected 3")).to_be_visible()
    expect(page.get_by_text("All saved")).to_be_visible()

    page.reload()
    expect(card(page, "p12")).to_be_visible()
    other = browser_session.tab("/review")
    expect(card(other, "p12")).to_be_visible()
    page.bring_to_front()
    press(page, "E")
    page.keyboard.type("gettime")
    press(page, "Enter A A A A A A A")
    expect(card(page, "p20")).to_be_visible()
    other.bring_to_front()
    expect(other.get_by_text("20 of 30 reviewed · accepted 16 · corrected 1 · rejected 3")).to_be_visible()
    expect(card(other, "p12").get_by_text("Corrected", exact=True)).to_be_visible()
    press(other, "ArrowRight")
    expect(card(other, "p20")).to_be_visible()  # what the first tab has decided is passed over

    press(page, "U U")
    expect(card(page, "p18")).to_be_visible()
    press(page, "R A")
    expect(card(page, "p20")).to_be_visible()
    until(page, lambda: decided(builder, view.id)["p18"].decision == "reject")
    until(page, lambda: len([said for said in decided(builder, view.id).values() if said.decision]) == 20)
    kept = decided(builder, view.id)
    assert kept["p12"].output == "HassGetTime" and kept["p2"].rating == 4

    page.bring_to_front()
    page.get_by_text("Drop", exact=True).click()
    page.get_by_role("button", name="Start", exact=True).click()
    until(page, lambda: len(builder.studio.artifacts((Kind.DATASET,))) == 2)
    made = builder.studio.artifacts((Kind.DATASET,))[0]
    rows = {row.id: row for row in DataFolder(made.path).rows("train")}
    assert rows.keys() == {f"p{n}" for n in range(20)} - {"p3", "p7", "p11", "p18"}
    assert rows["p12"].output == rows["p12"].gold == "HassGetTime" and rows["p0"].gold == LABELS[0]
    expect(page.locator("[class*=st-key-success_]").get_by_text("is done").first).to_be_visible()


def test_nothing_is_lost_when_the_connection_breaks(
    builder: StudioBuilder, home: Path, open_browser: OpenBrowser, start: Start
) -> None:
    view = builder.answers()
    web = start(WebProcess, home)
    browser_session = open_browser(web.url)
    page = browser_session.go("/review")
    expect(card(page, "p0")).to_be_visible()
    browser_session.context.set_offline(True)
    press(page, "A R A")
    expect(page.get_by_text("Unsaved: 3. Retrying…").first).to_be_visible()
    expect(card(page, "p3")).to_be_visible()
    assert decided(builder, view.id) == {}
    browser_session.context.set_offline(False)
    expect(page.get_by_text("All saved").first).to_be_visible()
    assert [said.decision for said in decided(builder, view.id).values()] == ["accept", "reject", "accept"]
    browser_session.forgive()

    web.stop(signal.SIGKILL)
    press(page, "R")
    expect(page.get_by_text("Unsaved: 1. Retrying…").first).to_be_visible()
    page.close()  # the tab goes, and the decision waits in the browser
    start(WebProcess, home, port=web.port)
    again = browser_session.tab("/review")
    expect(card(again, "p4")).to_be_visible()
    until(again, lambda: decided(builder, view.id).get("p3", Decision(row="p3")).decision == "reject")
    browser_session.forgive()


def test_texts_of_any_kind_are_shown_as_they_are_and_corrected(
    builder: StudioBuilder, home: Path, open_browser: OpenBrowser, start: Start
) -> None:
    rows = [
        Row(id="nasty", input=NASTY, output=NASTY, gold="gold", confidence=0.1, rationale=f"steps {NASTY}"),
        Row(
            id="long", input="x" * 100_000, output="short", confidence=0.2, context=[{"role": "user", "content": NASTY}]
        ),
        Row(id="rtl", input="مرحبا بكم " * 300, output="שלום", confidence=0.3),
        Row(id="plain", input="a", output="b", confidence=0.4),
    ]
    view = builder.answers("free", rows, labels=[])
    browser_session = open_browser(start(WebProcess, home).url, viewport={"width": 390, "height": 844})
    page = browser_session.go("/review")
    expect(card(page, "nasty").get_by_text(NASTY).first).to_be_visible()
    expect(card(page, "nasty").get_by_text("Differs from the known answer")).to_be_visible()
    press(page, "E")
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("two\nlines A R")
    page.keyboard.press("Control+Enter")
    expect(card(page, "long")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 1
    press(page, "N")
    page.keyboard.type("too long, U")
    press(page, "Enter R")
    expect(card(page, "rtl")).to_be_visible()
    assert page.locator(".answer").evaluate("element => getComputedStyle(element).direction") == "rtl"
    press(page, "E")
    page.keyboard.type("!")
    press(page, "Escape A")
    expect(card(page, "plain")).to_be_visible()
    press(page, "A")
    expect(page.get_by_text("All answers reviewed.").first).to_be_visible()
    until(page, lambda: decided(builder, view.id).keys() == {"nasty", "long", "rtl", "plain"})
    kept = decided(builder, view.id)
    assert kept["nasty"].output == "two\nlines A R" and kept["long"].note == "too long, U"
    assert [kept[row].verdict for row in ("nasty", "long", "rtl", "plain")] == [
        "edited",
        "rejected",
        "accepted",
        "accepted",
    ]
    press(page, "U")
    expect(card(page, "plain")).to_be_visible()
    assert page.evaluate("() => document.title") != "1"


def test_keys_can_be_switched_off_and_buttons_do_the_same(
    builder: StudioBuilder, home: Path, open_browser: OpenBrowser, start: Start
) -> None:
    view = builder.answers()
    page = open_browser(start(WebProcess, home).url).go("/review")
    expect(card(page, "p0")).to_be_visible()
    page.locator("details.help summary").click()  # the palette's sheet has the same title
    page.get_by_label("Shortcuts active").uncheck()
    press(page, "A R")
    page.get_by_role("button", name="Reject").click()
    expect(card(page, "p1")).to_be_visible()
    page.get_by_role("button", name="5 of 5").click()
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("listbox", name="Labels").get_by_role("option", name=LABELS[2]).click()
    expect(card(page, "p2")).to_be_visible()
    page.locator("select.show").select_option("rejected")
    expect(card(page, "p0")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    page.locator("select.show").select_option("all")
    page.locator("select.label").select_option(LABELS[1])
    expect(card(page, "p1")).to_be_visible()
    until(page, lambda: len(decided(builder, view.id)) == 2)
    said = json.dumps({row: said.model_dump() for row, said in decided(builder, view.id).items()})
    assert '"rating": 5' in said and '"decision": "accept"' not in said


def test_what_the_server_refuses_is_said_and_the_truth_is_shown(
    builder: StudioBuilder, home: Path, open_browser: OpenBrowser, start: Start
) -> None:
    view = builder.answers()
    browser_session = open_browser(start(WebProcess, home).url)
    page = browser_session.go("/review")
    expect(card(page, "p0")).to_be_visible()
    builder.studio.delete(view.id)
    press(page, "A")
    expect(page.get_by_role("alert").filter(has_text="There is no artifact")).to_be_visible()
    browser_session.forgive()


def test_a_key_that_comes_while_the_next_row_is_on_its_way_decides_nothing(
    builder: StudioBuilder, home: Path, open_browser: OpenBrowser, start: Start
) -> None:
    rows = [Row(id=f"p{n}", input="x" * 300_000, output=LABELS[0], confidence=n / 10) for n in range(4)]
    view = builder.answers(rows=rows)
    browser_session = open_browser(start(WebProcess, home).url)
    held: list[Route] = []
    browser_session.page.route(re.compile("start=1"), lambda route: held.append(route))
    page = browser_session.go("/review")
    expect(card(page, "p0")).to_be_visible()
    press(page, "A R R")
    until(page, lambda: bool(held))
    held[0].continue_()
    expect(card(page, "p1")).to_be_visible()
    press(page, "R")
    expect(card(page, "p2")).to_be_visible()
    until(page, lambda: len(decided(builder, view.id)) == 2)
    assert {row: said.decision for row, said in decided(builder, view.id).items()} == {"p0": "accept", "p1": "reject"}
