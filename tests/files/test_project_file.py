"""A project out of one studio and into another: all of it or nothing, and nothing of a file that somebody tampered with."""

from __future__ import annotations

import json
import pickle
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from backend.api import Studio
from backend.core.artifacts import verify
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind, State
from backend.db import tables as t
from backend.files.project_file import LEFT_OUT
from backend.planning.recipes import build
from tests.api.test_endpoints import GOOD
from tests.studio.builder import StudioBuilder

WEIGHTS = len(b"{}").to_bytes(8, "little") + b"{}" + b"\1" * 64
Entries = dict[str, bytes]


@pytest.fixture
def builder(home: Path) -> StudioBuilder:
    """A chain from rows to an evaluation, with its run, curve, log and a person's word."""
    made = StudioBuilder(home)
    data = made.dataset("tickets")
    base = weights(made, Kind.MODEL, "base", [])
    run = made.run("lessons", ("finetune", State.SUCCEEDED))
    tuned = weights(made, Kind.ADAPTER, "tuned", [base.id, data.id], "r-lessons-finetune", {"base": base.id})
    made.store.update_job("r-lessons-finetune", result={"artifact": tuned.id, "metrics": {"eval_loss": 0.4}})
    made.points("r-lessons-finetune")
    made.log("r-lessons-finetune", "it went well")
    made.evaluation(tuned, data, 0.9)
    with made.store.session() as session:
        session.add(t.Review(dataset=data.id, row="3", decision="accept", output=None, rating=4, note="fine"))
    assert run
    return made


def weights(
    builder: StudioBuilder,
    kind: Kind,
    name: str,
    parents: list[str],
    job: str | None = None,
    facts: dict[str, Any] | None = None,
) -> ArtifactView:
    folder = builder.studio.settings.jobs / f"weights-{kind.value}-{name}"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    (folder / "config.json").write_text(json.dumps({"name": name}))
    return builder.keep(kind, name, folder, facts, parents, job=job)


def exported(studio: Studio, to: Path, weights: bool = True, project: str = "default") -> Path:
    taken = studio.project_contents(studio.project_named(project).id, weights)
    with to.open("wb") as file:
        for piece in studio.export_project(taken):
            file.write(piece)
    return to


def held(studio: Studio, project: str) -> dict[str, Any]:
    """Lists, lineage, evaluations, runs, curves, logs and reviews, without what only this studio knows."""
    id_ = studio.project_named(project).id
    views = studio.artifacts(project=id_)
    runs = studio.runs(50, id_)
    with studio.store.session() as session:
        said = [(row.dataset, row.row, row.decision, row.note) for row in session.query(t.Review)]
    return {
        "artifacts": [view.model_dump(exclude={"project", "path"}) for view in views],
        "evaluations": [one.metrics for one in studio.evaluations(id_)],
        "runs": [run.model_dump(exclude={"project": True, "jobs": {"__all__": {"project", "pid"}}}) for run in runs],
        "recipes": [studio.recipe_of(run.id) for run in runs],
        "points": [studio.points(job.id) for run in runs for job in run.jobs],
        "logs": [studio.logs(job.id) for run in runs for job in run.jobs],
        "reviews": said,
    }


def test_a_fresh_studio_has_the_same_afterwards(builder: StudioBuilder, tmp_path: Path) -> None:
    other = Studio.open(home=tmp_path / "other")
    made = other.import_project(exported(builder.studio, tmp_path / "p.zip"), "Brought")
    assert made.name == "Brought"
    before = held(builder.studio, "default")
    assert before == held(other, "Brought")
    assert len(before["artifacts"]) == 4 and before["points"][0] and before["logs"][0] and before["reviews"]
    for view in other.artifacts():
        verify(view.path)
    assert not list(other.settings.cache.iterdir())


def test_without_weights_they_can_be_made_again_and_nothing_runs_on_them(
    builder: StudioBuilder, tmp_path: Path
) -> None:
    other = Studio.open(home=tmp_path / "other")
    made = other.import_project(exported(builder.studio, tmp_path / "p.zip", weights=False))
    by_name = {view.name: view for view in other.artifacts(project=made.id)}
    assert (by_name["base"].path / "model.safetensors").is_file(), "nobody here made it"
    tuned = by_name["tuned"]
    assert not (tuned.path / "model.safetensors").exists() and tuned.facts[LEFT_OUT] is True
    asked = {"id": "e", "stage": "evaluate", "params": {"model": tuned.id, "data": by_name["tickets"].id}}
    (problem,) = other.plan(build({"name": "e", "stages": [asked]})).blocking
    assert problem.code == "projects.weights_left_out" and "rerun its job" in problem.text().lower()


