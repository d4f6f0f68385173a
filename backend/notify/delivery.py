"""Which ends of runs are to be told to whom, and the sending with its retries. The table `notice` is the truth: a message is
claimed before it is sent, so that of several workers one sends it."""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Callable
from datetime import timedelta

from backend.core.errors import Problem, StudioError
from backend.core.paths import ROOT
from backend.core.programs import Programs, command
from backend.core.schemas import RunView
from backend.db import Store
from backend.db import tables as t
from backend.db.notices import DueNotice
from backend.db.projects import DEFAULT_PROJECT
from backend.notify import targets
from backend.notify.targets import NotifyConfig, Target
from backend.process.parent_death import parent_bound_command

Send = Callable[[str, str, str], None]
WAITS = (10, 60, 300, 1800)
"""Seconds before the second try and those that follow; after the last nobody tries again."""
SEND_SECONDS = 60
_LEASE = timedelta(seconds=2 * SEND_SECONDS)
_LOOK_BACK = 50
"""Ends of runs that are looked at: more do not come between two looks."""
log = logging.getLogger(__name__)


def send(url: str, title: str, body: str) -> None:
    """In a child process, within a minute. Raises StudioError."""
    asked = json.dumps({"url": url, "title": title, "body": body})
    argv = [*parent_bound_command(), *command(Programs.NOTIFY)]
    try:
        done = subprocess.run(argv, input=asked, capture_output=True, text=True, timeout=SEND_SECONDS, cwd=ROOT)
    except subprocess.TimeoutExpired:
        raise StudioError("notify.silent", seconds=SEND_SECONDS) from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise StudioError("notify.refused", reason=f"exit code {done.returncode}") from None
    if not answer["sent"]:
        raise StudioError(
            answer["code"], **({"reason": answer["reason"]} if answer["code"] == "notify.refused" else {})
        )


class Delivery:
    """`deliver` it every few seconds; one that finds nothing to do costs a query or two."""

    def __init__(self, store: Store, send: Send = send) -> None:
        self._store = store
        self._send = send
        self._seen: object = None

    def deliver(self) -> None:
        """Note what has ended, and send what is due. Failures are logged and tried again."""
        known = self._store.changes()
        seen = (known.get("job"), known.get("setting"))
        if seen != self._seen:
            self._note(targets.load(self._store))
            self._seen = seen
        for notice in self._store.due_notices():
            if self._store.claim_notice(notice, t.now() + _LEASE):
                self._one(notice)

    def _note(self, config: NotifyConfig) -> None:
        if not config.targets:
            return
        ended = self._store.ended_runs(min(target.since for target in config.targets), limit=_LOOK_BACK)
        for run in ended:
            if run.ended is None or targets.event_of(run.state) not in config.events:
                continue
            for target in config.targets:
                if run.ended > target.since:
                    self._store.add_notice(run.id, run.ended, target.name)

    def _one(self, notice: DueNotice) -> None:
        try:
            config = targets.load(self._store)
            run = self._store.run(notice.run_id)
            target = config.target(notice.target)
        except StudioError:  # the run or the target has been removed
            self._store.settle_notice(notice, None)
            return
        try:
            self._send(targets.address(target), *message(config, run, self._project(run)))
        except StudioError as error:
            self._failed(notice, run, target, error.problems[0])
        else:
            self._store.settle_notice(notice, None)
            self._log(run, f"Notification sent to “{target.name}”.")

    def _failed(self, notice: DueNotice, run: RunView, target: Target, problem: Problem) -> None:
        wait = WAITS[notice.tries] if notice.tries < len(WAITS) else None
        next_try = f"Next try in {wait} s." if wait else "No further tries."
        self._store.settle_notice(notice, t.now() + timedelta(seconds=wait) if wait else None)
        self._log(run, f"Notification to “{target.name}” failed. {problem.sentence()} {next_try}", "warning")

    def _log(self, run: RunView, text: str, level: str = "info") -> None:
        if level == "warning":
            log.warning("run %s: %s", run.id, text)
        self._store.add_logs(run.jobs[-1].id, [(level, text)])

    def _project(self, run: RunView) -> str:
        return next((each.name for each in self._store.projects() if each.id == run.project), "")


def message(config: NotifyConfig, run: RunView, project: str) -> tuple[str, str]:
    """(title, body). Names, state and time: nothing of the data, and no error's text."""
    words = config.words
    named = words.stages.get(run.name, run.name)
    shown = words.first_project if project == DEFAULT_PROJECT else project
    seconds = sum(job.seconds or 0.0 for job in run.jobs)
    title = words.titles[targets.event_of(run.state) or "succeeded"].format(run=named)
    return title, words.body.format(project=shown, time=_clock(seconds))


def send_test(store: Store, target: Target, send: Send = send) -> None:
    """Send one now. Raises StudioError."""
    words = targets.load(store).words
    send(targets.address(target), words.test_title, words.test_body)


def _clock(seconds: float) -> str:
    """`75` -> `1:15`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
