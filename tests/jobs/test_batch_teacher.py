"""A batch of a teacher outlives a stop and a kill of the worker, and ends with a cancel of its job."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backend.core.schemas import State
from tests.helpers import PATIENCE, until
from tests.jobs.harness import ROOT
from tests.providers.fake_batches import FakeBatches
from tests.studio.builder import LABELS, StudioBuilder

pytestmark = pytest.mark.proc


@contextmanager
def worker(builder: StudioBuilder, end: signal.Signals = signal.SIGTERM) -> Iterator[None]:
    argv = [sys.executable, "-m", "backend.jobs.worker"]
    with (builder.studio.settings.logs / "worker.log").open("ab") as log:
        process = subprocess.Popen(argv, cwd=ROOT, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.send_signal(end)
        process.wait(PATIENCE)


@pytest.fixture
def openai() -> Iterator[FakeBatches]:
    with FakeBatches().running() as service:
        service.polls = 100_000
        service.answer = lambda body: LABELS[0]
        yield service


def begin(home: Path, service: FakeBatches) -> tuple[StudioBuilder, str]:
    builder = StudioBuilder(home)
    data = builder.dataset(pool=5)
    builder.studio.save_endpoint({"name": "gpt", "preset": "openai", "url": service.url, "model": "m", "key_env": ""})
    params = {"data": data.id, "endpoint": "gpt", "splits": ["pool"], "batch": True}
    return builder, builder.studio.start_stage("teacher", params).id


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_worker_that_begins_again_waits_for_the_same_batch(
    home: Path, openai: FakeBatches, end: signal.Signals
) -> None:
    builder, run = begin(home, openai)
    with worker(builder, end):
        until(lambda: bool(openai.made) and openai.made["batch_0"]["polls"] > 0)
    openai.polls = 1
    with worker(builder):
        until(lambda: builder.studio.run(run).jobs[0].state.ended)
    (job,) = builder.studio.run(run).jobs
    assert job.state is State.SUCCEEDED, job.error
    assert len(openai.made) == 1 and openai.sent == 5 and not openai.cancelled and not openai.direct


def test_a_cancel_of_the_job_cancels_the_batch(home: Path, openai: FakeBatches) -> None:
    builder, run = begin(home, openai)
    with worker(builder):
        until(lambda: bool(openai.made) and openai.made["batch_0"]["polls"] > 0)
        builder.studio.cancel_run(run)
        until(lambda: builder.studio.run(run).jobs[0].state.ended)
    assert builder.studio.run(run).jobs[0].state is State.CANCELLED
    assert openai.cancelled == ["batch_0"] and len(openai.made) == 1
