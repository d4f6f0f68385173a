"""`slmops datasets`: the flags are the form's fields, what was taken and every warning is said, a question ends with 2."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from backend.api import Studio
from backend.cli import main, run
from backend.cli.dataset_flags import flags, written
from backend.core.errors import Problem
from backend.core.messages import MESSAGES
from backend.core.schemas import RunView
from backend.core.settings import Settings
from backend.data.inspect_source import Inspection
from backend.data.params import DatasetParams
from backend.data.reading.model import Candidate, ColumnReading, Reading, Roles
from backend.data.sources.options import SourceFacts
from backend.db import Store
from backend.db import tables as t
from backend.files import source_reading
from backend.planning.planner import Plan
from tests.data.bad_files import csv_text
from tests.studio.builder import StudioBuilder, doubted

TAKEN = Problem(code="reading.carried", args={"columns": "Kunde"}, blocking=False)
WHY = Problem(code="data.no_answers", args={"rows": 40}, blocking=False)
NOT_OF_DATASETS = {"--set", "--force", "--replace", "--api-key-env", "--accept-terms"}
"""Flags of other commands that sentences name."""


class Said:
    """What a call printed, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def ask(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["slmops", "datasets", *arguments])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return ask


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """Plans that were to be run; nothing runs."""
    plans: list[Plan] = []

    def execute(_studio: Studio, plan: Plan, _json: bool, **_more: Any) -> int:
        plans.append(plan)
        return 0

    monkeypatch.setattr(run, "execute", execute)
    return plans


@pytest.fixture
def rows(tmp_path: Path) -> str:
    (tmp_path / "rows.csv").write_text(csv_text(), encoding="utf-8")
    return str(tmp_path / "rows.csv")


def test_every_parameter_has_a_flag_and_every_flag_reaches_its_parameter(
    call: Any, started: list[Plan], rows: str
) -> None:
    assert set(flags()) == set(DatasetParams.model_fields) - {"source"}
    given = ["--schema", "text_label", "--input", "text", "--input", "label", "--output", "label", "--keep", "text"]
    given += ["--keep", "label", "--encoding", "cp1252", "--delimiter", ",", "--header", "yes", "--bad-rows", "skip"]
    given += ["--answer", "label", "--list-labels", "--validation", "0.2", "--test", "0", "--max-rows", "30"]
    given += ["--user", "Q: {input}", "--system", "Be kind.", "--license", "CC0-1.0", "--name", "mine", "--seed", "7"]
    given += ["--near-duplicates", "0.9", "--split-by", "random", "--turns", "last", "--duplicates", "drop"]
    said = call("import", rows, *given)
    assert said.code == 0, said.err
    (plan,) = started
    params = plan.steps[0].params.model_dump(exclude_unset=True)
    assert plan.recipe.seed == 7
    assert params == {
        "source": rows,
        "data_schema": "text_label",
        "input": "text",
        "input_columns": ["label"],
        "output": "label",
        "keep_columns": ["text", "label"],
        "encoding": "cp1252",
        "delimiter": ",",
        "header": "yes",
        "on_bad_row": "skip",
        "answer": "label",
        "list_labels": True,
        "validation": 0.2,
        "test": 0.0,
        "max_rows": 30,
        "user": "Q: {input}",
        "system": "Be kind.",
        "license": "CC0-1.0",
        "name": "mine",
        "near_duplicates": 0.9,
        "split_by": "random",
        "turns": "last",
        "duplicates": "drop",
    }


def test_every_flag_and_field_that_a_sentence_names_exists() -> None:
    """A remedy exists where it is named: on the command line and in the form."""
    known = {flag for names in flags().values() for flag in names} | NOT_OF_DATASETS
    titles = {info.title for info in DatasetParams.model_fields.values()}
    found = 0
    for code, parts in MESSAGES.items():
        if not code.startswith(("data.", "inspect.", "reading.", "sources.", "mapping.")):
            continue
        for flag in re.findall(r"--[a-z][a-z-]+", " ".join(parts)):
            assert flag in known, f"{code}: {flag}"
            found += 1
        for title in re.findall(r"“([A-Z][a-z]+(?: [a-z]+)*)” \((?:--|[^)]*--)", parts[1]):
            assert title in titles or "to “" in parts[1], f"{code}: {title}"
    assert found > 10


def test_a_value_that_is_no_choice_is_one_sentence_and_2(call: Any, rows: str) -> None:
    said = call("import", rows, "--header", "perhaps")
    assert said.code == 2 and "auto, yes, no" in said.err and said.err.count("\n") == 1


def test_a_dry_run_shows_reading_and_rows_and_stores_nothing(call: Any, rows: str, started: list[Plan]) -> None:
    said = call("import", rows, "--dry-run")
    assert said.code == 0 and "text → label" in said.out and "example number 0" in said.out
    told = json.loads(call("import", rows, "--dry-run", "--json").out)
    assert told["reading"]["taken"]["roles"]["output"] == "label" and len(told["preview"]) == 5
    assert not started and not Studio.open().artifacts()


def asked() -> Inspection:
    both = [
        Candidate(
            schema_name=schema,
            task="",
            roles=Roles(input=inputs, output="Reply text"),
            confidence=0.5,
            reason=WHY,
        )
        for schema, inputs in (("input_output", ["Ticket"]), ("alpaca", ["Ticket", "Body"]))
    ]
    question = Problem(code="data.output_unknown", args={"file": "rows.csv", "columns": "Ticket, Body"})
    facts = SourceFacts(format="csv", title="CSV")
    reading = Reading(file="rows.csv", source=facts, rows=40, alternatives=both, question=question)
    return Inspection(reading=reading, problems=[question])


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_a_question_lists_the_readings_with_their_flags_and_ends_with_2(
    call: Any, rows: str, started: list[Plan], monkeypatch: pytest.MonkeyPatch, dry: list[str]
) -> None:
    content = {"inspection": asked().model_dump(mode="json")}
    monkeypatch.setattr(source_reading, "read_in_child", lambda params, rows, _folder: content)
    said = call("import", rows, *dry)
    assert said.code == 2 and said.out == "" and not started
    assert (
        '- Question and answer: Ticket → Reply text (--schema input_output --input Ticket --output "Reply text")'
        in said.err
    )
    assert "Alpaca: Ticket + Body → Reply text (--schema alpaca --input Ticket --input Body" in said.err
    assert said.err.count("no column looks like the answer") == 1
    assert written({"data_schema": "nli", "input_columns": ["a b"]}) == '--schema nli --input "a b"'


