"""Farms: studio homes with real workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.farm import Farm


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    """A home of its own, no worker yet."""
    made = Farm(tmp_path / "farm")
    yield made
    made.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """A home with one worker that the tests of a module share; none of them may kill it."""
    made = Farm(tmp_path_factory.mktemp("shared"))
    made.start()
    yield made
    assert made.stop() == 0
    made.close()
