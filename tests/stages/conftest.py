"""What the stages that ask have in common in their tests: an endpoint, and a job with the tiny dataset."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.jobs.context import MemoryContext
from tests.helpers import dataset_view, tiny_dataset
from tests.providers.fake_endpoint import FakeEndpoint


@pytest.fixture
def server() -> Iterator[FakeEndpoint]:
    with FakeEndpoint().running() as running:
        yield running


@pytest.fixture
def job(tmp_path: Path) -> MemoryContext:
    return MemoryContext(tmp_path / "job", [dataset_view(tiny_dataset(tmp_path / "data"))])
