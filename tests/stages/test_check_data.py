"""The stage that checks a dataset: verdict, report, resume; and personal data that is named before rows leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import Cancelled, StudioError
from backend.core.schemas import Kind
from backend.data.dataset import Row, Template, write_split, write_template
from backend.data.facts import data_facts
from backend.data.gates import check as gate_runs
from backend.data.gates.report import found_rows, read_card
from backend.generation.privacy import check_personal
from backend.jobs.context import MemoryContext
from backend.stages.check_data import STAGE
from backend.stages.evaluate import STAGE as EVALUATE
from backend.stages.teacher import STAGE as TEACHER
from tests.helpers import view
from tests.stages.fake_world import FakeWorld, log_of

WORDS = ["apple", "kettle", "carpet", "teapot", "mirror", "window", "garden", "bottle", "harbour", "violin"]


@pytest.fixture
def job(tmp_path: Path) -> MemoryContext:
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [Row(id=f"r{n}", input=f"{word} stands there", output=("a", "b")[n % 2]) for n, word in enumerate(WORDS * 2)]
    rows = [
        *rows[:10],
        Row(id="p", input="mail ana@example.com", output="a"),
        Row(id="s", input="password=Tr0ub4dor&3", output="b"),
    ]
    write_template(folder, Template(answer="label", labels=["a", "b"]))
    write_split(folder, "train", rows)
    write_split(folder, "test", [Row(id="t", input="Apple stands THERE", output="a")])
    return MemoryContext(tmp_path / "job", [view(folder, Kind.DATASET, "dataset-d1", **data_facts(folder))])


def sealed(job: MemoryContext) -> tuple[Path, dict[str, Any]]:
    event = [event for event in job.events if event["event"] == "artifact"][-1]
    return Path(event["path"]), event["manifest"]


def test_a_dataset_that_is_not_ready_ends_with_findings(job: MemoryContext) -> None:
    result = STAGE.run(STAGE.parse({"data": "dataset-d1"}), job)
    path, manifest = sealed(job)
    card = read_card(path)
    assert card.verdict == manifest["facts"]["verdict"] == "not_ready" and manifest["facts"]["report"] == "check_data"
    assert {each.code for each in result.findings} == {"gates.secrets", "gates.leaks"}
    assert (result.metrics["found_leaks"], result.metrics["found_personal"], result.metrics["rows"]) == (1, 1, 13)
    assert [row.row for row in found_rows(path, "secrets")] == ["s"] and manifest["parents"] == ["dataset-d1"]
    assert any(text.startswith("Keys and passwords: 1 row ") for text in log_of(job))
    notes = [event["note"] for event in job.events if event["event"] == "progress"]
    assert "Leaks between splits" in notes and notes[-1] == "done"


def test_a_dataset_that_is_not_ready_stops_a_run_where_that_is_asked_for(job: MemoryContext) -> None:
    """Its report is kept all the same; what a person accepted stops nothing."""
    with pytest.raises(StudioError) as caught:
        STAGE.run(STAGE.parse({"data": "dataset-d1", "stop": True}), job)
    assert [problem.code for problem in caught.value.problems] == ["gates.stopped", "gates.leaks", "gates.secrets"]
    assert "is not ready for training: leaks, secrets." in caught.value.text()
    assert sealed(job)[1]["facts"]["passed"] is False
    given = {"data": "dataset-d1", "stop": True, "accepted": ["leaks=known", "secrets=test keys"]}
    again = MemoryContext(job.dir.parent / "again", [job.input("dataset-d1")])
    assert STAGE.run(STAGE.parse(given), again).findings == []


def test_what_a_person_accepted_with_a_reason_counts_no_more(job: MemoryContext) -> None:
    accepted = [{"gate": "secrets", "reason": "made up"}, "leaks=on purpose", "personal=agreed", "rare_classes=few"]
    result = STAGE.run(STAGE.parse({"data": "dataset-d1", "accepted": accepted}), job)
    card = read_card(sealed(job)[0])
    assert card.verdict != "not_ready" and result.findings == []
    assert {each.gate: each.accepted for each in card.findings}["leaks"] == "on purpose"


def test_a_stopped_job_goes_on_after_the_gates_that_are_done(
    job: MemoryContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    whole = gate_runs.Checking.run

    def stopped(self: gate_runs.Checking, gates: Any) -> Any:
        names = [gate.name for gate in gates]
        if "leaks" in names and "leaks" not in ran:
            ran.append("leaks")
            raise Cancelled
        ran.extend(names)
        return whole(self, gates)

    monkeypatch.setattr(gate_runs.Checking, "run", stopped)
    params = STAGE.parse({"data": "dataset-d1"})
    with pytest.raises(Cancelled):
        STAGE.run(params, job)
    result = STAGE.run(params, job)
    assert ran.count("leaks") == 2 and ran.count("duplicates") == ran.count("secrets") == 1
    assert result.metrics["found_leaks"] == 1


def test_what_a_person_should_look_at_lies_in_a_file(job: MemoryContext) -> None:
    folder = Path(job.input("dataset-d1").path)
    write_split(folder, "validation", [Row(id="c", input="kettle stands there", output="a")])
    STAGE.run(STAGE.parse({"data": "dataset-d1"}), job)
    lines = (sealed(job)[0] / "review.jsonl").read_text("utf-8").splitlines()
    assert {"r1", "c"} <= {json.loads(line)["row"] for line in lines}


def test_wrong_parameters_are_named() -> None:
    world = FakeWorld().add("d", Kind.DATASET, rows={"train": 10})
    (problem,) = STAGE.check(STAGE.parse({"data": "d", "max_length": 99}), world)
    assert (problem.code, problem.field) == ("gates.length_no_model", "max_length")
    for wrong in (
        {"leave_out": ["nothing"]},
        {"accepted": ["nothing=x"]},
        {"accepted": ["leaks"]},
        {"near_duplicates": 0.1},
    ):
        with pytest.raises(StudioError):
            STAGE.parse({"data": "d", **wrong})
    assert STAGE.check(STAGE.parse({"data": "d"}), world) == []


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"endpoint": "away"}, ["endpoint"]),
        ({"endpoint_url": "https://api.example.com/v1", "endpoint_model": "m"}, ["endpoint_url"]),
        ({"endpoint_url": "http://localhost:11434/v1", "endpoint_model": "m"}, []),
        ({"model": "m"}, []),
    ],
)
def test_personal_data_is_named_before_rows_leave(params: dict[str, Any], told: list[str]) -> None:
    world = FakeWorld().add("d", Kind.DATASET, rows={"pool": 5}, personal=3).add("m", Kind.MODEL, context=512)
    world.save("away", url="https://api.example.com/v1")
    read = TEACHER.parse({"data": "d", **params})
    found = check_personal(read, "d", world)
    assert [problem.field for problem in found] == ["personal_data" for _ in told]
    assert all(problem.blocking and problem.code == "teacher.personal" for problem in found)
    assert [each for each in TEACHER.check(read, world) if each.code == "teacher.personal"] == found
    sent = read.model_copy(update={"personal_data": "send"})
    said = check_personal(sent, "d", world)
    assert [(each.code, each.blocking) for each in said] == [("gates.personal_leaves", False) for _ in told]
    assert check_personal(read.model_copy(update={"personal_data": "mask"}), "d", world) == []
    others = EVALUATE.parse({"data": "d", **params})
    assert [each.field for each in check_personal(others, "d", world)] == told
    world.known["d"].facts["personal_found"] = "IBAN (3)"
    assert [each.code for each in check_personal(read, "d", world)] == ["teacher.personal_kinds" for _ in told]
    world.known["d"].facts["personal"] = 0
    assert check_personal(read, "d", world) == []
