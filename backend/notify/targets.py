"""Who is told of the end of a run. The address of a target carries its secrets, so it is never stored with the target, only
where to find it: the name of an environment variable, or an entry of the keyring of the operating system."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from backend.core.errors import StudioError
from backend.core.schemas import State
from backend.db import Store

Event = Literal["succeeded", "findings", "failed", "cancelled"]
EVENTS: tuple[Event, ...] = get_args(Event)
_SETTING = "notify"
_SERVICE = "slmops-studio"


class Target(BaseModel):
    """`place` says what `entry` names; runs that ended before `since` are not told of."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(min_length=1, max_length=60)
    place: Literal["variable", "keyring"]
    entry: str = Field(min_length=1, max_length=100)
    since: datetime


class Words(BaseModel):
    """The sentences of a message in the language of whoever set it up; `{run}`, `{project}` and `{time}` are filled in.
    `stages`: name of a stage -> how it is called."""

    titles: dict[str, str] = {
        "succeeded": "{run} is done",
        "findings": "{run} is done, with findings",
        "failed": "{run} failed",
        "cancelled": "{run} was cancelled",
    }
    body: str = "Project {project} · {time}"
    first_project: str = "First project"
    test_title: str = "Test message"
    test_body: str = "SLMOps Studio can reach you here."
    stages: dict[str, str] = {}


class NotifyConfig(BaseModel):
    """Off until there is a target."""

    targets: list[Target] = []
    events: list[Event] = ["succeeded", "findings", "failed"]
    words: Words = Words()

    def target(self, name: str) -> Target:
        """Raises StudioError when there is none."""
        for target in self.targets:
            if target.name == name:
                return target
        raise StudioError("notify.unknown", name=name)


def load(store: Store) -> NotifyConfig:
    return NotifyConfig.model_validate_json(store.setting(_SETTING) or "{}")


def save(store: Store, config: NotifyConfig) -> None:
    store.set_setting(_SETTING, config.model_dump_json())


def event_of(state: State) -> Event | None:
    """What the end of a run is called; None while it goes on."""
    return next((event for event in EVENTS if event == state.value), None)


def address(target: Target, environment: Mapping[str, str] = os.environ) -> str:
    """The target's Apprise URL. Raises StudioError when it is not where it should be."""
    if target.place == "variable":
        found = environment.get(target.entry, "").strip()
        if not found:
            raise StudioError("notify.variable_missing", name=target.entry)
        return found
    import keyring

    with _keyring_errors():
        kept = keyring.get_password(_SERVICE, target.entry)
    if not kept:
        raise StudioError("notify.entry_missing", name=target.name)
    return kept


def keyring_there() -> bool:
    """Whether this machine has a keyring that works without a question."""
    import keyring
    from keyring.backends import fail, null

    return not isinstance(keyring.get_keyring(), (fail.Keyring, null.Keyring))


def keep_address(entry: str, url: str) -> None:
    """Put an address into the keyring. Raises StudioError."""
    import keyring

    with _keyring_errors():
        keyring.set_password(_SERVICE, entry, url)


def forget_address(target: Target) -> None:
    """Take it out of the keyring; one that is gone already is fine."""
    if target.place != "keyring":
        return
    import keyring
    from keyring.errors import PasswordDeleteError

    with _keyring_errors():
        try:
            keyring.delete_password(_SERVICE, target.entry)
        except PasswordDeleteError:
            return


@contextmanager
def _keyring_errors() -> Iterator[None]:
    from keyring.errors import KeyringError, PasswordDeleteError

    try:
        yield
    except PasswordDeleteError:
        raise
    except KeyringError:
        raise StudioError("notify.no_keyring") from None
