"""What has ended since somebody looked, and who is told elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from backend.core.errors import StudioError
from backend.core.schemas import JobView, RunView, State
from backend.db import Store
from backend.db import tables as t
from backend.notify import delivery, targets
from backend.notify.targets import EVENTS, Event, NotifyConfig, Target, Words

__all__ = ["EVENTS", "Event", "News", "Notifications", "NotifyConfig", "Target", "Words"]

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHOWN = 20
_BELL = (State.SUCCEEDED, State.FINDINGS, State.FAILED)


@dataclass(frozen=True)
class News:
    """Runs of a project that ended, the last first, up to twenty; those that ended after `seen` are `unread`. A run that
    somebody cancelled is no news."""

    runs: list[RunView]
    seen: datetime

    @property
    def unread(self) -> list[RunView]:
        return [run for run in self.runs if run.ended and run.ended > self.seen]


class Notifications:
    def __init__(self, store: Store) -> None:
        self._store = store

    # the bell

    def news(self, project: str) -> News:
        """`project` is an id. Who looks at a project for the first time has seen what was there."""
        seen = self._store.setting(_seen_key(project))
        if seen is None:
            return News([], self.mark_read(project))
        moment = datetime.fromisoformat(seen)
        ended = self._store.ended_runs(moment, project, _SHOWN)
        return News([run for run in ended if run.state in _BELL], moment)

    def mark_read(self, project: str) -> datetime:
        """From now on."""
        moment = t.now()
        self._store.set_setting(_seen_key(project), moment.isoformat())
        return moment

    # who is told elsewhere

    def config(self) -> NotifyConfig:
        return targets.load(self._store)

    def set_events(self, events: list[Event], words: Words) -> None:
        """Of which ends the targets are told, in these words."""
        targets.save(self._store, self.config().model_copy(update={"events": events, "words": words}))

    @staticmethod
    def keyring_there() -> bool:
        """Whether an address can be kept in the keyring of this machine."""
        return targets.keyring_there()

    def add_variable(self, name: str, variable: str, words: Words) -> None:
        """A target whose address is in an environment variable. Raises StudioError."""
        if not _VARIABLE.fullmatch(variable):
            raise StudioError("notify.variable_name", name=variable)
        self._add(Target(name=self._checked(name), place="variable", entry=variable, since=t.now()), words)

    def add_address(self, name: str, url: str, words: Words) -> None:
        """A target whose address goes into the keyring, and nowhere else. Raises StudioError."""
        if "://" not in url:
            raise StudioError("notify.address_bad")
        if not targets.keyring_there():
            raise StudioError("notify.no_keyring")
        target = Target(name=self._checked(name), place="keyring", entry=f"notify-{uuid4().hex[:8]}", since=t.now())
        targets.keep_address(target.entry, url)
        self._add(target, words)

    def remove(self, name: str) -> None:
        config = self.config()
        targets.forget_address(config.target(name))
        kept = [target for target in config.targets if target.name != name]
        targets.save(self._store, config.model_copy(update={"targets": kept}))

    def test(self, name: str) -> None:
        """Send a message to this target now; it takes seconds. Raises StudioError with the reason."""
        delivery.send_test(self._store, self.config().target(name))

    def deliver(self) -> None:
        """Send what is due, for a command that ends before its worker would."""
        delivery.Delivery(self._store).deliver()

    def _checked(self, name: str) -> str:
        name = name.strip()
        if not name:
            raise StudioError("notify.name_missing")
        if any(target.name == name for target in self.config().targets):
            raise StudioError("notify.taken", name=name)
        return name

    def _add(self, target: Target, words: Words) -> None:
        config = self.config()
        changed = {"targets": [*config.targets, target], "words": words}
        targets.save(self._store, config.model_copy(update=changed))


def share_done(jobs: list[JobView]) -> float | None:
    """How much is done (0 to 1) of the job that began last among those at work; None when none says."""
    at_work = [job for job in jobs if job.state is State.RUNNING and job.total > 0 and job.started]
    newest = max(at_work, key=lambda job: job.started or job.created, default=None)
    return min(1.0, max(0.0, newest.done / newest.total)) if newest else None


def _seen_key(project: str) -> str:
    return f"seen.{project}"
