"""What keeps a process from outliving its parent or from running twice: parent-death signal, lease, file lock."""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EXIT_ORPHAN = 75
EXIT_REFUSED = 2
LEASE_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1


class LockBusy(Exception):
    """Somebody else holds the lock."""


def die_with_parent(parent: int, how: signal.Signals = signal.SIGKILL) -> None:
    """Ask the kernel (Linux) for the signal `how` when the process `parent` dies; leave at once when it is dead already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(how), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(EXIT_ORPHAN)


def watch_lease(fd: int, lease: float | None = LEASE_SECONDS) -> None:
    """Leave the process when `fd` ends (the worker died) or stays silent for `lease` seconds (the worker is stalled; None: it
    may be silent).

    A stage that holds the interpreter for long is not killed by mistake: the bytes wait in the pipe meanwhile.
    """
    while select.select([fd], [], [], lease)[0] and os.read(fd, 4096):
        continue
    os._exit(EXIT_ORPHAN)


@contextmanager
def file_lock(path: Path, wait: float) -> Iterator[None]:
    """Hold an exclusive lock on the file `path`; the kernel drops it when the process dies. Raises Busy after `wait` s."""
    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + wait
    with path.open("a") as stream:
        while not _locked(stream.fileno()):
            if time.monotonic() > until:
                raise LockBusy(str(path))
            time.sleep(0.05)
        yield


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
