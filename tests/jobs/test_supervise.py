"""The supervisor of web and worker, and a worker for the duration of a command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, cast

import psutil
import pytest

from backend.cli.run import watch
from backend.core.errors import StudioError
from backend.core.schemas import RunView, State
from backend.jobs import heartbeat, supervise
from backend.jobs.supervise import Command, ensure_worker
from backend.process.guards import file_lock
from tests.helpers import PATIENCE, until
from tests.jobs.harness import ROOT, WorkerHarness

if TYPE_CHECKING:
    from backend.api import Studio

pytestmark = pytest.mark.proc


def worker_command(harness: WorkerHarness) -> Command:
    argv = [sys.executable, "-m", "tests.jobs.fake_worker"]
    return Command("worker", argv, harness.settings.logs / "worker.log", {"SLMOPS_HOME": str(harness.settings.home)})


def test_a_worker_comes_and_goes_with_the_block(harness: WorkerHarness) -> None:
    run = harness.submit(harness.job("steps", "a"))
    with ensure_worker(harness.settings, worker_command(harness)):
        (worker,) = harness.service.workers()
        with ensure_worker(harness.settings, Command("worker", ["/nonexistent"])):
            assert harness.service.workers() == [worker.model_copy(update={"beat": harness.service.workers()[0].beat})]
        assert harness.finish(run).state is State.SUCCEEDED
    assert harness.service.workers() == []
    assert not psutil.pid_exists(worker.pid)


def test_a_worker_that_can_not_start_is_said(harness: WorkerHarness) -> None:
    argv = [sys.executable, "-c", "raise SystemExit('The moon is in the way.')"]
    command = Command("worker", argv, harness.settings.logs / "worker.log")
    with pytest.raises(StudioError, match="could not be started: The moon is in the way"):
        with ensure_worker(harness.settings, command):
            raise AssertionError("not reached")


def test_a_run_is_watched_to_its_end_whichever_worker_dies(harness: WorkerHarness) -> None:
    """First the worker of somebody else goes, then our own."""
    jobs = [harness.job("steps", "a"), harness.job("steps", "b", ["a"]), harness.job("steps", "c", ["b"])]
    run = harness.submit(*jobs)
    harness.start()
    shot: list[str] = []

    def shoot(seen: RunView) -> None:
        workers = harness.service.workers()
        for name in ("a", "b"):
            if harness.job_of(seen, name).state is State.SUCCEEDED and name not in shot and workers:
                os.kill(workers[0].pid, signal.SIGKILL)
                harness.processes[0].wait(PATIENCE)
                shot.append(name)
                break

    with ensure_worker(harness.settings, worker_command(harness)) as worker_supervisor:
        seen = watch(cast("Studio", harness.service), run.id, shoot, worker_supervisor)
    assert seen.state is State.SUCCEEDED
    assert shot == ["a", "b"]
    assert harness.service.workers() == []


def test_a_worker_that_is_refused_tries_again(harness: WorkerHarness) -> None:
    """Another worker holds the lock, gives no sign of life, and goes."""
    log = harness.settings.logs / "worker.log"

    def let_go_once_refused() -> None:
        until(lambda: log.exists() and "Another worker is running" in harness.worker_log())
        lock.close()

    with ExitStack() as lock, ThreadPoolExecutor(1) as other:
        lock.enter_context(file_lock(harness.settings.home / "worker.lock", 1.0))
        refused = other.submit(let_go_once_refused)
        with ensure_worker(harness.settings, worker_command(harness)):
            assert len(harness.service.workers()) == 1
            refused.result()


def test_our_own_worker_comes_only_for_queues_that_nobody_serves(harness: WorkerHarness, tmp_path: Path) -> None:
    heartbeat.register(harness.store, "host:0:light", ["light"])
    body = "import sys, time; open(sys.argv[1], 'w').close(); time.sleep(60)"
    command = Command("worker", [sys.executable, "-c", body, str(tmp_path / "here")])
    with ensure_worker(harness.settings, command) as worker_supervisor:
        assert worker_supervisor.check(["light"])
        time.sleep(0.3)
        assert not (tmp_path / "here").exists()
        assert not worker_supervisor.check(["light", "cpu"])
        until((tmp_path / "here").exists)


def test_a_worker_that_ends_again_and_again_is_said(harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "_MAX_RESTARTS", 2)
    argv = [sys.executable, "-c", "raise SystemExit('The moon is in the way.')"]
    heartbeat.register(harness.store, "host:0:other", ["cpu"])
    with ensure_worker(
        harness.settings, Command("worker", argv, harness.settings.logs / "worker.log")
    ) as worker_supervisor:
        heartbeat.unregister(harness.store, ["host:0:other"])
        with pytest.raises(StudioError, match="could not be started: The moon is in the way"):
            until(lambda: worker_supervisor.check(["cpu"]))
    assert harness.worker_log().count("The moon") == 2


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


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_what_dies_is_started_again_and_sigterm_stops_all(supervisor: subprocess.Popen[bytes], tmp_path: Path) -> None:
    until(lambda: pids(tmp_path, "one") and pids(tmp_path, "two"))
    os.kill(pids(tmp_path, "one")[0], signal.SIGKILL)
    until(lambda: len(pids(tmp_path, "one")) == 2)
    assert len(pids(tmp_path, "two")) == 1
    supervisor.terminate()
    assert supervisor.wait(PATIENCE) == 0
    assert all(gone(pid) for name in ("one", "two") for pid in pids(tmp_path, name))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_nothing_outlives_a_killed_supervisor(supervisor: subprocess.Popen[bytes], tmp_path: Path) -> None:
    until(lambda: pids(tmp_path, "one") and pids(tmp_path, "two"))
    supervisor.kill()
    supervisor.wait()
    until(lambda: all(gone(pids(tmp_path, name)[0]) for name in ("one", "two")))
