"""A file as Spanish Excel saves it, in a browser: read, imported, checked, and corrected into a new version; and a messy one
that is mended by clicks alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from backend.api import Studio
from backend.core.schemas import Kind
from backend.data.dataset import DataFolder
from tests.e2e.browser_session import OpenBrowser, Start, wait_until_idle
from tests.studio.web_process import StudioProcess

pytestmark = pytest.mark.e2e

JOB = 90_000
"""Milliseconds within which a job of the real worker has to end."""


def write_complaints(file: Path) -> None:
    lines = ["Referencia;Texto;Categoría"]
    for n in range(30):
        lines.append(f"R-{n};El recibo número {n} está mal, sobran {3 * n} €;Facturación")
        lines.append(f"S-{n};Señal caída en la línea {n} desde las {n} h;{'avería' if n == 7 else 'Avería'}")
    file.write_bytes("\r\n".join(lines).encode("cp1252"))


def test_excel_file_is_read_checked_and_corrected(
    home: Path, open_browser: OpenBrowser, start: Start, tmp_path: Path
) -> None:
    web = start(StudioProcess, home)
    page = open_browser(web.url).go("/data")
    write_complaints(tmp_path / "quejas.csv")
    page.set_input_files("input[type=file]", tmp_path / "quejas.csv")
    expect(page.get_by_text("Windows-1252 (guessed)").first).to_be_visible()
    expect(page.get_by_text("Text and label · Texto → Categoría").first).to_be_visible()
    expect(page.get_by_text("El recibo número").first).to_be_visible()
    expect(page.get_by_text("--encoding")).to_have_count(0)  # flags are for the command line
    wait_until_idle(page)
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("link", name="quejas").click(timeout=JOB)

    page.get_by_role("radio", name="Checks").click()
    page.get_by_role("button", name="Check dataset").click()
    expect(page.get_by_text("Label spelling variants").first).to_be_visible(timeout=JOB)
    expect(page.get_by_role("button", name="Merge labels")).to_be_visible()
    wait_until_idle(page)

    page.get_by_role("radio", name="Rows").click()
    expect(page.get_by_role("textbox", name="Search")).to_be_visible()
    wait_until_idle(page)  # the tables of the checks are gone
    page.locator("tbody tr").first.click()
    page.get_by_role("dialog").get_by_role("textbox", name="Input").fill("La línea siete no da señal")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Save 1 change as a new version").click()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Open the new version").click(timeout=JOB)
    expect(page.get_by_role("link", name="Created from quejas")).to_be_visible()

    kept = Studio.open(home=home).artifacts([Kind.DATASET])
    assert len(kept) == 2
    inputs = [
        [row.input for split in ("train", "validation", "test") for row in DataFolder(each.path).rows(split)]
        for each in kept
    ]
    assert [texts.count("La línea siete no da señal") for texts in inputs] == [1, 0]


def test_messy_file_is_mended_by_clicks(home: Path, open_browser: OpenBrowser, start: Start, tmp_path: Path) -> None:
    web = start(StudioProcess, home)
    page = open_browser(web.url).go("/data")
    write_complaints(tmp_path / "quejas.csv")
    with (tmp_path / "quejas.csv").open("ab") as file:
        file.write("\r\nX-1;;Avería\r\nX-2;Escriban a maria@ejemplo.es, por favor;Avería".encode("cp1252"))
    page.set_input_files("input[type=file]", tmp_path / "quejas.csv")
    expect(page.get_by_text("1 row has no input (row 62)").first).to_be_visible()
    page.get_by_role("button", name="Skip these rows").click()
    expect(page.get_by_text("They are skipped.").first).to_be_visible()
    wait_until_idle(page)
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name="Check dataset").click(timeout=JOB)
    expect(page.get_by_text("Label spelling variants").first).to_be_visible(timeout=JOB)
    wait_until_idle(page)

    page.get_by_role("button", name="Fix several problems").click()
    page.get_by_role("button", name="Apply ").click()
    page.get_by_role("link", name="Open quejas-clean").click(timeout=JOB)
    expect(page.get_by_text("Created from quejas").first).to_be_visible()
    expect(page.get_by_text("Label spelling variants")).to_have_count(0)
    expect(page.get_by_text("rows checked").first).to_be_visible(timeout=JOB)

    studio = Studio.open(home=home)
    clean = next(each for each in studio.artifacts([Kind.DATASET]) if each.name == "quejas-clean")
    assert clean.facts["labels"] == ["Avería", "Facturación"]
    texts = " ".join(
        row.input for split in ("train", "validation", "test") for row in DataFolder(clean.path).rows(split)
    )
    assert "[EMAIL" in texts and "maria@" not in texts
