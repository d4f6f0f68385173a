"""`slmops datasets export`: the file that was asked for, and nothing half-written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.cli import app
from backend.core.errors import StudioError
from tests.studio.builder import StudioBuilder

run = CliRunner()


def test_a_dataset_becomes_a_file(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    StudioBuilder(home).dataset()
    monkeypatch.chdir(tmp_path)
    asked = ["datasets", "export", "commands", "--format", "openai", "--split", "test"]
    assert run.invoke(app, asked).exit_code == 0
    lines = (tmp_path / "commands-test.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 10 and json.loads(lines[0])["messages"][0]["role"] == "system"
    again = run.invoke(app, asked)
    assert isinstance(again.exception, StudioError) and again.exception.code == "edits.file_there"
    assert run.invoke(app, [*asked, "--force"]).exit_code == 0
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["commands-test.jsonl"]


def test_it_can_be_piped_and_says_what_is_wrong(home: Path, tmp_path: Path) -> None:
    StudioBuilder(home).dataset()
    piped = run.invoke(app, ["datasets", "export", "commands", "--format", "csv", "--output", "-"])
    assert len(piped.stdout.splitlines()) == 1 + 40 + 12
    for wrong, code in (
        (["--format", "xls"], "files.format"),
        (["--format", "alpaca", "--split", "pool"], "edits.split_unknown"),
        (["--output", str(tmp_path / "no" / "x")], "edits.unwritable"),
    ):
        failed = run.invoke(app, ["datasets", "export", "commands", *wrong])
        assert isinstance(failed.exception, StudioError) and failed.exception.code == code
