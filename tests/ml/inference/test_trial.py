"""A model that comes in is tried: a chat template without an end does not keep anyone waiting."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from backend.ml.inference import trial

pytestmark = pytest.mark.ml
ENDLESS = (
    "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}"
)


def test_a_template_without_an_end(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "m")
    (folder / "chat_template.jinja").write_text(ENDLESS)
    monkeypatch.setattr(trial, "_RENDER_SECONDS", 1)
    told, (problem,) = trial.tried(folder)
    assert not told and problem.code == "talk.endless" and problem.blocking
    assert trial.tried(tiny_model)[0]["prompt"]  # what comes after is not bounded by the one before
