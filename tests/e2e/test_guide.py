"""From an empty project to a result in at most four clicks, with the real worker, on a model of a few thousand weights."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from backend.core.schemas import Kind
from tests.e2e.browser_session import OpenBrowser, Start, wait_until_idle
from tests.helpers import build_tiny_model
from tests.studio.builder import StudioBuilder
from tests.studio.web_process import StudioProcess

pytestmark = pytest.mark.e2e

RUN = 240_000
"""Milliseconds within which the whole chain has to end on a busy machine."""
MOST_CLICKS = 4
WORDS = {"Facturación": "el recibo está mal", "Avería": "no hay línea", "Tarifas": "quiero otra tarifa"}


class Clicks:
    """Counts what a person does; a dropped file is one click."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def press(self, name: str) -> None:
        button = self.page.get_by_role("button", name=name, exact=True)
        expect(button).to_be_enabled()
        button.click()
        self.count += 1
        wait_until_idle(self.page)

    def drop(self, file: Path) -> None:
        self.page.set_input_files("input[type=file]", file)
        self.count += 1


def write_complaints(file: Path) -> None:
    """As Spanish Excel saves it; the texts all differ, so that no check stops the run."""
    lines = ["Referencia;Texto;Categoría"]
    for n in range(40):
        case = f"caso {n * 7919 % 1009} de {'abcdefghij'[n % 10]}{n}"
        lines += [f"{label[0]}-{n};{text}, {case};{label}" for label, text in WORDS.items()]
    file.write_bytes("\r\n".join(lines).encode("cp1252"))


def test_empty_project_to_a_result_in_four_clicks(
    home: Path, open_browser: OpenBrowser, start: Start, tmp_path: Path
) -> None:
    StudioBuilder(home).studio.import_model(build_tiny_model(tmp_path / "tiny", hidden=64), "tiny")
    web = start(StudioProcess, home)
    page = open_browser(web.url, locale="es-ES", accept_downloads=True).go("/")
    write_complaints(tmp_path / "quejas.csv")
    clicks = Clicks(page)
    clicks.press("Clasificar textos")
    clicks.drop(tmp_path / "quejas.csv")
    expect(page.get_by_text("Texto → Categoría").first).to_be_visible()
    clicks.press("Entrenar")
    page.wait_for_url("**/result?**")
    assert clicks.count <= MOST_CLICKS
    expect(page.get_by_role("link", name=re.compile(r"(^|\s)Descargar( INT4)?$"))).to_be_visible(timeout=RUN)
    expect(page.get_by_text("Tu modelo").first).to_be_visible()
    expect(page.get_by_text("Referencia rápida").first).to_be_visible()
    studio = StudioBuilder(home).studio
    kinds = {view.kind for view in studio.artifacts()}
    assert {Kind.DATASET, Kind.ADAPTER, Kind.ONNX, Kind.EVALUATION, Kind.PACKAGE, Kind.REPORT} <= kinds
    assert len(studio.runs()) == 1
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Informe").click()
    report = Path(waiting.value.path()).read_text("utf-8")
    assert "quejas" in report and "<script" not in report and "http" not in report.split("<body>")[1]
    page.get_by_role("textbox", name="Tu texto").fill("el recibo está mal")
    page.get_by_role("textbox", name="Tu texto").press("Enter")
    expect(page.get_by_text("el recibo está mal", exact=True).first).to_be_visible()
    page.goto("/")
    expect(page.get_by_text("Último resultado")).to_be_visible()
