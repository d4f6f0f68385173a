"""Bounds of a process that opens what came from outside: memory, time and what it writes."""

from __future__ import annotations

import resource
from contextlib import suppress

EXIT_MEMORY = 77


def limit(memory: int, cpu_seconds: int, written: int) -> None:
    """Bound this process: address space and size of a written file in bytes, seconds of CPU, no core file. Where a system
    knows a limit not, it is left out."""
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_FSIZE: written,
    }
    for what, most in wanted.items():
        with suppress(ValueError, OSError):
            _, hard = resource.getrlimit(what)
            bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(what, (bound, bound))
