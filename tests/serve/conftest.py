"""One tiny ONNX model for all tests, and a home for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve.den import Den, build_onnx


@pytest.fixture(scope="session")
def onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_onnx(tmp_path_factory.mktemp("serve"), hidden=256)


@pytest.fixture
def den(home: Path, onnx: Path) -> Iterator[Den]:
    """Three models, no host yet."""
    with Den(home) as made:
        for name in ("one", "two", "three"):
            made.add(onnx, name)
        yield made
