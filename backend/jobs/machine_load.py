"""How much of the machine other work took while a job ran: what a quote may not learn from."""

from __future__ import annotations

import time
from contextlib import suppress

import psutil


class MachineLoad:
    """`sample` it every few seconds with the id of the job's process."""

    def __init__(self) -> None:
        self._last: tuple[float, float, float] | None = None
        self._others = 0.0
        self._span = 0.0

    def sample(self, pid: int) -> None:
        """Nothing when the process has gone."""
        with suppress(psutil.Error):
            now = (time.monotonic(), _busy_seconds(), _tree_seconds(pid))
            if self._last:
                span, busy, own = (new - old for new, old in zip(now, self._last, strict=True))
                self._others += max(0.0, busy - max(0.0, own))
                self._span += span
            self._last = now

    @property
    def others_share(self) -> float | None:
        """Of all cores, 0 to 1; None before the second sample."""
        return min(1.0, self._others / self._span / (psutil.cpu_count() or 1)) if self._span else None


def _busy_seconds() -> float:
    """CPU seconds of all cores since the machine started. Time that a host took from this machine counts as busy."""
    times = psutil.cpu_times()
    return float(sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal")))


def _tree_seconds(pid: int) -> float:
    """CPU seconds of a process with all its children, those that have ended too. Raises psutil.Error."""
    root = psutil.Process(pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.Error):
            total += sum(process.cpu_times()[:4])
    return total
