"""Many questions at a time: what a failure for good stops, and what a budget does not."""

from __future__ import annotations

import threading

import pytest

from backend.core.errors import StudioError
from backend.providers.budget import OverBudget
from backend.providers.concurrency import ConcurrentRequests
from backend.providers.protocols import EndpointReply

BROKEN = StudioError("chat.endpoint_failed", url="u", status=500, tries=1, kept=0)


def asked_of(first: BaseException, stop: threading.Event) -> tuple[ConcurrentRequests, list[bool]]:
    """The first question fails; the second one pauses before it is tried again, and notes whether it was told to stop."""
    told: list[bool] = []

    def ask(number: int) -> EndpointReply:
        if number == 0:
            raise first
        told.append(stop.wait(1.0))
        return EndpointReply("late", None)

    return ConcurrentRequests(ask, 2, 0, stop), told


def test_a_failure_for_good_ends_the_pauses_of_the_others() -> None:
    stop = threading.Event()
    many, told = asked_of(BROKEN, stop)
    found = []
    with pytest.raises(StudioError) as caught:
        for pair in many.replies(9, lambda: None):
            found.append(pair)
    assert caught.value is BROKEN and stop.is_set()
    assert told == [True] and [reply.text for _, reply in found] == ["late"]


def test_the_end_of_a_budget_lets_the_others_try_again() -> None:
    stop = threading.Event()
    many, told = asked_of(OverBudget(), stop)
    with pytest.raises(OverBudget):
        list(many.replies(9, lambda: None))
    assert told == [False] and not stop.is_set()
