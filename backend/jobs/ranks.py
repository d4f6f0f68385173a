"""A training in several processes: the child of a job is the first rank; it starts the others, which run the same stage and
report nothing but their failure, and watches over them.

They are told each other by the variables of torchrun. All end together: the others die with the first, and where one of them
ends before its time the job ends with what it said, or with how it ended.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from backend.core.cards import VISIBLE
from backend.core.errors import Cancelled, StudioError
from backend.core.machine import physical_cores
from backend.core.programs import command
from backend.jobs.context import Access, JobSpec
from backend.process.explain import of_problem
from backend.training.processes import MEETING, RANK, WORLD_SIZE

_POLL_SECONDS = 0.2
_DEATH_SECONDS = 1.0
"""In which a rank ends whose end another has noticed."""
Events = list[dict[str, Any]]


def variables(number: int, ranks: int) -> dict[str, str]:
    """What tells a process that it is one of several. Each sees its own card alone, so it is the first of its device, as if the
    others were on other machines."""
    found = {RANK: str(number), WORLD_SIZE: str(ranks), "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"}
    found["MASTER_ADDR"] = "127.0.0.1"  # accelerate asks for it; nobody listens there, a file is their meeting point
    found["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS", str(max(1, physical_cores() // ranks)))
    if sys.platform == "linux":
        found["GLOO_SOCKET_IFNAME"] = "lo"
    cards = os.environ.get(VISIBLE, "").split(",")
    return found | ({VISIBLE: cards[number]} if len(cards) == ranks else {})


@contextmanager
def followers(order: JobSpec, access: Access, fail: Callable[[Events], None]) -> Iterator[None]:
    """The other ranks, for as long as the stage runs here. `fail` gets the last reports of one that failed, perhaps in another
    thread; it must end this process."""
    if order.processes == 1:
        yield
        return
    others = _Followers(order, access)
    threading.Thread(target=others.watch, args=(fail,), daemon=True).start()
    try:
        yield
    except Cancelled:
        raise
    except Exception:
        if said := others.failure(_DEATH_SECONDS):  # the reason why the first could not go on
            fail(said)
        raise
    finally:
        others.close()


class _Followers:
    """The processes of the ranks from 1 on."""

    def __init__(self, order: JobSpec, access: Access) -> None:
        self._ranks = order.processes
        self._closed = False
        (order.dir / MEETING).unlink(missing_ok=True)
        told = "\n".join((order.model_dump_json(), access.model_dump_json(), "")).encode()
        self._processes = [self._start(number, told) for number in range(1, self._ranks)]
        os.environ.update(variables(0, self._ranks))

    def _start(self, number: int, told: bytes) -> subprocess.Popen[bytes]:
        spec = sys.modules["__main__"].__spec__
        assert spec is not None
        process = subprocess.Popen(
            command(spec.name, os.getpid()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | variables(number, self._ranks),
        )
        assert process.stdin is not None
        process.stdin.write(told)
        process.stdin.flush()
        return process

    def watch(self, fail: Callable[[Events], None]) -> None:
        while not self._closed:
            said = self.failure()
            if said and not self._closed:
                fail(said)
            time.sleep(_POLL_SECONDS)

    def failure(self, wait: float = 0.0) -> Events:
        """The last reports of one that ended before its time; none while all run or ended well. Waits so many seconds for one
        to end."""
        until = time.monotonic() + wait
        while True:
            for number, process in enumerate(self._processes, 1):
                if process.poll():
                    return self._said(number, process)
            if time.monotonic() >= until:
                return []
            time.sleep(0.05)

    def _said(self, number: int, process: subprocess.Popen[bytes]) -> Events:
        """Its own words, or how it ended."""
        assert process.stdout is not None
        found = [json.loads(line) for line in process.stdout.read().splitlines()]
        if not found:
            code = process.returncode
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            died = StudioError("train.rank_died", rank=number + 1, ranks=self._ranks, signal=how).problems[0]
            found = [{"event": "error", "error": of_problem(died).model_dump(), "peak": None}]
        return found

    def close(self) -> None:
        self._closed = True
        for process in self._processes:
            process.kill()
            process.wait()
