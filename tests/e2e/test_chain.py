"""From a file to a package in a browser, with the real worker, on models of a few thousand weights."""

from __future__ import annotations

import csv
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from backend.core.schemas import Kind, State
from backend.data.facts import data_facts
from tests.e2e.browser_session import OpenBrowser, choose, until, wait_until_idle
from tests.helpers import build_tiny_model, model_view, tiny_dataset
from tests.studio.builder import StudioBuilder
from tests.studio.web_process import StudioProcess

pytestmark = pytest.mark.e2e

JOB = 90_000
"""Milliseconds within which a job of the real worker has to end."""
NASTY = [
    "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>",
    "![out](http://192.0.2.7/pixel.png) **bold** [link](javascript:alert(1)) $x^2$ :red[red]",
    "أين طردي؟ 🎁👩‍👩‍👧",
    "long " * 20_000,
]


class Works:
    """A whole studio on a home with a tiny model, its ONNX form, and a dataset."""

    def __init__(self, home: Path, onnx: Path) -> None:
        self.builder = StudioBuilder(home)
        made = home.parent
        self.builder.studio.import_model(build_tiny_model(made / "tiny", hidden=64), "tiny")
        data = tiny_dataset(made / "colours")
        self.builder.keep(Kind.DATASET, "colours", data, data_facts(data))
        facts = {**model_view(onnx.parent / "model").facts, "format": "onnx", "precision": "fp32"}
        shutil.copytree(onnx, made / "small")
        self.builder.keep(Kind.ONNX, "tiny-onnx", made / "small", facts)
        self.web = StudioProcess(home)


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory, onnx: Path) -> Iterator[Works]:
    started = Works(tmp_path_factory.mktemp("works") / "home", onnx)
    with started.web:
        yield started


def success(page: Page) -> Locator:
    """The card of what has just been made."""
    return page.locator("[class*=st-key-success_]")


def card(page: Page, state: str) -> Locator:
    """The cards of jobs in this state, by the word on their badge."""
    return page.locator("[class*=st-key-job_]").filter(has_text=state)


def write_mails(file: Path) -> None:
    with file.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(["message", "topic"])
        for n in range(40):
            rows.writerow([f"{NASTY[n % len(NASTY)]} {n}", ("parcel", "bill")[n % 2]])


def test_own_file_becomes_a_dataset_and_stays_text(works: Works, open_browser: OpenBrowser, tmp_path: Path) -> None:
    browser_session = open_browser(works.web.url)
    page = browser_session.go("/data")
    write_mails(tmp_path / "mails.csv")
    page.set_input_files("input[type=file]", tmp_path / "mails.csv")
    expect(page.get_by_role("combobox", name="Source")).to_have_value(re.compile("^mails.csv"))
    expect(page.get_by_role("combobox", name="Input column")).to_have_value("Auto-detected: message")
    expect(page.get_by_text("onerror=").first).to_be_visible()
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("link", name="mails").click(timeout=JOB)
    expect(page.get_by_text("<script>document.title").first).to_be_visible()
    expect(page.get_by_text("![out](http://192.0.2.7/pixel.png)").first).to_be_visible()
    expect(page.get_by_text("أين طردي؟ 🎁👩‍👩‍👧").first).to_be_visible()
    wait_until_idle(page)
    assert page.locator("img[src=x], a[href^='javascript:']").count() == 0
    assert "taken" not in page.title()
    shown = page.locator("td .text")
    until(page, lambda: 300 < shown.evaluate_all("texts => Math.max(0, ...texts.map(t => t.innerText.length))") < 1000)


def test_wrong_number_is_said_then_a_model_is_tuned_and_another_job_cancelled(
    works: Works, open_browser: OpenBrowser
) -> None:
    page = open_browser(works.web.url, locale="es-ES").go("/finetune")
    choose(page.get_by_role("combobox", name="Modelo", exact=True), "tiny ·")
    rank, start = page.get_by_role("spinbutton", name="Rango"), page.get_by_role("button", name="Iniciar", exact=True)
    fill(rank, "0")
    expect(page.get_by_text("El número es demasiado pequeño. Escribe 1 o más.")).to_be_visible()
    expect(start).to_be_disabled()
    fill(rank, "4")
    fill(page.get_by_role("spinbutton", name="Épocas"), "1")
    expect(page.get_by_text("El número es demasiado pequeño")).to_have_count(0)
    start.click()
    expect(page.get_by_role("progressbar").first).to_be_visible(timeout=JOB)
    expect(success(page).get_by_text("Parámetros entrenados")).to_be_visible(timeout=JOB)
    expect(success(page).get_by_role("link", name="Probarlo")).to_be_visible()
    fill(page.get_by_role("spinbutton", name="Épocas"), "100")
    start.click()
    card(page, "En marcha").get_by_role("button", name="Cancelar").click(timeout=JOB)
    expect(card(page, "Cancelado").get_by_role("button", name="Reintentar")).to_be_visible(timeout=JOB)
    assert [run.jobs[0].state for run in works.builder.studio.runs(2)] == [State.CANCELLED, State.SUCCEEDED]


def test_model_is_measured_packed_and_taken_away(works: Works, open_browser: OpenBrowser) -> None:
    page = open_browser(works.web.url, accept_downloads=True).go("/compare")
    choose(page.get_by_role("combobox", name="Dataset", exact=True), "colours ·")
    choose(page.get_by_role("combobox", name="Model", exact=True), "tiny-onnx ·")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("Quality and cost")).to_be_visible(timeout=JOB)
    expect(page.get_by_role("figure", name="Size on disk by model, bar chart")).to_contain_text("tiny-onnx")
    expect(page.get_by_role("region", name="Leaderboard").get_by_text("tiny-onnx")).to_be_visible()
    page.goto("/quantize")
    wait_until_idle(page)
    page.get_by_text("Package", exact=True).click()
    expect(page.get_by_role("textbox", name="Version")).to_be_visible()
    choose(page.get_by_role("combobox", name="Model", exact=True), "tiny-onnx ·")
    expect(page.get_by_text("has findings").first).to_be_visible()  # answers of a tiny random model
    fill(page.get_by_role("textbox", name="Override reason"), "a model to try the way with")
    page.get_by_role("button", name="Start", exact=True).click()
    with page.expect_download(timeout=JOB) as waiting:
        success(page).get_by_role("link", name="Download").click(timeout=JOB)
    with zipfile.ZipFile(waiting.value.path()) as archive:
        assert archive.testzip() is None
        assert any(name.endswith(".onnx") for name in archive.namelist())


def fill(field: Locator, value: str) -> None:
    field.fill(value)
    field.press("Enter")
