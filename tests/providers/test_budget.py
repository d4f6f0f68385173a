"""Tokens and money: read from replies, estimated without, kept over a crash, and a budget that is never passed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from backend.core.errors import Cancelled, StudioError
from backend.inference.protocol import Sampling
from backend.providers.budget import Budget, OverBudget, Prices, Usage, estimate_usage, format_usd, max_usage
from backend.providers.client import Endpoint, HttpEngine
from tests.providers.fake_endpoint import FakeEndpoint

PRICES = Prices(input=1000.0, output=2000.0)
PROMPTS = [[{"role": "user", "content": f"w{n} is it"}] for n in range(20)]
SHORT = Sampling(max_new_tokens=4)
MOST = PRICES.cost(*max_usage(PROMPTS[0], 4))
EACH = PRICES.cost(3, 1)


def engine(server: FakeEndpoint, spend: Budget, **change: object) -> HttpEngine:
    settings = {"url": server.url, "model": "m", "retries": 0, "timeout": 1, "initial_backoff": 0.01, "concurrency": 4}
    return HttpEngine(Endpoint(**{**settings, "prices": PRICES, **change}), spend)


def test_the_replies_own_count_is_paid() -> None:
    spend = Budget()
    with FakeEndpoint().running() as server:
        server.counts = True
        dict(engine(server, spend).answers(PROMPTS, SHORT))
    assert (spend.prompt_tokens, spend.completion_tokens, spend.guessed) == (60, 20, 0)
    assert spend.usd == pytest.approx(20 * EACH)
    assert spend.metrics() == {"spent_usd": spend.usd, "prompt_tokens": 60.0, "completion_tokens": 20.0}


def test_without_a_count_tokens_are_estimated_and_said_to_be() -> None:
    spend = Budget()
    with FakeEndpoint().running() as server:
        engine(server, spend).answer(PROMPTS[0], SHORT)
    assert spend.guessed == 1 and spend.usd == pytest.approx(PRICES.cost(*estimate_usage(PROMPTS[0], "w0")))


def test_a_budget_stops_before_it_is_passed_and_keeps_what_was_paid() -> None:
    budget = MOST + 7.5 * EACH
    spend, found = Budget(budget), {}
    with FakeEndpoint().running() as server:
        server.counts, server.pause = True, 0.02
        with pytest.raises(StudioError) as caught:
            for index, text in engine(server, spend).answers(PROMPTS, SHORT):
                found[index] = text
    assert caught.value.code == "endpoints.budget_reached"
    assert len(found) == len(server.asked) == 8
    assert spend.usd <= budget < spend.usd + MOST
    assert "answers kept: 8" in str(caught.value) and format_usd(spend.usd) in str(caught.value)


def test_a_single_answer_and_a_stream_keep_the_budget_too() -> None:
    with FakeEndpoint().running() as server:
        asking = engine(server, Budget(MOST / 2))
        for ask in (lambda: asking.answer(PROMPTS[0], SHORT), lambda: list(asking.stream(PROMPTS[0], SHORT))):
            with pytest.raises(StudioError) as caught:
                ask()
            assert caught.value.code == "endpoints.budget_reached"
    assert server.asked == []


@pytest.mark.parametrize(("word", "charged"), [("500", 0), ("429", 0), ("half", 1), ("html", 1), ("never", 1)])
def test_what_may_have_been_charged_counts_and_what_was_refused_does_not(word: str, charged: int) -> None:
    spend = Budget()
    with FakeEndpoint(lambda n: word).running() as server:
        with pytest.raises(StudioError):
            engine(server, spend, timeout=0.3).answer(PROMPTS[0], SHORT)
    assert spend.usd == pytest.approx(charged * MOST)


def test_a_second_attempt_goes_on_counting(tmp_path: Path) -> None:
    file = tmp_path / "spend.jsonl"
    first = Budget(1.0, file)
    first.settle(first.reserve(0.6, lambda: False), Usage(300, 100), PRICES)
    with file.open("a") as stream:
        stream.write('{"prompt": 3')  # a crash in the middle of a line
    again = Budget(1.0, file)
    assert again.usd == first.usd == 0.5 and again.prompt_tokens == 300
    with pytest.raises(OverBudget):
        again.reserve(0.6, lambda: False)
    next_one = again.reserve(0.2, lambda: False)
    assert Budget(1.0, file).usd == pytest.approx(0.7)  # the broken line took no other with it
    again.settle(next_one, Usage(100, 0), PRICES)
    assert Budget(1.0, file).usd == again.usd == pytest.approx(0.6)


def test_what_was_in_flight_at_a_kill_counts_in_full(tmp_path: Path) -> None:
    file = tmp_path / "spend.jsonl"
    killed = Budget(1.0, file)
    settled, lost, released, _in_flight = [killed.reserve(usd, lambda: False) for usd in (0.1, 0.2, 0.25, 0.4)]
    killed.settle(settled, Usage(50, 0), PRICES)
    killed.charge_reserved(lost)
    killed.release(released)
    again = Budget(1.0, file)
    assert killed.usd == pytest.approx(0.25) and again.usd == pytest.approx(0.65)
    with pytest.raises(OverBudget):
        again.reserve(0.4, lambda: False)
    again.release(again.reserve(0.3, lambda: False))
    assert Budget(1.0, file).usd == pytest.approx(0.65)


def test_every_request_is_in_the_file_before_it_is_sent(tmp_path: Path) -> None:
    file, seen = tmp_path / "spend.jsonl", []
    with FakeEndpoint().running() as server:
        server.counts = True
        server.fault = lambda body: seen.append(Budget(9.0, file).usd)  # type: ignore[func-returns-value, method-assign]
        engine(server, Budget(9.0, file)).answer(PROMPTS[0], SHORT)
    assert seen == [pytest.approx(MOST)] and Budget(9.0, file).usd == pytest.approx(EACH)


def test_without_a_count_a_budget_pays_all_that_was_reserved() -> None:
    spend = Budget(2.5 * MOST)
    with FakeEndpoint().running() as server:
        with pytest.raises(StudioError, match="answers kept: 2"):
            dict(engine(server, spend, concurrency=1).answers(PROMPTS, SHORT))
    assert spend.usd == pytest.approx(2 * MOST) and spend.guessed == 2 and len(server.asked) == 2


def test_waiting_for_room_ends_when_nothing_may_be_sent_any_more() -> None:
    spend = Budget(1.0)
    spend.reserve(0.8, lambda: False)
    with pytest.raises(Cancelled):
        spend.reserve(0.5, lambda: True)


def test_a_request_waits_for_room_instead_of_giving_up() -> None:
    spend, order = Budget(1.0), []
    first = spend.reserve(0.8, lambda: False)

    def second() -> None:
        spend.reserve(0.5, lambda: False)
        order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    thread.join(0.1)
    assert order == []
    spend.settle(first, Usage(100, 0), PRICES)  # 0.1: now there is room
    thread.join(2)
    assert order == ["second"]


def test_counters_are_reported_as_metrics() -> None:
    told = []
    spend = Budget(report=lambda *metric: told.append(metric))
    with FakeEndpoint().running() as server:
        dict(engine(server, spend).answers(PROMPTS[:3], SHORT))
    assert told[-3][0] == "spent_usd" and told[-3][1] == spend.usd and told[-3][2] == 3
