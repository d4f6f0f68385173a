"""What a stage reports reaches the store, whatever one report or the database is like."""

from __future__ import annotations

import math
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from backend.core.schemas import RunView
from backend.db import tables as t
from backend.jobs.recorder import Recorder
from tests.jobs.farm import Farm


def recorder_of(farm: Farm, run: RunView) -> Recorder:
    with farm.store.session() as session:
        return Recorder(farm.store, session.get_one(t.Job, run.jobs[0].id))


def metric(value: float) -> dict[str, Any]:
    return {"event": "metric", "name": "loss", "step": 1.0, "value": value}


def line(text: str) -> dict[str, Any]:
    return {"event": "log", "level": "info", "text": text}


def test_reports_wait_while_the_database_is_away(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    run = farm.submit(farm.job("steps", "a"))
    recorder = recorder_of(farm, run)
    recorder.take(line("hello"))
    recorder.take(metric(2.0))

    def away(*_: object) -> None:
        raise OperationalError("insert", {}, Exception("disk is full"))

    with monkeypatch.context() as patch:
        patch.setattr(farm.store, "add_logs", away)
        assert recorder.flush() is False
    assert recorder.flush() is True
    assert [line.text for line in farm.service.logs(run.jobs[0].id)] == ["hello"]
    assert len(farm.service.metrics(run.jobs[0].id)) == 1


def test_a_value_that_is_no_number_costs_only_itself(farm: Farm) -> None:
    run = farm.submit(farm.job("steps", "a"))
    recorder = recorder_of(farm, run)
    for value in (math.nan, 2.0, math.inf):
        recorder.take(metric(value))
    recorder.take(line("hello"))
    assert recorder.flush() is True
    assert [point.value for point in farm.service.metrics(run.jobs[0].id)] == [2.0]
    assert [line.text for line in farm.service.logs(run.jobs[0].id)] == ["hello"]


def test_what_the_database_refuses_for_good_does_not_hold_up_the_rest(farm: Farm) -> None:
    run = farm.submit(farm.job("steps", "a"))
    recorder = recorder_of(farm, run)
    recorder.take({"event": "progress", "done": math.nan, "total": 1.0, "note": "", "eta": None})
    recorder.take(metric(2.0) | {"name": None})
    recorder.take(line("before"))
    assert recorder.flush() is True
    recorder.take(metric(3.0))
    recorder.take(line("after"))
    assert recorder.flush() is True
    assert [point.value for point in farm.service.metrics(run.jobs[0].id)] == [3.0]
    assert [line.text for line in farm.service.logs(run.jobs[0].id)] == ["before", "after"]
