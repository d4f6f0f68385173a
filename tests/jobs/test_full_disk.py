"""A home on a file system of a few megabytes: a stage fills it, and the studio goes on."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.core.schemas import State
from backend.process.explain import sentence
from tests.jobs.harness import WorkerHarness

pytestmark = pytest.mark.proc


@pytest.fixture
def small(tmp_path: Path) -> Iterator[WorkerHarness]:
    """A harness on a tmpfs of 12 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("only root can mount a small file system here")
    harness = WorkerHarness(disk / "home")
    try:
        yield harness
    finally:
        harness.close()
        harness.store.engine.dispose()
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize("folder", ["", "checkpoints"])
def test_a_full_disk_fails_the_job_in_words_and_nothing_else(small: WorkerHarness, folder: str) -> None:
    worker = small.start()
    small.until((small.settings.home / "reserve").exists)
    done = small.finish(small.submit(small.job("steps", "before")))
    run = small.finish(small.submit(small.job("fill", "big", folder=folder), small.job("steps", "after", ["big"])))
    assert [job.state for job in run.jobs] == [State.FAILED, State.BLOCKED]
    error = run.jobs[0].error
    assert error is not None and sentence(error).startswith("The disk with")
    assert small.store.artifact(done.jobs[0].result["artifact"]).path.is_dir()
    assert worker.poll() is None
    shutil.rmtree(small.settings.jobs / run.jobs[0].id, ignore_errors=True)
    assert small.finish(small.submit(small.job("steps", "next"))).state is State.SUCCEEDED
    assert small.stop() == 0
