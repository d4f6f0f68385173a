"""What an installed studio consists of."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from backend.core.paths import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=120,
    )
    (built,) = Path(folder).glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return archive.namelist()


def test_top_level_holds_two_packages(wheel: list[str]) -> None:
    top = {name.split("/")[0] for name in wheel}
    assert {name for name in top if not name.endswith(".dist-info")} == {"studio", "backend"}
    assert len(top) == 3


def test_pages_assets_and_data_files_travel(wheel: list[str]) -> None:
    assert {"studio/_pages/home.py", "studio/_pages/run.py"} <= set(wheel)
    assert [name for name in wheel if name.startswith("studio/_assets/recipes/") and name.endswith(".yaml")]
    for name in (
        "studio/theme.toml",
        "studio/static/inter.woff2",
        "studio/static/inter-OFL.txt",
        "studio/locale/es/LC_MESSAGES/studio.po",
        "backend/db/migrations/env.py",
    ):
        assert name in wheel, name


def test_nothing_else_travels(wheel: list[str]) -> None:
    assert not [name for name in wheel if "__pycache__" in name or name.endswith((".sqlite", ".safetensors"))]
