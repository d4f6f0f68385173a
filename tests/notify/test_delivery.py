"""Messages about the end of a run: to a real web server and a real mail server, again after a failure, and never with a secret
where it does not belong."""

from __future__ import annotations

import email
from email.policy import default
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

from backend.api import Studio
from backend.api.notifications import Words
from backend.core.errors import StudioError
from backend.core.schemas import State
from backend.db import tables as t
from backend.notify import delivery
from backend.notify.delivery import WAITS, Delivery
from tests.notify.receivers import mail_server, web_server
from tests.studio.builder import StudioBuilder

pytestmark = pytest.mark.proc

SECRET = "s3cr3t-token"
WORDS = Words()


class MemoryKeyring(KeyringBackend):
    """A keyring that works, for as long as the test."""

    priority = 1

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def ring() -> object:
    before = keyring.get_keyring()
    made = MemoryKeyring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def builder(home: Path) -> StudioBuilder:
    return StudioBuilder(home)


def end(builder: StudioBuilder, name: str, state: State) -> str:
    """A run that ends now."""
    run = builder.run(name, ("finetune", state))
    builder.store.update_job(f"{run}-finetune", ended=t.now())
    return run


def logged(builder: StudioBuilder, run: str) -> list[str]:
    return [line.text for line in builder.studio.logs(f"{run}-finetune")]


def nothing_due(builder: StudioBuilder) -> bool:
    with builder.store.session() as session:
        return all(row.due is None for row in session.query(t.Notice))


def hasten(builder: StudioBuilder) -> None:
    with builder.store.session() as session:
        for row in session.query(t.Notice).where(t.Notice.due.is_not(None)):
            row.due = t.now()


def test_a_webhook_hears_of_what_was_chosen_and_only_once(
    builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    end(builder, "before", State.SUCCEEDED)
    with web_server([]) as (port, heard):
        monkeypatch.setenv("HOOK", f"json://localhost:{port}/{SECRET}")
        deliver = Delivery(builder.store).deliver
        deliver()
        builder.studio.notifications.add_variable("Team", "HOOK", WORDS)
        good, _stopped, bad = (
            end(builder, name, state)
            for name, state in (("good", State.SUCCEEDED), ("x", State.CANCELLED), ("bad", State.FAILED))
        )
        builder.run("on", ("finetune", State.RUNNING))
        deliver()
        deliver()
        Delivery(builder.store).deliver()  # a second worker
    assert sorted(each["title"] for each in heard) == ["bad failed", "good is done"]
    assert heard[0]["message"] == "Project First project · 1:58"
    assert logged(builder, good) == logged(builder, bad) == ["Notification sent to “Team”."]
    assert nothing_due(builder)


def test_a_refusal_is_logged_without_the_address_and_tried_again(
    builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web_server([500]) as (port, heard):
        monkeypatch.setenv("HOOK", f"json://user:{SECRET}@localhost:{port}/{SECRET}")
        builder.studio.notifications.add_variable("Team", "HOOK", WORDS)
        run = end(builder, "good", State.SUCCEEDED)
        deliver = Delivery(builder.store).deliver
        deliver()
        deliver()
        assert len(heard) == 1, "the second try waits"
        (line,) = logged(builder, run)
        assert line.startswith("Notification to “Team” failed.") and line.endswith(f"Next try in {WAITS[0]} s.")
        assert SECRET not in line
        hasten(builder)
        deliver()
    assert len(heard) == 2 and logged(builder, run)[-1] == "Notification sent to “Team”."


def test_it_gives_up_after_the_last_try(builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: str) -> None:
        raise StudioError("notify.silent", seconds=60)

    monkeypatch.setenv("HOOK", "json://localhost")
    builder.studio.notifications.add_variable("Team", "HOOK", WORDS)
    run = end(builder, "good", State.SUCCEEDED)
    for _try in range(9):
        Delivery(builder.store, refuse).deliver()
        hasten(builder)
    assert len(logged(builder, run)) == len(WAITS) + 1
    assert logged(builder, run)[-1].endswith("No further tries.") and nothing_due(builder)


def test_a_mailbox_gets_the_words_of_who_set_it_up_and_the_address_stays_in_the_keyring(
    builder: StudioBuilder, ring: MemoryKeyring, home: Path
) -> None:
    with mail_server() as (port, taken):
        url = f"mailto://localhost:{port}?from=studio@example.com&to=ana@example.com&mode=insecure&name={SECRET}"
        spanish = Words(titles={"findings": "{run}: listo, con observaciones"}, stages={"finetune": "Ajuste fino"})
        builder.studio.notifications.add_address("Ana", url, spanish)
        end(builder, "finetune", State.FINDINGS)
        Delivery(builder.store).deliver()
        builder.studio.notifications.test("Ana")
    ended, test = (email.message_from_string(text, policy=default) for text in taken)
    assert ended["subject"] == "Ajuste fino: listo, con observaciones" and "ana@example.com" in ended["to"]
    assert test["subject"] == "Test message"
    files = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"ana@example.com" not in files and SECRET.encode() not in files
    builder.studio.notifications.remove("Ana")
    assert ring.kept == {} and builder.studio.notifications.config().targets == []


def test_what_is_wrong_is_said(builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    notifications: Studio = builder.studio
    target = notifications.notifications
    before = keyring.get_keyring()
    keyring.set_keyring(NoKeyring())
    try:
        assert not target.keyring_there()
        for code, call in (
            ("notify.no_keyring", lambda: target.add_address("a", "json://host", WORDS)),
            ("notify.address_bad", lambda: target.add_address("a", "host", WORDS)),
            ("notify.variable_name", lambda: target.add_variable("a", "json://host/key", WORDS)),
            ("notify.name_missing", lambda: target.add_variable(" ", "HOOK", WORDS)),
        ):
            with pytest.raises(StudioError) as caught:
                call()
            assert caught.value.code == code
    finally:
        keyring.set_keyring(before)
    target.add_variable("a", "HOOK", WORDS)
    with pytest.raises(StudioError) as caught:
        target.test("a")
    assert caught.value.code == "notify.variable_missing"
    monkeypatch.setenv("HOOK", "nonsense")
    with pytest.raises(StudioError) as caught:
        target.test("a")
    assert caught.value.code == "notify.address_bad"


def test_a_server_that_says_nothing_is_left_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "SEND_SECONDS", 0.2)
    with pytest.raises(StudioError) as caught:
        delivery.send("json://localhost:9", "a", "b")
    assert caught.value.code == "notify.silent"
