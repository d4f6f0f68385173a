"""Speed and size of the web process, in a real browser: `python -m benchmarks.web [--minutes 60] [--sessions 20]`.

Starts a studio on a temporary home with ten finished runs and one job that is at work (its row is moved once a second, as a
real stage does), and prints one JSON object: start, first paint, page switch, the cost of an open Jobs page, many sessions at
once, and memory over a time of clicking by script.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from backend.core.paths import ROOT
from backend.core.schemas import State
from backend.core.settings import Settings
from backend.db import Store
from backend.db import tables as t
from backend.jobs.queue import update_claimed

PAGES = ("Data", "Teacher", "Distill", "Fine-tune", "Quantize", "Playground", "Compare", "Jobs", "Models", "Settings")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
READY = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def fill(store: Store) -> str:
    """Ten finished runs and one at work; returns the id of the job that moves."""
    for number in range(10):
        _run(store, f"r{number}", State.SUCCEEDED)
    _run(store, "rnow", State.RUNNING)
    return "rnow-2"


def _run(store: Store, run_id: str, last: State) -> None:
    states = [State.SUCCEEDED, State.SUCCEEDED, last]
    jobs = [
        t.Job(
            id=f"{run_id}-{place}",
            run_id=run_id,
            stage_id=f"s{place}",
            stage=("dataset", "evaluate", "finetune")[place],
            params={},
            needs=[],
            state=state,
            queue="cpu",
            started=t.now(),
            ended=t.now() if state.ended else None,
            result={"artifact": "gone", "metrics": {"accuracy": 0.9}} if state.ended else None,
        )
        for place, state in enumerate(states)
    ]
    store.add_run(f"run {run_id}", store.project(), {}, jobs, run_id)


def advance_job(store: Store, job_id: str, stop: threading.Event) -> None:
    """Progress and one loss point a second, by the way that a worker takes."""
    step = 0
    with store.session() as session:
        job = session.get_one(t.Job, job_id)
    while not stop.wait(1.0):
        step += 1
        told = {"done": float(step % 1000), "total": 1000.0, "note": "training", "eta_seconds": 1000.0 - step % 1000}
        update_claimed(store, job, **told)
        with store.session() as session:
            session.add(t.MetricPoint(job_id=job_id, name="loss", step=step, value=2.0 / (1 + step / 100)))


@contextmanager
def web(home: Path) -> Iterator[tuple[str, psutil.Process, float]]:
    """(address, process, seconds until it answered)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.perf_counter()
    command = [sys.executable, "-m", "studio.webapp.launch", "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "SLMOPS_HOME": str(home)}, stdout=subprocess.DEVNULL
    )
    base = f"http://localhost:{port}"
    try:
        while True:
            try:
                httpx.get(f"{base}/api/health", timeout=1).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.02)
        yield base, psutil.Process(process.pid), time.perf_counter() - begun
    finally:
        process.terminate()
        process.wait(10)


def opened(browser: Browser, address: str) -> Page:
    page = browser.new_context(locale="en-GB", viewport={"width": 1360, "height": 900}).new_page()
    page.goto(address)
    page.get_by_role("heading", level=1).first.wait_for(timeout=30_000)
    return page


def first_paint(browser: Browser, base: str, rounds: int) -> list[float]:
    """Seconds from the address to the heading of Home, each with an empty cache."""
    found = []
    for _ in range(rounds):
        begun = time.perf_counter()
        page = opened(browser, base)
        found.append(time.perf_counter() - begun)
        page.context.close()
    return found


def switch(page: Page, title: str) -> float:
    """Milliseconds from the click in the menu to the heading of the page, measured in the browser."""
    link = page.locator(f'[data-testid="stSidebarNav"] a:has-text("{title}")').first
    link.wait_for()
    seconds = page.evaluate(
        """async ([title]) => {
          const links = [...document.querySelectorAll('[data-testid="stSidebarNav"] a')];
          const link = links.find(a => a.textContent.includes(title));
          const begun = performance.now();
          link.click();
          while (document.querySelector('h1')?.textContent !== title) await new Promise(r => requestAnimationFrame(r));
          return performance.now() - begun;
        }""",
        [title],
    )
    page.wait_for_selector(READY)
    return float(seconds)


def spread(values: list[float], digits: int = 0) -> dict[str, float]:
    ordered = sorted(values)
    at = min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))
    return {"n": len(values), "p50": round(statistics.median(values), digits), "p95": round(ordered[at], digits)}


def share(process: psutil.Process, seconds: float) -> float:
    """Percent of one core that the process takes for this time."""
    before, begun = process.cpu_times(), time.perf_counter()
    time.sleep(seconds)
    after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    return round(100 * used / (time.perf_counter() - begun), 1)


def measure(minutes: float, sessions: int) -> dict[str, Any]:
    home = Path(tempfile.mkdtemp(prefix="slmops-web-"))
    store = Store(Settings(home=home).prepare().store_url)
    stop = threading.Event()
    threading.Thread(target=advance_job, args=(store, fill(store), stop), daemon=True).start()
    found: dict[str, Any] = {}
    with web(home) as (base, process, ready), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        found["ready_s"] = round(ready, 2)
        found["first_paint_s"] = spread(first_paint(browser, base, 6), 2)
        page = opened(browser, base)
        found["rss_mb_start"] = round(process.memory_info().rss / 1e6)
        found["switch_ms"] = spread([switch(page, title) for _ in range(4) for title in PAGES])
        switch(page, "Jobs")
        found["jobs_page_cpu_percent"] = share(process, 30)
        others = [opened(browser, f"{base}/jobs") for _ in range(sessions - 1)]
        found[f"jobs_page_cpu_percent_{sessions}_sessions"] = share(process, 20)
        found[f"switch_ms_{sessions}_sessions"] = spread([switch(page, title) for title in PAGES])
        for other in others:
            other.context.close()
        begun, clicks, sizes = time.perf_counter(), 0, []
        while time.perf_counter() - begun < 60 * minutes:
            for title in PAGES:
                switch(page, title)
                clicks += 1
                page.wait_for_timeout(1000)  # as fast as a hurried person
            sizes.append(round(process.memory_info().rss / 1e6))
        found["clicking"] = {
            "minutes": minutes,
            "clicks": clicks,
            "rss_mb": [*sizes[:1], *sizes[-1:]],
            "most": max(sizes, default=0),
        }
        browser.close()
    stop.set()
    shutil.rmtree(home, ignore_errors=True)
    return found


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--minutes", type=float, default=60)
    asked.add_argument("--sessions", type=int, default=20)
    chosen = asked.parse_args()
    print(json.dumps(measure(chosen.minutes, chosen.sessions), indent=1))
