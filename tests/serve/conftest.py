"""A home with models for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve.harness import HostHarness


@pytest.fixture
def harness(home: Path, onnx: Path) -> Iterator[HostHarness]:
    """Three models, no host yet."""
    with HostHarness(home) as made:
        for name in ("one", "two", "three"):
            made.add(onnx, name)
        yield made
