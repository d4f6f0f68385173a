"""`slmops projects`, and `--project` of the other commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.api import Studio
from backend.cli import app
from backend.core.errors import StudioError
from tests.studio.builder import StudioBuilder

run = CliRunner()


@pytest.fixture
def builder(home: Path) -> StudioBuilder:
    made = StudioBuilder(home)
    made.dataset("tickets")
    made.dataset("mails", project="Mails")
    return made


def said(*asked: str) -> str:
    done = run.invoke(app, list(asked))
    assert done.exit_code == 0, done.output
    return done.stdout


def test_lists_are_those_of_the_project(builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLMOPS_PROJECT", "")
    assert {each["name"] for each in json.loads(said("datasets", "list", "--json"))} == {"tickets", "mails"}
    assert [each["name"] for each in json.loads(said("datasets", "list", "--json", "--project", "Mails"))] == ["mails"]
    monkeypatch.setenv("SLMOPS_PROJECT", "")
    assert [each["name"] for each in json.loads(said("--project", "Mails", "datasets", "list", "--json"))] == ["mails"]


def test_names_are_looked_up_within_the_project_first(builder: StudioBuilder, home: Path) -> None:
    own = builder.dataset("mine", project="Mails")
    newer = builder.artifact(own.kind, "newer", own.facts)
    with builder.store.session() as session:
        from backend.db import tables as t

        session.get_one(t.Artifact, newer.id).name = "mine"
    with pytest.raises(StudioError, match=f"{newer.id}.*{own.id}"):
        Studio.open().artifact("mine")
    assert Studio.open(project="Mails").artifact("mine").id == own.id
    assert Studio.open(project="Mails").artifact("tickets").name == "tickets", "then elsewhere"
    with pytest.raises(StudioError, match=r"no project .Nope.*default, Mails"):
        Studio.open(project="Nope")


def test_a_project_goes_out_and_comes_in(
    builder: StudioBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mails.zip"
    assert said("projects", "export", "Mails", "--to", str(file)).strip() == str(file)
    failed = run.invoke(app, ["projects", "export", "Mails", "--to", str(file)])
    assert isinstance(failed.exception, StudioError) and "exists" in failed.exception.text()
    monkeypatch.setenv("SLMOPS_HOME", str(tmp_path / "other"))
    made = json.loads(said("projects", "import", str(file), "--json"))
    assert made["name"] == "Mails"
    listed = {each["name"]: each["artifacts"] for each in json.loads(said("projects", "list", "--json"))}
    assert listed["Mails"] == 1
    assert said("projects", "create", "Third").startswith("p")
    said("projects", "delete", "Mails")
    assert {each["name"] for each in json.loads(said("projects", "list", "--json"))} == listed.keys() - {"Mails"} | {
        "Third"
    }


def test_a_project_goes_to_the_trash_and_comes_back(builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLMOPS_PROJECT", "")
    builder.studio.delete_project(builder.store.project("Mails"))
    builder.studio.create_project("Mails")
    gone = run.invoke(app, ["projects", "delete", "Mails"])
    assert gone.exit_code == 0 and "Moved Mails to the trash for 30 days." in gone.stderr
    assert {each["name"] for each in json.loads(said("storage", "trash", "--json"))} == {"Mails", "Mails (2)"}
    unknown = run.invoke(app, ["datasets", "list", "--project", "Mails"])
    assert isinstance(unknown.exception, StudioError) and "is in the trash" in unknown.exception.text()
    assert "Restored Mails (2)." in run.invoke(app, ["projects", "restore", "Mails (2)"]).stderr
    monkeypatch.setenv("SLMOPS_PROJECT", "")
    assert {each["name"]: each["artifacts"] for each in json.loads(said("projects", "list", "--json"))} == {
        "default": 1,
        "Mails (2)": 1,
    }
    never = run.invoke(app, ["projects", "restore", "nope"])
    assert isinstance(never.exception, StudioError) and "not in the trash" in never.exception.text()
