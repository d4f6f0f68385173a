"""One stage in a process of its own: `python -m backend.jobs.child <pid of the worker>`.

Reads its job spec as the first line of stdin (the bytes after it are the worker's lease), reports JSON lines on what was
stdout, and sends everything that libraries print to the job's log. Here is where torch lives and dies.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from backend.core.artifacts import write_json
from backend.core.errors import Cancelled, StudioError
from backend.core.stage import AnyStage
from backend.jobs.context import JobSpec, StageContext
from backend.process.explain import explain, of_problem, sentence
from backend.process.guards import LockBusy, die_with_parent, file_lock, watch_lease
from backend.process.memory import peak_memory
from backend.stages import stage

DONE = "done.json"
OUT = "out"
_LOG_LIMIT = 8000
_LOCK_TIMEOUT = 8.0


class EventChannel:
    """The way back to the worker. Takes over the descriptor of stdout, so that no library can print into it."""

    def __init__(self) -> None:
        self._stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
        self._lock = threading.Lock()
        self.artifacts: list[dict[str, Any]] = []
        os.dup2(2, 1)

    def send(self, event: dict[str, Any]) -> None:
        if event["event"] == "artifact":
            self.artifacts.append(event)
        if event["event"] == "log":
            event = {**event, "text": event["text"][:_LOG_LIMIT]}
        with self._lock:
            self._stream.write(json.dumps(event, default=str) + "\n")
            self._stream.flush()


def main(find: Callable[[str], AnyStage] = stage) -> None:
    """Run the stage that stdin orders; `find` looks a stage up by name. Never returns."""
    cancelled = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: cancelled.set())
    die_with_parent(int(sys.argv[1]))
    channel = EventChannel()
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        os._exit(1)
    order = JobSpec.model_validate_json(line)
    threading.Thread(target=watch_lease, args=(0,), daemon=True).start()
    channel.send(_run_safely(order, channel, cancelled, find))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # leaves out the teardown of native libraries, which may hang or crash after the work is done


def _run_safely(
    order: JobSpec, channel: EventChannel, cancelled: threading.Event, find: Callable[[str], AnyStage]
) -> dict[str, Any]:
    """Do the work; whatever happens becomes the last event."""
    try:
        with file_lock(order.dir / "lock", _LOCK_TIMEOUT):
            return _run_stage(order, channel, cancelled, find)
    except Cancelled:
        return {"event": "cancelled", "peak": peak_memory()}
    except LockBusy:
        return _failure(StudioError("jobs.still_running"), order, channel)
    except BaseException as error:
        return _failure(error, order, channel)


def _run_stage(
    order: JobSpec, channel: EventChannel, cancelled: threading.Event, find: Callable[[str], AnyStage]
) -> dict[str, Any]:
    found = find(order.stage)
    ctx = StageContext(order, channel.send, cancelled.is_set)
    result = found.run(found.parse(order.params), ctx)
    event = {"event": "result", "result": result.model_dump(mode="json"), "peak": peak_memory()}
    # A worker that dies before it has recorded this finds the file and does not run the stage again.
    write_json(order.dir / DONE, {**event, "artifacts": channel.artifacts})
    return event


def _failure(error: BaseException, order: JobSpec, channel: EventChannel) -> dict[str, Any]:
    told = explain(error, order.artifacts.parent)
    if told.code == "core.disk_full":
        shutil.rmtree(order.dir / OUT, ignore_errors=True)  # the studio needs a little room to write down the failure
    if isinstance(error, StudioError):
        for problem in error.problems[1:]:
            channel.send({"event": "log", "level": "error", "text": sentence(of_problem(problem))})
    else:
        trace = "".join(traceback.format_exception(error))
        channel.send({"event": "log", "level": "error", "text": trace[-_LOG_LIMIT:]})
    return {"event": "error", "error": told.model_dump(), "peak": peak_memory()}


if __name__ == "__main__":
    main()
