"""Bounds of a process that opens what came from outside: memory, time and what it writes."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

EXIT_MEMORY = 77
_KILL_AFTER = 5


def limit(memory: int, cpu_seconds: int, written: int) -> None:
    """Bound this process: address space and size of a written file in bytes, seconds of CPU, no core file. Where a system
    knows a limit not, it is left out."""
    wanted = {
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_AS: (memory, memory),
        # At the soft limit comes SIGXCPU, at the hard one SIGKILL, which would look like too little memory.
        resource.RLIMIT_CPU: (cpu_seconds, cpu_seconds + _KILL_AFTER),
        resource.RLIMIT_FSIZE: (written, written),
    }
    for what, most in wanted.items():
        with suppress(ValueError, OSError):
            _, hard = resource.getrlimit(what)
            soft, last = (each if hard == resource.RLIM_INFINITY else min(each, hard) for each in most)
            resource.setrlimit(what, (soft, last))


@contextmanager
def within_cpu(seconds: float) -> Iterator[None]:
    """Raises TimeoutError in the main thread when its block has used so many seconds of CPU. Nothing stops a
    call of C code before it returns. Where a system has no such timer, the block is not bounded."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGPROF, _too_long)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _too_long(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError
