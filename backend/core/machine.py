"""This machine: memory, cores, free disk, and how fast it multiplies matrices next to the reference machine."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from backend.core.artifacts import write_json

REFERENCE_GFLOPS = 190.0
"""float32 matrix product on the 2 cores that every constant in the stages' quotes was measured on."""


SPEED_CACHE_SECONDS = 600
_QUIET_SHARE = 0.6
"""Of what the cores would do one by one: all together do less on a busy machine only."""


def memory_bytes() -> int:
    """Memory that a process may hope for: the machine's, or the limit of its control group when that is smaller."""
    total = psutil.virtual_memory().total
    limit = Path("/sys/fs/cgroup/memory.max")
    try:
        text = limit.read_text().strip()
    except OSError:
        return total
    return min(total, int(text)) if text.isdigit() else total


def available_bytes() -> int:
    """Memory that is free now, with what the system can give back, and no more than the control group leaves."""
    free = psutil.virtual_memory().available
    group = Path("/sys/fs/cgroup")
    try:
        limit, used = (int((group / name).read_text()) for name in ("memory.max", "memory.current"))
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no control group, or one without a limit
        return free
    return min(free, limit - used + int(stat["inactive_file"]))


def free_disk_bytes(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def physical_cores() -> int:
    """Cores that this process may use, two threads of one counted once: as many as multiply matrices without waiting for each
    other. Where the system does not tell (Linux does): no more than the whole machine has."""
    if hasattr(os, "sched_getaffinity"):
        twins = Path("/sys/devices/system/cpu")
        try:
            return len(
                {(twins / f"cpu{at}/topology/thread_siblings_list").read_text() for at in os.sched_getaffinity(0)}
            )
        except OSError:
            pass
    return min(cores(), psutil.cpu_count(logical=False) or cores())


def speed(home: Path) -> float:
    """1.0 is as fast as the reference. Measured (a tenth of a second) at most every ten minutes; the best value for this
    number of cores is kept in `home`, since a busy moment makes a machine look slow."""
    file = home / "machine.json"
    known: dict[str, float] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    best = known.get("gflops", 0.0) if known.get("cores") == cores() else 0.0
    if best and time.time() - file.stat().st_mtime < SPEED_CACHE_SECONDS:
        return best / REFERENCE_GFLOPS
    gflops = max(best, round(measure_gflops(), 1))
    if home.is_dir():
        write_json(file, {"cores": cores(), "gflops": gflops})
    return gflops / REFERENCE_GFLOPS


def measure_gflops(size: int = 1024, rounds: int = 6) -> float:
    """float32 products of two `size` x `size` matrices on all cores, in 10^9 operations a second: by the clock where the
    machine is quiet. Beside other work, when threads wait for cores, what one core does in its own CPU time, times the cores:
    with 10 busy processes on 2 cores 92 x 2, and 2 by the clock."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    left = np.random.default_rng(0).random((size, size), dtype=np.float32)

    def best(clock: Callable[[], float]) -> float:
        spent = []
        for _ in range(rounds):
            begun = clock()
            left @ left
            spent.append(clock() - begun)
        return 2 * size**3 / max(min(spent), 1e-9) / 1e9

    every = best(time.perf_counter)
    with threadpool_limits(1):
        alone = best(time.thread_time) * physical_cores()
    return every if every > _QUIET_SHARE * alone else alone
