"""A home with models for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve.den import Den


@pytest.fixture
def den(home: Path, onnx: Path) -> Iterator[Den]:
    """Three models, no host yet."""
    with Den(home) as made:
        for name in ("one", "two", "three"):
            made.add(onnx, name)
        yield made
