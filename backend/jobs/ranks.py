"""A training in several processes: the child of a job is the first rank; it starts the others, which run the same stage and say
nothing, and watches over them.

They find each other by the variables that torch.distributed reads, as torchrun sets them. One end of all: the others die with
the first, and where one of them ends before its time the job ends with a sentence.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from backend.core.artifacts import write_json
from backend.core.errors import StudioError
from backend.core.machine import physical_cores
from backend.core.programs import command
from backend.core.schemas import JobError
from backend.jobs.context import Access, JobSpec
from backend.process.explain import explain, of_problem

RANK = "RANK"
_POLL_SECONDS = 0.2


def rank() -> int:
    """Of this process; 0 where there is no other."""
    return int(os.environ.get(RANK, "0"))


@contextmanager
def followers(order: JobSpec, access: Access, fail: Callable[[JobError], None]) -> Iterator[Followers | None]:
    """The other ranks, for as long as the stage runs here. `fail` is called, from a thread, for one that died; it must end
    this process. None where the job has one process, or where this is one of the others."""
    if order.processes < 2 or rank():
        yield None
        return
    found = Followers(order, access)
    threading.Thread(target=found.watch, args=(fail,), daemon=True).start()
    try:
        yield found
    finally:
        found.close()


class Followers:
    """The processes of the ranks from 1 on."""

    def __init__(self, order: JobSpec, access: Access) -> None:
        self._order = order
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        threads = os.environ.get("OMP_NUM_THREADS", str(max(1, physical_cores() // order.processes)))
        shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": threads}
        size = str(order.processes)
        shared |= {"WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size}
        self._closed = False
        self._processes = [self._start(number, shared, access) for number in range(1, order.processes)]
        os.environ.update({**shared, RANK: "0", "LOCAL_RANK": "0"})

    def _start(self, number: int, shared: dict[str, str], access: Access) -> subprocess.Popen[bytes]:
        (self._order.dir / _error_file(number)).unlink(missing_ok=True)
        spec = sys.modules["__main__"].__spec__
        assert spec is not None
        process = subprocess.Popen(
            command(spec.name, os.getpid()),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={**os.environ, **shared, RANK: str(number), "LOCAL_RANK": str(number)},
        )
        assert process.stdin is not None
        lines = (self._order.model_dump_json(), access.model_dump_json(), "")
        process.stdin.write("\n".join(lines).encode())
        process.stdin.flush()
        return process

    def watch(self, fail: Callable[[JobError], None]) -> None:
        while not self._closed:
            if said := self.failure():
                fail(said)
                return
            time.sleep(_POLL_SECONDS)

    def failure(self, wait: float = 0.0) -> JobError | None:
        """Why one of them ended before its time; None while all run or ended well. Waits so many seconds for one to end."""
        until = time.monotonic() + wait
        while True:
            for number, process in enumerate(self._processes, 1):
                if process.poll():
                    return self._told(number, process.returncode)
            if time.monotonic() >= until:
                return None
            time.sleep(0.05)

    def _told(self, number: int, code: int) -> JobError:
        """Its own words, or how it ended."""
        with suppress(OSError, ValueError):
            return JobError.model_validate(json.loads((self._order.dir / _error_file(number)).read_text("utf-8")))
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        args = {"rank": number + 1, "ranks": self._order.processes, "signal": how}
        return of_problem(StudioError("train.rank_died", **args).problems[0])

    def close(self) -> None:
        self._closed = True
        for process in self._processes:
            process.kill()
            process.wait()


def tell_failure(error: BaseException, order: JobSpec) -> None:
    """Of a rank that can't report: leave its words where the first one finds them."""
    write_json(order.dir / _error_file(rank()), explain(error, order.artifacts.parent).model_dump(mode="json"))


def _error_file(number: int) -> str:
    return f"rank-{number}.json"
