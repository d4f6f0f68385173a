"""Curves as TensorBoard reads them: the same points as the studio's own, below the logs; other trackers are asked for."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event

from backend.core.settings import Settings
from backend.jobs.context import MemoryContext
from backend.models.probe import inspect_folder
from backend.stages import finetune
from backend.training.trackers import check_trackers
from tests.helpers import build_tiny_model, dataset_view, tiny_dataset, view

pytestmark = pytest.mark.ml


def scalars(file: Path) -> Iterator[tuple[str, int, float]]:
    """(tag, step, value) of an event file: records of length, checksum, event, checksum."""
    content, at = file.read_bytes(), 0
    while at < len(content):
        (length,) = struct.unpack_from("<Q", content, at)
        event = Event.FromString(content[at + 12 : at + 12 + length])
        yield from ((each.tag, event.step, each.simple_value) for each in event.summary.value)
        at += 12 + length + 4


def test_a_training_leaves_its_curve_for_tensorboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TENSORBOARD_LOGGING_DIR", raising=False)
    model = view(build_tiny_model(tmp_path / "tiny"), "model", "m1", **inspect_folder(tmp_path / "tiny"))
    data = dataset_view(tiny_dataset(tmp_path / "colours"))
    ctx = MemoryContext(tmp_path / "home" / "work", [model, data], job_id="j-tracked")
    asked = {"model": "m1", "data": data.id, "epochs": 1, "rank": 2, "evaluate_rows": 4}
    finetune.run(finetune.FinetuneParams.model_validate(asked), ctx)
    folder = Settings(home=ctx.artifacts.parent).tensorboard / "j-tracked" / ctx.dir.name
    (file,) = folder.glob("events.out.tfevents.*")
    found = list(scalars(file))
    ours = [(e["step"], e["value"]) for e in ctx.events if e["event"] == "metric" and e["name"] == "loss"]
    theirs = [(step, value) for tag, step, value in found if tag == "train/loss"]
    assert theirs == [(step, pytest.approx(value, rel=1e-5)) for step, value in ours] and ours
    assert "eval/loss" in {tag for tag, _, _ in found}


def test_a_tracker_that_is_not_there_is_said_before_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_trackers() == []
    monkeypatch.setenv("SLMOPS_TRACKERS", "mlflow, paper")
    monkeypatch.setattr("backend.training.trackers.find_spec", lambda name: None)
    assert [problem.code for problem in check_trackers()] == ["train.tracker_missing", "train.tracker_unknown"]
