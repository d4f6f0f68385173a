"""No process outlives its parent, and no job runs twice, shown one guard at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from backend.process.guards import EXIT_ORPHAN, LockBusy, file_lock
from tests.helpers import PATIENCE, until
from tests.jobs.harness import ROOT

pytestmark = pytest.mark.proc

_LEASE = "import os; from backend.process.guards import watch_lease; watch_lease(0, 2.0)"


def _watcher() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _LEASE], stdin=subprocess.PIPE, cwd=ROOT)


def test_a_lease_that_is_not_renewed_ends_the_process() -> None:
    process = _watcher()
    assert process.stdin is not None
    for _ in range(5):
        process.stdin.write(b"\n")
        process.stdin.flush()
        time.sleep(0.5)
    assert process.poll() is None
    assert process.wait(PATIENCE) == EXIT_ORPHAN


def test_the_end_of_stdin_ends_the_process() -> None:
    process = _watcher()
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(PATIENCE) == EXIT_ORPHAN


def test_a_lock_admits_one_and_goes_with_its_process(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from backend.process.guards import file_lock\n"
        "with file_lock(Path(sys.argv[1]), 0): print('held', flush=True); time.sleep(60)"
    )
    argv = [sys.executable, "-c", code, str(tmp_path / "lock")]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None and process.stdout.readline() == b"held\n"
    with pytest.raises(LockBusy), file_lock(tmp_path / "lock", 0.1):
        pass
    process.kill()
    with file_lock(tmp_path / "lock", PATIENCE):
        process.wait()


def test_peak_memory_counts_what_is_gone_again() -> None:
    code = (
        "from backend.process.memory import peak_memory\n"
        "before = peak_memory()\n"
        "block = bytearray(80 * 2**20)\n"
        "block[::4096] = b'x' * len(block[::4096])\n"
        "del block\n"
        "print(peak_memory() - before)"
    )  # in a process of its own: what others needed before may be the peak already
    grown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert int(grown) > 40 * 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_a_tethered_program_ends_when_its_caller_is_killed() -> None:
    code = (
        "import os, subprocess, sys, time\n"
        "tether = [sys.executable, '-m', 'backend.process.parent_death', str(os.getpid()), sys.executable]\n"
        "print(subprocess.Popen([*tether, '-c', 'import time; time.sleep(60)']).pid, flush=True); time.sleep(60)"
    )
    caller = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT)
    assert caller.stdout is not None
    program = psutil.Process(int(caller.stdout.readline()))
    until(lambda: "backend.process.parent_death" not in program.cmdline())
    os.kill(caller.pid, signal.SIGKILL)
    caller.wait()
    until(lambda: not program.is_running() or program.status() == psutil.STATUS_ZOMBIE)


def test_the_private_call_of_dbos_that_recovery_needs_is_there() -> None:
    import inspect

    from dbos import DBOS

    assert list(inspect.signature(DBOS._recover_pending_workflows).parameters) == ["executor_ids"]
