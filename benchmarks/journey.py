"""The way of a new user, in a real browser and with real weights: `python -m benchmarks.journey [--csv FILE] [--out FOLDER]`.

Starts `slmops studio` on an empty home and never uses the command line again: the demo from its button to the last stage,
two models that answer side by side, the page Compare; with `--csv` the same on an own file, step by step through the forms
(dataset, fine-tune, quantize, measure, chat). Writes a picture of every station into `--out` and prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect, sync_playwright

from backend.api import Studio
from backend.core.schemas import Kind, State
from backend.core.settings import Settings
from tests.e2e.browser_session import wait_until_idle
from tests.studio.web_process import StudioProcess

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
HOURS = 3_600_000
ASKED = (
    "turn on the kitchen lights",
    "what is the temperature in the bedroom",
    "set the living room lights to 40 percent",
)


class Journey:
    """One browser tab, the pictures that it took, and the seconds that each part of the way needed."""

    def __init__(self, page: Page, out: Path, studio: Studio) -> None:
        self.page, self.out, self.studio = page, out, studio
        self.pictures = 0
        self.seconds: dict[str, float] = {}

    def picture(self, name: str) -> None:
        wait_until_idle(self.page)
        self.pictures += 1
        self.page.screenshot(path=self.out / f"{self.pictures:02d}-{name}.png", full_page=True)

    def menu(self, title: str) -> None:
        self.page.locator('[data-testid="stSidebarNav"]').get_by_role("link", name=title, exact=True).click()
        expect(self.page.get_by_role("heading", name=title, exact=True).first).to_be_visible()
        wait_until_idle(self.page)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def take(self, label: str, option: str) -> None:
        """Pick the option of a list that begins so."""
        self.page.get_by_role("combobox", name=label, exact=True).click()
        self.page.get_by_role("option").filter(has_text=option).first.click()
        wait_until_idle(self.page)

    def start(self, stage: str) -> None:
        """Press Start on a form and wait until the new job has ended; its card must say Done."""
        before = len(self._jobs(stage))
        button = self.page.get_by_role("button", name="Start", exact=True)
        expect(button).to_be_enabled(timeout=60_000)
        begun = time.perf_counter()
        button.click()
        while len(self._jobs(stage)) == before or not self._jobs(stage)[0].state.ended:
            self.page.wait_for_timeout(500)
        self.seconds[stage] = round(time.perf_counter() - begun, 1)
        job = self._jobs(stage)[0]
        if job.state is not State.SUCCEEDED:
            raise RuntimeError(f"{stage}: {job.state} {job.error}")

    def _jobs(self, stage: str) -> list[Any]:
        return [job for run in self.studio.runs() for job in run.jobs if job.stage == stage]


def demo(walk: Journey) -> None:
    """The button on Home, the run to its end, then what a new user looks at."""
    page = walk.page
    begun = time.perf_counter()
    page.goto("/")
    expect(page.get_by_role("heading", level=1).first).to_be_visible()
    walk.seconds["first_paint"] = round(time.perf_counter() - begun, 2)
    walk.picture("home-empty")
    begun = time.perf_counter()
    walk.press("Start the demo")
    page.wait_for_url(re.compile(r"/run\?"), timeout=120_000)
    walk.seconds["prepared"] = round(time.perf_counter() - begun, 1)
    seen: set[str] = set()
    while not (run := walk.studio.runs(1)[0]).state.ended:
        at_work = next((job.stage_id for job in run.jobs if job.state is State.RUNNING and job.done > 0), None)
        if at_work and at_work not in seen:
            seen.add(at_work)
            page.wait_for_timeout(3000)
            walk.picture(f"run-{at_work}")
        page.wait_for_timeout(1000)
    walk.seconds["demo"] = round(time.perf_counter() - begun, 1)
    if run.state is not State.SUCCEEDED:
        raise RuntimeError(f"the demo ended as {run.state}")
    page.wait_for_timeout(2000)
    walk.picture("run-done")


def chat(walk: Journey, questions: tuple[str, ...], name: str) -> list[str]:
    """Ask on the Playground with the models that it proposes; returns what stands under the answers."""
    walk.menu("Playground")
    walk.picture(f"{name}-playground-before")
    figures: list[str] = []
    for number, question in enumerate(questions):
        box = walk.page.get_by_role("textbox", name=re.compile("^Message"))
        box.fill(question)
        box.press("Enter")
        answers = walk.page.locator(f"[class*=st-key-pg_answer_{number}_]")
        expect(answers.first).to_be_visible(timeout=60_000)
        expect(answers.filter(has_text=re.compile("complete|cut at"))).to_have_count(answers.count(), timeout=120_000)
        figures += [f"{question} -> " + " | ".join(text.split("\n")) for text in answers.all_inner_texts()]
    walk.picture(f"{name}-playground-answers")
    return figures


def own_file(walk: Journey, file: Path) -> None:
    """A project of its own; upload, dataset, LoRA, INT4, measurement of both models."""
    page = walk.page
    walk.press("Manage projects")
    page.get_by_role("menuitem", name="New project").click()
    name = page.get_by_role("textbox", name="Name", exact=True)
    name.fill("Mails")
    walk.press("Create")
    expect(page.get_by_role("dialog")).to_have_count(0)
    walk.menu("Data")
    page.set_input_files("input[type=file]", file)
    expect(page.get_by_role("combobox", name="Source")).to_have_value(re.compile(f"^{re.escape(file.name)}"))
    page.get_by_text("Advanced", exact=True).click()
    _number(page.get_by_role("spinbutton", name="Rows at most"), "800")
    walk.picture("own-data-form")
    walk.start("dataset")
    walk.picture("own-data-made")
    walk.menu("Fine-tune")
    _number(page.get_by_role("spinbutton", name="Epochs"), "1")
    walk.picture("own-finetune-form")
    walk.start("finetune")
    walk.picture("own-finetune-done")
    walk.menu("Quantize")
    walk.picture("own-quantize-form")
    walk.start("quantize")
    walk.picture("own-quantize-done")
    walk.menu("Compare")
    for number, model in enumerate(_models(walk)):
        if number:
            page.get_by_text("Evaluate another model").click()
        walk.take("Model", model)
        walk.start("evaluate")
        page.wait_for_timeout(3000)
    walk.picture("own-compare")


def _models(walk: Journey) -> list[str]:
    mine = walk.studio.chosen_project().id
    return [view.name for view in walk.studio.artifacts((Kind.ADAPTER, Kind.ONNX), mine)]


def _number(field: Locator, value: str) -> None:
    field.fill(value)
    field.press("Enter")
    wait_until_idle(field.page)


def measured(studio: Studio) -> list[dict[str, Any]]:
    """What the page Compare shows, as figures."""
    wanted = ("accuracy", "ttft_ms_p50", "latency_ms_p50", "decode_tokens_per_s", "peak_memory_bytes", "size_bytes")
    return [
        {"model": one.model_name, **{name: one.metrics[name] for name in wanted if name in one.metrics}}
        for one in studio.evaluations()
    ]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--csv", type=Path)
    asked.add_argument("--out", type=Path, default=Path("test-results/journey"))
    asked.add_argument("--no-demo", action="store_true", help="only the own file")
    chosen = asked.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="slmops-journey-"))
    found: dict[str, Any] = {}
    with StudioProcess(home) as web, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(base_url=web.url, locale="en-GB", viewport={"width": 1360, "height": 900})
        context.set_default_timeout(30_000)
        outside: set[str] = set()
        context.on("request", lambda request: outside.add(request.url) if web.url not in request.url else None)
        walk = Journey(context.new_page(), chosen.out, Studio(Settings(home=home)))
        if not chosen.no_demo:
            demo(walk)
            found["answers"] = chat(walk, ASKED, "demo")
            walk.menu("Compare")
            walk.picture("demo-compare")
        if chosen.csv:
            walk.page.goto("/")
            wait_until_idle(walk.page)
            own_file(walk, chosen.csv)
            found["own_answers"] = chat(walk, ("Get rich fast with this one offer",), "own")
        found |= {"seconds": walk.seconds, "measured": measured(walk.studio), "home": str(home)}
        found["asked_elsewhere"] = sorted(url for url in outside if not url.startswith(("data:", "blob:", "ws:")))
        browser.close()
    print(json.dumps(found, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
