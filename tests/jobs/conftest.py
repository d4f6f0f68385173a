"""Farms: studio homes with real workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.harness import WorkerHarness


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[WorkerHarness]:
    """A home of its own, no worker yet."""
    made = WorkerHarness(tmp_path / "harness")
    yield made
    made.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerHarness]:
    """A home with one worker that the tests of a module share; none of them may kill it."""
    made = WorkerHarness(tmp_path_factory.mktemp("shared"))
    made.start()
    yield made
    assert made.stop() == 0
    made.close()
