"""How long a key of the page Review takes until the next row is painted: `python -m benchmarks.review [--rows 100]`.

Starts a studio on a temporary home with a dataset of 2,000 answers, presses A (and every tenth time R) in a real browser, and
prints one JSON object: milliseconds from the browser's time of the key event to the first frame that shows the next row, and
from the last of them until the server has confirmed every decision.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from backend.api import Studio
from backend.core.artifacts import Manifest, seal
from backend.core.schemas import Kind
from backend.core.settings import Settings
from backend.data.dataset import Row, Template, write_split, write_template
from backend.data.facts import data_facts
from benchmarks.web import CHROMIUM, web

LABELS = [f"intent_{n}" for n in range(35)]
HEAR = "addEventListener('keydown', (event) => (window.pressed = event.timeStamp), true)"
"""Before the page's own listener, which lets nobody else hear its keys."""
WATCH = """() => {
  const card = [...document.querySelectorAll("*")].map((e) => e.shadowRoot?.querySelector(".card")).find(Boolean);
  window.kept = card.getRootNode().querySelector(".kept");
  window.painted = [];
  new MutationObserver(() => {
    const begun = window.pressed;
    requestAnimationFrame(() => setTimeout(() => window.painted.push(performance.now() - begun)));
  }).observe(card, { attributes: true, attributeFilter: ["data-row"] });
}"""


def fill(settings: Settings, chars: int) -> None:
    studio = Studio(settings)
    source = settings.jobs / "build"
    source.mkdir(parents=True)
    write_template(source, Template(answer="label", labels=LABELS))
    text = "turn on the light in the kitchen " * (chars // 33 + 1)
    rows = (
        Row(id=f"p{n}", input=f"{n} {text}"[:chars], output=LABELS[n % 35], confidence=n / 2000, gold=LABELS[n % 34])
        for n in range(2000)
    )
    write_split(source, "train", rows)
    facts = {**data_facts(source), "teacher": "teacher"}
    manifest = Manifest(id="dataset-bench", kind=Kind.DATASET, name="bench", facts=facts)
    target = settings.artifacts / "dataset" / manifest.id
    studio.store.add_artifact(seal(source, target, manifest), target, studio.store.project())


def measure(rows: int, chars: int) -> dict[str, Any]:
    home = Path(tempfile.mkdtemp())
    fill(Settings(home=home).prepare(), chars)
    with web(home) as (base, _process, _started), sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        page = browser.new_context(locale="en-GB", viewport={"width": 1360, "height": 900}).new_page()
        page.add_init_script(HEAR)
        page.goto(f"{base}/review")
        page.locator(".card[data-row=p0]").wait_for()
        page.wait_for_timeout(3000)
        page.evaluate(WATCH)
        for n in range(rows):
            page.keyboard.press("r" if n % 10 == 9 else "a")
            page.wait_for_function("n => window.painted.length > n", arg=n)
        done = time.perf_counter()
        page.wait_for_function("() => window.kept.dataset.state === 'saved'")
        saved = round(1000 * (time.perf_counter() - done), 1)
        painted = page.evaluate("() => window.painted")
        browser.close()
    shutil.rmtree(home, ignore_errors=True)
    load = round(os.getloadavg()[0], 1)
    return {"rows": rows, "chars": chars, "load": load, "next_row": _spread(painted), "last_saved_after_ms": saved}


def _spread(found: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(found, n=20, method="inclusive")
    return {"p50_ms": round(cuts[9], 1), "p95_ms": round(cuts[18], 1), "max_ms": round(max(found), 1), "n": len(found)}


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--rows", type=int, default=100)
    asked.add_argument("--chars", type=int, default=120, help="characters of an input")
    chosen = asked.parse_args()
    print(json.dumps(measure(chosen.rows, chosen.chars), indent=1))
