"""The memory that this process and others hold."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import psutil


def peak_memory() -> int:
    """The most memory that this process ever held, in bytes."""
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage if sys.platform == "darwin" else usage * 1024


def current_memory() -> int:
    """The memory that this process holds now, in bytes; where the system does not say (not Linux), the most it ever held."""
    try:
        resident = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return peak_memory()
    return resident * resource.getpagesize()


def peak_memory_of(pid: int) -> int:
    """The most memory that a process and those below it ever held, each at its own peak, in bytes; where the system does not
    say (not Linux), what they hold now. 0 for a process that is gone."""
    try:
        top = psutil.Process(pid)
        return sum(_peak_of(each) for each in (top, *top.children(recursive=True)))
    except psutil.Error:
        return 0


def _peak_of(process: psutil.Process) -> int:
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    high = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
    return high or int(process.memory_info().rss)
