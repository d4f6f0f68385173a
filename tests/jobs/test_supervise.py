"""The supervisor of web and worker, and a worker for the duration of a command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from backend.errors import StudioError
from backend.jobs.supervise import Command, ensure_worker
from backend.schemas import State
from tests.jobs.farm import ROOT, Farm

pytestmark = pytest.mark.proc


def worker_command(farm: Farm) -> Command:
    argv = [sys.executable, "-m", "tests.jobs.fake_worker"]
    return Command("worker", argv, farm.settings.logs / "worker.log", {"SLMOPS_HOME": str(farm.settings.home)})


def test_a_worker_comes_and_goes_with_the_block(farm: Farm) -> None:
    run = farm.submit(farm.job("steps", "a"))
    with ensure_worker(farm.settings, worker_command(farm)):
        (worker,) = farm.service.workers()
        with ensure_worker(farm.settings, Command("worker", ["/nonexistent"])):
            assert farm.service.workers() == [worker.model_copy(update={"beat": farm.service.workers()[0].beat})]
        assert farm.finish(run).state is State.SUCCEEDED
    assert farm.service.workers() == []
    assert not psutil.pid_exists(worker.pid)


def test_a_worker_that_can_not_start_is_said(farm: Farm) -> None:
    argv = [sys.executable, "-c", "raise SystemExit('The moon is in the way.')"]
    command = Command("worker", argv, farm.settings.logs / "worker.log")
    with pytest.raises(StudioError, match="could not be started: The moon is in the way"):
        with ensure_worker(farm.settings, command):
            raise AssertionError("not reached")


@pytest.fixture
def supervisor(tmp_path: Path) -> subprocess.Popen[bytes]:
    """keep_alive over two sleepers, each of which writes its pid to a file of its own."""
    body = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(60)"
    code = (
        "import sys; from backend.jobs.supervise import Command, keep_alive\n"
        f"argv = lambda name: [sys.executable, '-c', {body!r}, {str(tmp_path)!r} + '/' + name]\n"
        "keep_alive([Command('one', argv('one')), Command('two', argv('two'))])"
    )
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)


def pids(tmp_path: Path, name: str) -> list[int]:
    file = tmp_path / name
    return [int(line) for line in file.read_text().splitlines()] if file.exists() else []


def wait(condition: Callable[[], object], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.03)


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_what_dies_is_started_again_and_sigterm_stops_all(supervisor: subprocess.Popen[bytes], tmp_path: Path) -> None:
    wait(lambda: pids(tmp_path, "one") and pids(tmp_path, "two"))
    os.kill(pids(tmp_path, "one")[0], signal.SIGKILL)
    wait(lambda: len(pids(tmp_path, "one")) == 2)
    assert len(pids(tmp_path, "two")) == 1
    supervisor.terminate()
    assert supervisor.wait(8) == 0
    assert all(gone(pid) for name in ("one", "two") for pid in pids(tmp_path, name))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_nothing_outlives_a_killed_supervisor(supervisor: subprocess.Popen[bytes], tmp_path: Path) -> None:
    wait(lambda: pids(tmp_path, "one") and pids(tmp_path, "two"))
    supervisor.kill()
    supervisor.wait()
    wait(lambda: all(gone(pids(tmp_path, name)[0]) for name in ("one", "two")), 3)
