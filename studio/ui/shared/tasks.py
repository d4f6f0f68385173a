"""Work that is too long for a page script and too short for a job: one thread a key, shared by all sessions.

A page starts it in a callback and looks at it while it draws; closing the browser does not stop it. What must survive the
web process belongs into the queue instead.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import streamlit as st

from backend.core.errors import StudioError
from studio.ui.shared.i18n import _

THREAD = "background work"


class Task:
    """`done` turns true once, at `ended` (as `started` in seconds of the monotonic clock); then `error`, `bug` (a failure
    that nobody expected) or `result` is set. `models`: names of built-in models that it may have to prepare."""

    def __init__(self, work: Callable[[], Any], models: Iterable[str] = ()) -> None:
        self._work = work
        self.models = tuple(models)
        self.started = time.monotonic()
        self.ended: float | None = None
        self.done = False
        self.error: StudioError | None = None
        self.result: Any = None
        self.bug: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True, name=THREAD)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Whether it is done, after at most so long."""
        self._thread.join(seconds)
        return self.done

    def get(self) -> Any:
        """The result. Raises what the work raised."""
        if self.bug or self.error:
            raise self.bug or self.error  # type: ignore[misc]
        return self.result

    def _run(self) -> None:
        try:
            self.result = self._work()
        except StudioError as error:
            self.error = error
        except BaseException as error:  # shown by whoever looks at the task
            self.bug = error
            logging.getLogger(__name__).exception("Work in the background failed")
        finally:
            self.ended = time.monotonic()
            self.done = True


@st.cache_resource(show_spinner=False)
def _tasks() -> dict[str, Task]:
    return {}


_lock = threading.Lock()


def background(key: str, work: Callable[[], Any], models: Iterable[str] = ()) -> Task:
    """The task of this key: the one that is there, else a new thread that does `work`."""
    tasks = _tasks()
    with _lock:
        if key not in tasks:
            tasks[key] = Task(work, models)
        return tasks[key]


def at_work(keys: Iterable[str]) -> bool:
    """Whether any of them goes on."""
    return any(going is not None and not going.done for going in map(task, keys))


def signature(keys: Iterable[str]) -> tuple[object, ...]:
    """What a page shows of them: it changes when one begins or ends."""
    found = ((key, task(key)) for key in keys)
    return tuple((key, going is not None, going is not None and going.done) for key, going in found)


def task(key: str) -> Task | None:
    return _tasks().get(key)


def drop(key: str) -> None:
    """Forget a finished task, so that its key can be used again."""
    with _lock:
        found = _tasks().get(key)
        if found and found.done:
            del _tasks()[key]


def failure(work: Task | None) -> str:
    """What went wrong, in the user's language; empty while it is at work and when it went well."""
    if work is None or not work.done:
        return ""
    if work.error:
        return "\n\n".join(problem.sentence(_) for problem in work.error.problems)
    return _("Unexpected error: {reason}").format(reason=repr(work.bug)) if work.bug else ""
