"""A child that opens what came from outside gets no secret of whoever started the studio."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from backend.data.params import DatasetParams
from backend.files import source_reading
from backend.models import catalogue, gguf_terms, weights
from backend.process.environment import bare_environment

SECRETS = ("OPENAI_API_KEY", "HF_TOKEN", "SLMOPS_TOKEN", "SLMOPS_DB_URL", "AWS_SECRET_ACCESS_KEY", "HTTPS_PROXY")


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, "a secret")


def test_what_python_needs_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "es_ES.UTF-8")
    env = bare_environment(OMP_NUM_THREADS="1")
    assert {"PATH", "HOME", "LC_ALL", "OMP_NUM_THREADS"} <= set(env) and "a secret" not in env.values()


@pytest.mark.proc
@pytest.mark.parametrize("who", ["gguf head", "weights", "gguf conversion", "source"])
def test_every_such_child_is_started_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    started: list[dict[str, str]] = []
    real = subprocess.Popen

    class Seen(real):  # type: ignore[misc, valid-type]
        def __init__(self, argv: list[str], *more: Any, **how: Any) -> None:
            started.append(how["env"])
            super().__init__(["true"], *more, **how)

    monkeypatch.setattr(subprocess, "Popen", Seen)
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "a.csv").write_text("a,b\n1,2\n")
    asked: dict[str, Any] = {
        "gguf head": lambda: gguf_terms.read_in_child(folder / "a.gguf"),
        "weights": lambda: weights.check_weights(folder),
        "gguf conversion": lambda: catalogue.convert_gguf([folder / "a.gguf"], folder),
        "source": lambda: source_reading.read_in_child(DatasetParams(source=str(folder / "a.csv")), 5, tmp_path),
    }
    try:
        asked[who]()
    except Exception as error:
        assert started, error
    assert started and started[0]["PATH"] and "a secret" not in started[0].values()