def test_what_was_taken_and_every_warning_is_said_before_the_run(
    call: Any, rows: str, started: list[Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = SourceFacts(format="csv", title="CSV", delimiter=";", encoding="cp1252", encoding_sure=False, header_line=3)
    roles = Roles(input=["Text"], output="Kategorie", carried=["Kunde"])
    taken = Candidate(schema_name="text_label", task="", roles=roles, confidence=0.9, reason=WHY)
    columns = [ColumnReading(name=name, kind="text") for name in ("Nr", "Text", "Kategorie", "Betrag", "Kunde")]
    reading = Reading(file="rows.csv", source=facts, rows=42, columns=columns, taken=taken, notes=[TAKEN])
    few = Problem(code="data.few_distinct", args={"rows": 42, "distinct": 3}, blocking=False)
    counts = {"train": 32, "validation": 5, "test": 5, "pool": 0}
    forecast = {"rows": counts, "answer": "text", "labels": [], "prompt_chars": 10.0, "answer_chars": 3.0}
    content = {
        "inspection": Inspection(reading=reading, problems=[TAKEN, few], forecast=forecast).model_dump(mode="json")
    }
    monkeypatch.setattr(source_reading, "read_in_child", lambda params, rows, _folder: content)
    line = (
        "CSV, semicolons, Windows-1252 (guessed), header in line 3, 42 rows; "
        "Text and label: Text → Kategorie; metadata: Kunde; not used: Nr, Betrag"
    )
    said = call("import", rows)
    assert said.code == 0 and len(started) == 1, said.err
    assert said.out == f"rows.csv: {line}\n"
    assert said.err.startswith("note: Kept with each row as metadata: Kunde.") and "\nwarning: 42 rows" in said.err
    assert said.err.count("\n") == 2
    told = json.loads(call("import", rows, "--json").out.splitlines()[0])
    assert told["event"] == "reading" and told["text"] == line


def test_several_files_lie_together_and_the_same_ones_again_in_the_same_folder(
    call: Any, rows: str, tmp_path: Path, home: Path
) -> None:
    other = tmp_path / "deep" / "rows.csv"
    other.parent.mkdir()
    other.write_text(csv_text(), encoding="utf-8")
    studio = Studio.open()
    folder = studio.together([Path(rows), other])
    assert sorted(path.name for path in folder.iterdir()) == ["2-rows.csv", "rows.csv"]
    assert studio.together([Path(rows), other]) == folder and folder.is_relative_to(home)
    other.write_text(csv_text() + "new,odd\n", encoding="utf-8")
    assert studio.together([Path(rows), other]) != folder
    said = call("import", rows, str(tmp_path / "gone.csv"))
    assert said.code == 2 and "gone.csv" in said.err


def test_show_tells_reading_and_warnings_in_words(call: Any, home: Path) -> None:
    data = StudioBuilder(home).dataset("tickets")
    taken = Candidate(
        schema_name="text_label", task="", roles=Roles(input=["Text"], output="Tipo"), confidence=1, reason=WHY
    )
    column = ColumnReading(name="Tipo", kind="label", role="output", examples=["alta"])
    facts = SourceFacts(format="csv", title="CSV")
    reading = Reading(file="a.csv", source=facts, rows=9, columns=[column], taken=taken, notes=[WHY])
    (data.path / "reading.json").write_text(reading.model_dump_json(), encoding="utf-8")
    warnings = [TAKEN, WHY, Problem(code="data.few_distinct", args={"rows": 9, "distinct": 3}, blocking=False)]
    with Store(Settings().store_url).session() as session:
        kept = [each.model_dump(include={"code", "args"}) for each in warnings]
        session.get_one(t.Artifact, data.id).facts = {**data.facts, "warnings": kept, "dropped": {"data.ragged": 2}}
    said = call("show", "tickets")
    assert said.code == 0 and "{" not in said.out
    assert "read as: CSV, 9 rows; Text and label: Text → Tipo" in said.out and "left out: 2 ragged" in said.out
    assert said.out.count("note: Kept with each row") == 1 and "warning: 9 rows contain only 3" in said.out
    told = json.loads(call("show", "tickets", "--json").out)
    assert told["reading"]["file"] == "a.csv" and len(told["warnings"]) == 2
    assert told["check"] is None and "check: none yet (slmops datasets check tickets)" in said.out
    doubted(StudioBuilder(home), data)
    assert "check: Ready, with warnings. 40 rows, 1 findings (report-checks-tickets)" in call("show", "tickets").out


def job(stage: str, **columns: Any) -> RunView:
    store = Store(Settings().prepare().store_url)
    row = t.Job(id=f"j-{stage}", run_id="r", stage_id="data", stage=stage, params={}, needs=[], queue="cpu", **columns)
    return store.add_run("run", store.project(), {}, [row], "r")


@pytest.mark.parametrize(
    ("stage", "code", "refused"),
    [("dataset", "data.ragged", True), ("dataset", "core.disk_full", False), ("finetune", "data.ragged", False)],
)
def test_only_an_import_that_the_file_stopped_is_bad_input(stage: str, code: str, refused: bool, home: Path) -> None:
    found = job(stage, state="failed", error={"code": code, "args": {}})
    assert run.input_refused(found) is refused


def test_warnings_of_a_run_are_in_its_result(home: Path) -> None:
    found = job("dataset", state="succeeded", result={"artifact": "", "metrics": {}, "warnings": ["Rows repeat."]})
    assert run.summary(found, Studio.open())["warnings"] == {"data": ["Rows repeat."]}
