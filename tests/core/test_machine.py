"""How fast this machine is: measured, kept in the home, and measured again when it may have changed."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from backend.core import machine
from backend.core.machine import REFERENCE_GFLOPS, SPEED_CACHE_SECONDS, measure_gflops, speed


def test_products_are_measured() -> None:
    assert 0.1 < measure_gflops(size=64, rounds=2) < 1e6


def test_waiting_for_a_core_is_not_slowness(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that runs a thousand times as fast as the CPU time is a machine whose cores others have."""
    real = time.thread_time
    monkeypatch.setattr(time, "perf_counter", lambda: 1000 * real())
    busy = measure_gflops(size=512, rounds=3)
    monkeypatch.setattr(time, "perf_counter", lambda: real() / machine.physical_cores())
    quiet = measure_gflops(size=512, rounds=3)
    assert 0.2 < busy / quiet < 5


def test_the_best_value_of_these_cores_is_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = iter((100.0, 50.0, 20.0))
    monkeypatch.setattr(machine, "measure_gflops", lambda: next(measured))
    home.mkdir()
    first = 100 / REFERENCE_GFLOPS
    assert speed(home) == speed(home) == first, "one measurement serves for a while"
    file = home / "machine.json"
    old = file.stat().st_mtime - SPEED_CACHE_SECONDS - 1
    os.utime(file, (old, old))
    assert speed(home) == first, "a busy moment does not make the machine slow"
    file.write_text(json.dumps({"cores": machine.cores() + 1, "gflops": 100.0}), "utf-8")
    assert speed(home) == 20 / REFERENCE_GFLOPS