def test_the_same_again_is_reused_and_what_differs_is_renamed_with_its_lineage(
    builder: StudioBuilder, tmp_path: Path
) -> None:
    file = exported(builder.studio, tmp_path / "p.zip")
    again = builder.studio.import_project(file)
    assert again.name == "default (2)"
    assert builder.studio.artifacts(project=again.id) == [] and len(builder.studio.runs(9, again.id)) == 1
    elsewhere = StudioBuilder(tmp_path / "elsewhere")
    elsewhere.artifact(Kind.MODEL, "base", {}, {"config.json": "another model of that name"})
    made = elsewhere.studio.import_project(file, "Brought")
    by_name = {view.name: view for view in elsewhere.studio.artifacts(project=made.id)}
    assert by_name["base"].id != "model-base" and by_name["base"].id.startswith("model-base-")
    assert by_name["base"].id in by_name["tuned"].parents and by_name["tuned"].facts["base"] == by_name["base"].id
    assert sorted(elsewhere.studio.manifest(by_name["tuned"].id).parents) == sorted(by_name["tuned"].parents)
    verify(by_name["base"].path)


def test_what_other_projects_lent_comes_along(builder: StudioBuilder, tmp_path: Path) -> None:
    builder.model("grandchild", Kind.ONNX, parents=["adapter-tuned"], project="Mails")
    other = Studio.open(home=tmp_path / "other")
    made = other.import_project(exported(builder.studio, tmp_path / "p.zip", project="Mails"))
    assert {"grandchild", "tuned", "base", "tickets"} == {view.name for view in other.artifacts(project=made.id)}
    assert {view.name for view in other.descendants("base")} == {"tuned", "grandchild"}


def test_no_secret_no_draft_and_no_endpoint_is_in_it(builder: StudioBuilder, tmp_path: Path) -> None:
    studio = builder.studio
    studio.save_draft(studio.projects()[0].id, "teacher", {"endpoint_url": "sk-typed-into-the-wrong-box"})
    studio.save_endpoint({**GOOD, "name": "ours", "url": "https://secret.example/v1"})
    file = exported(studio, tmp_path / "p.zip")
    with ZipFile(file) as archive:
        texts = b"".join(archive.read(name) for name in archive.namelist())
    assert b"tickets" in texts
    assert b"sk-typed" not in texts and b"secret.example" not in texts


def test_memory_stays_flat(builder: StudioBuilder, tmp_path: Path) -> None:
    folder = builder.studio.settings.jobs / "large"
    folder.mkdir(parents=True)
    with (folder / "model.safetensors").open("wb") as file:
        file.write(WEIGHTS)
        file.truncate(60_000_000)
    builder.keep(Kind.MODEL, "large", folder)
    tracemalloc.start()
    exported(builder.studio, tmp_path / "p.zip")
    other = Studio.open(home=tmp_path / "other")
    other.import_project(tmp_path / "p.zip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 25_000_000


def test_a_stop_leaves_nothing(builder: StudioBuilder, tmp_path: Path) -> None:
    file = exported(builder.studio, tmp_path / "p.zip")
    other = Studio.open(home=tmp_path / "other")

    def stop(done: int, total: int) -> None:
        assert 0 < done <= total
        raise StudioError("projects.stopped")

    refused(other, file, "projects.stopped", stop)


def refused(
    studio: Studio, file: Path, code: str, progress: Callable[[int, int], None] = lambda done, total: None
) -> None:
    """One sentence, and the studio is as it was."""
    before = [each.id for each in studio.projects()]
    with pytest.raises(StudioError) as caught:
        studio.import_project(file, progress=progress)
    assert [problem.code for problem in caught.value.problems] == [code], caught.value.__cause__
    assert caught.value.text()
    assert [each.id for each in studio.projects()] == before
    assert studio.artifacts() == [] and studio.runs() == []
    assert not [path for path in studio.settings.artifacts.rglob("*") if path.is_file()]
    assert not list(studio.settings.cache.iterdir())


def changed(change: Callable[[Entries], None]) -> Callable[[Path], None]:
    """The file again with other entries."""

    def rewrite(file: Path) -> None:
        with ZipFile(file) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        change(entries)
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            for name, content in entries.items():
                archive.writestr(name, content)

    return rewrite


def line(table: str, **values: Any) -> Callable[[Entries], None]:
    """The first row of a table with other values, and the header with the hash that fits."""

    def change(entries: Entries) -> None:
        import hashlib

        name = f"rows/{table}.jsonl"
        first, *rest = entries[name].splitlines()
        entries[name] = b"\n".join([json.dumps({**json.loads(first), **values}).encode(), *rest, b""])
        header = json.loads(entries["project.json"])
        header["rows"][table] = hashlib.sha256(entries[name]).hexdigest()
        entries["project.json"] = json.dumps(header).encode()

    return change


def header(**values: Any) -> Callable[[Entries], None]:
    return lambda entries: entries.update(
        {"project.json": json.dumps({**json.loads(entries["project.json"]), **values}).encode()}
    )


def put(name: str, content: bytes) -> Callable[[Entries], None]:
    return lambda entries: entries.update({name: content})


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-400])


