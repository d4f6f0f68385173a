"""What a stage reports reaches the store, whatever one report or the database is like."""

from __future__ import annotations

import math
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from backend.core.schemas import RunView
from backend.db import tables as t
from backend.jobs.recorder import EventRecorder
from tests.jobs.harness import WorkerHarness


def recorder_of(harness: WorkerHarness, run: RunView) -> EventRecorder:
    with harness.store.session() as session:
        return EventRecorder(harness.store, session.get_one(t.Job, run.jobs[0].id))


def metric(value: float) -> dict[str, Any]:
    return {"event": "metric", "name": "loss", "step": 1.0, "value": value}


def line(text: str) -> dict[str, Any]:
    return {"event": "log", "level": "info", "text": text}


def test_reports_wait_while_the_database_is_away(harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    run = harness.submit(harness.job("steps", "a"))
    recorder = recorder_of(harness, run)
    recorder.record(line("hello"))
    recorder.record(metric(2.0))

    def away(*_: object) -> None:
        raise OperationalError("insert", {}, Exception("disk is full"))

    with monkeypatch.context() as patch:
        patch.setattr(harness.store, "add_logs", away)
        assert recorder.flush() is False
    assert recorder.flush() is True
    assert [line.text for line in harness.service.logs(run.jobs[0].id)] == ["hello"]
    assert len(harness.service.metrics(run.jobs[0].id)) == 1


def test_a_value_that_is_no_number_costs_only_itself(harness: WorkerHarness) -> None:
    run = harness.submit(harness.job("steps", "a"))
    recorder = recorder_of(harness, run)
    for value in (math.nan, 2.0, math.inf):
        recorder.record(metric(value))
    recorder.record(line("hello"))
    assert recorder.flush() is True
    assert [point.value for point in harness.service.metrics(run.jobs[0].id)] == [2.0]
    assert [line.text for line in harness.service.logs(run.jobs[0].id)] == ["hello"]


def test_what_the_database_refuses_for_good_does_not_hold_up_the_rest(harness: WorkerHarness) -> None:
    run = harness.submit(harness.job("steps", "a"))
    recorder = recorder_of(harness, run)
    recorder.record({"event": "progress", "done": math.nan, "total": 1.0, "note": "", "eta": None})
    recorder.record(metric(2.0) | {"name": None})
    recorder.record(line("before"))
    assert recorder.flush() is True
    recorder.record(metric(3.0))
    recorder.record(line("after"))
    assert recorder.flush() is True
    assert [point.value for point in harness.service.metrics(run.jobs[0].id)] == [3.0]
    assert [line.text for line in harness.service.logs(run.jobs[0].id)] == ["before", "after"]
