"""The pictures of README.md, of a studio at work: `python -m benchmarks.pictures URL [--out FOLDER] [--models ID,ID]`.

Home, Fine-tune, Playground (it asks the chosen models two questions) and Compare as they are, in English, light, 1280 x 860, in
few colours so that the files stay small.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from tests.e2e.browser_session import wait_until_idle

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SIZE = {"width": 1280, "height": 860}
COLOURS = 128
ASKED = ("turn on the kitchen lights please", "how long is left on the pizza timer")
PATIENCE = 180_000
"""Milliseconds within which models are loaded and have answered."""


def ask(page: Page, question: str, number: int) -> None:
    box = page.locator("[data-testid=stChatInputTextArea]")
    expect(box).to_be_enabled(timeout=PATIENCE)
    box.fill(question)
    box.press("Enter")
    answers = page.locator(f"[class*=st-key-pg_answer_{number}_]")
    expect(answers.first).to_be_visible(timeout=PATIENCE)
    expect(answers.filter(has_text="tokens/s")).to_have_count(answers.count(), timeout=PATIENCE)


def take(page: Page, url: str, out: Path, models: str) -> None:
    for name in ("home", "finetune", "playground", "compare"):
        chosen = f"?models={models}" if models and name == "playground" else ""
        page.goto(f"{url}/{'' if name == 'home' else name}{chosen}")
        wait_until_idle(page)
        if name == "playground":
            for number, question in enumerate(ASKED):
                ask(page, question, number)
        page.wait_for_timeout(2000)  # charts are drawn after the page
        file = out / f"{name}.png"
        page.screenshot(path=file)
        Image.open(file).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
        print(f"{file}: {file.stat().st_size:,} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="of a running studio, after the demo")
    parser.add_argument("--out", type=Path, default=Path("assets"))
    parser.add_argument("--models", default="", help="two ids for the Playground")
    given = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport=SIZE, locale="en-GB", color_scheme="light", reduced_motion="reduce")
        expect.set_options(timeout=60_000)
        take(page, given.url.rstrip("/"), given.out, given.models)
        browser.close()


if __name__ == "__main__":
    main()