def link(file: Path) -> None:
    entry = ZipInfo("artifacts/model/model-base/link.json")
    entry.external_attr = 0o120777 << 16
    with ZipFile(file, "a") as archive:
        archive.writestr(entry, "/etc/passwd")


def twice(file: Path) -> None:
    with ZipFile(file, "a") as archive, pytest.warns(UserWarning):
        archive.writestr("project.json", "{}")


def with_file(name: str, content: bytes) -> Callable[[Entries], None]:
    """A model that says itself that it has this file, hashes and all."""

    def change(entries: Entries) -> None:
        import hashlib

        from backend.core.artifacts import Manifest

        at = "artifacts/model/model-base/manifest.json"
        plain = json.loads(entries[at])
        plain["files"][name] = hashlib.sha256(content).hexdigest()
        entries[at] = json.dumps(plain).encode()
        entries[f"artifacts/model/model-base/{name}"] = content
        parts = json.loads(entries["project.json"])["artifacts"]
        for part in parts:
            if part["id"] == "model-base":
                part["digest"] = Manifest.model_validate(plain).digest
        header(artifacts=parts)(entries)

    return change


def without(name: str) -> Callable[[dict[str, bytes]], None]:
    def change(entries: dict[str, bytes]) -> None:
        del entries[name]

    return change


HOSTILE = {
    "no zip file": (lambda file: file.write_bytes(b"hello"), "projects.file_damaged"),
    "cut off": (truncate, "projects.file_damaged"),
    "no header": (changed(without("project.json")), "projects.file_damaged"),
    "a header that is no object": (changed(put("project.json", b"[]")), "projects.file_damaged"),
    "nested without end": (changed(put("project.json", b"[" * 200_000)), "projects.file_damaged"),
    "of a newer studio": (changed(header(format=2)), "projects.file_version"),
    "weights changed": (
        changed(put("artifacts/model/model-base/model.safetensors", WEIGHTS[:-1] + b"\2")),
        "projects.file_changed",
    ),
    "a file is missing": (
        changed(without("artifacts/model/model-base/config.json")),
        "projects.file_damaged",
    ),
    "an entry that nothing names": (
        changed(put("artifacts/model/model-base/more.json", b"{}")),
        "projects.file_unsafe",
    ),
    "points outside": (changed(put("../../evil.json", b"{}")), "projects.file_unsafe"),
    "absolute": (changed(put("/tmp/evil.json", b"{}")), "projects.file_unsafe"),
    "a link": (link, "projects.file_unsafe"),
    "an entry twice": (twice, "projects.file_unsafe"),
    "a pickle": (changed(with_file("pytorch_model.bin", pickle.dumps([1]))), "projects.file_unsafe"),
    "code beside weights": (changed(with_file("modeling.py", b"import os")), "projects.file_unsafe"),
    "a file that points outside": (changed(with_file("../../up.json", b"{}")), "projects.file_unsafe"),
    "an array of objects": (
        changed(with_file("a.npy", b"\x93NUMPY\1\0v\0{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n")),
        "projects.file_changed",
    ),
    "weights that are none": (changed(with_file("b.safetensors", b"\xff" * 40)), "projects.file_changed"),
    "a table changed": (changed(lambda e: e.update({"rows/run.jsonl": b""})), "projects.file_changed"),
    "a column of its own": (changed(line("job", evil=1)), "projects.file_damaged"),
    "a job at work": (changed(line("job", state="running")), "projects.file_damaged"),
    "a text for a number": (changed(line("metric_point", value="x")), "projects.file_damaged"),
    "a name without end": (changed(line("run", name="x" * 5_000)), "projects.file_damaged"),
    "another path": (changed(line("artifact", path="/etc")), "projects.file_damaged"),
    "of no run": (changed(line("job", run_id="nowhere")), "projects.file_damaged"),
    "a bomb": (changed(put("rows/log_line.jsonl", b" " * 60_000_000)), "projects.file_large"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_damaged_or_hostile_file_is_one_sentence_and_leaves_nothing(
    builder: StudioBuilder, tmp_path: Path, case: str
) -> None:
    file = exported(builder.studio, tmp_path / "p.zip")
    spoil, code = HOSTILE[case]
    spoil(file)
    refused(Studio.open(home=tmp_path / "other"), file, code)


def test_what_is_gone_is_named_before_a_byte_is_written(builder: StudioBuilder) -> None:
    view = builder.studio.artifact("model-base")
    (view.path / "config.json").unlink()
    with pytest.raises(StudioError, match="base"):
        builder.studio.project_contents(builder.store.project())
