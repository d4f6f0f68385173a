"""The README of a package: what it says of the data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from backend.core.errors import Problem
from backend.core.schemas import Kind
from backend.data.gates.model import Finding, ScoreCard
from backend.data.gates.report import write_report
from backend.data.reading.model import Candidate, Reading, Roles
from backend.data.reading.stored import stored_warnings
from backend.data.sources.options import SourceFacts
from backend.packaging.data_checks import newest_checks
from backend.packaging.model_card import model_card
from tests.helpers import view
from tests.studio.builder import baseline_of


def test_the_card_says_how_the_data_was_read_and_what_was_said_of_it(tmp_path: Path) -> None:
    model = view(tmp_path / "model", Kind.ONNX, "onnx-o1")
    said = [{"code": "data.few_distinct", "args": {"rows": 1230, "distinct": 90}}]
    data = view(tmp_path, Kind.DATASET, "dataset-d1", rows={"train": 1200, "test": 30, "pool": 0}, warnings=said)
    card = model_card("x", "1.0.0", model, [data], [])
    assert "- 1,230 rows contain only 90 distinct input–answer pairs" in card and "1,200 train, 30 test" in card
    assert "Read from" not in card
    roles = Roles(input=["Asunto", "Texto"], output="Tipo")
    why = Problem(code="data.no_answers", args={"rows": 1}, blocking=False)
    taken = Candidate(schema_name="text_label", task="", roles=roles, confidence=1, reason=why)
    reading = Reading(file="tickets.csv", source=SourceFacts(format="csv", title="CSV"), rows=1230, taken=taken)
    (tmp_path / "reading.json").write_text(reading.model_dump_json(), encoding="utf-8")
    card = model_card("x", "1.0.0", model, [data], [])
    assert "Read from `tickets.csv` as: Text and label (Asunto, Texto, Tipo)." in card


def test_the_card_names_the_newest_check_and_its_open_warnings(tmp_path: Path) -> None:
    model = view(tmp_path / "model", Kind.ONNX, "onnx-o1")
    data = view(tmp_path, Kind.DATASET, "dataset-d1", rows={"train": 3})

    def checked(name: str, verdict: str, *findings: Finding, of: str = "dataset-d1") -> None:
        folder = tmp_path / "store" / "report" / name
        folder.mkdir(parents=True)
        card = ScoreCard.model_validate({"verdict": verdict, "findings": findings, "rows": 3})
        write_report(folder, card, [])
        (folder / "manifest.json").write_text(json.dumps({"facts": {"report": "check_data", "data": of}}), "utf-8")

    problem = Problem(code="gates.duplicates", args={"count": 2, "rows": 3}, blocking=False)
    warning = Finding(gate="duplicates", severity="warning", problem=problem, count=2)
    checked("a", "not_ready")
    checked("b", "warnings", warning, warning.model_copy(update={"gate": "leaks", "accepted": "agreed"}))
    checked("c", "ready", of="dataset-other")
    found = newest_checks(tmp_path / "store", [model, data])
    assert found["dataset-d1"].verdict == "warnings" and len(found) == 1
    kept = newest_checks(tmp_path / "store", [model, data], {"b"})
    assert kept["dataset-d1"].verdict == "not_ready"
    card = model_card("x", "1.0.0", model, [data], [], data_checks=found)
    assert "3 rows: ready, with warnings. 1 finding was accepted" in card
    assert card.count("- 2 of 3 rows are duplicates") == 1


def test_near_copies_are_unchecked_until_a_check_looked_for_them() -> None:
    facts = {"warnings": [{"code": "split.near_not_checked", "args": {"rows": 120_000, "limit": 100_000}}]}
    card = ScoreCard(verdict="ready", rows=120_000)
    left_out = Problem(code="gates.left_out", args={"gate": "Near duplicates"}, blocking=False)
    assert len(stored_warnings(facts)) == 1 and stored_warnings(facts, card) == []
    assert len(stored_warnings(facts, card.model_copy(update={"not_checked": [left_out]}))) == 1


def test_the_card_says_who_does_not_beat_the_quick_baseline(tmp_path: Path) -> None:
    model = view(tmp_path / "model", Kind.ONNX, "onnx-o1")
    facts: dict[str, Any] = {"model_name": "small", "split": "test", "accuracy": 0.6, "n": 20.0}
    found = baseline_of(0.6, 0.83)
    poor = view(tmp_path, Kind.EVALUATION, "evaluation-e1", **facts, baseline_accuracy=0.83, baseline=found)
    card = model_card("x", "1.0.0", model, [], [poor])
    assert "| Quick baseline, no language model | 83.0% |" in card
    assert (
        "- small: Accuracy 60.0%: no better than a quick baseline without a language model (TF-IDF classifier" in card
    )
    assert "baseline" not in model_card("x", "1.0.0", model, [], [view(tmp_path, Kind.EVALUATION, "e", **facts)])


def test_the_card_says_where_a_training_stopped_and_which_weights_it_holds(tmp_path: Path) -> None:
    run = {"steps": 20.0, "planned_steps": 400.0, "kept_step": 10.0, "eval_loss": 0.9, "last_eval_loss": 1.2}
    model, whole = view(tmp_path / "model", Kind.ONNX, "onnx-o1", training=run), {"steps": 9.0, "kept_step": 9.0}
    made = [view(tmp_path, Kind.ADAPTER, "tuned", training=run), view(tmp_path, Kind.MODEL, "base", training=whole)]
    card = model_card("x", "1.0.0", model, made, [])
    said = "The training of tuned stopped at step 20 of 400. It holds the weights of step 10, with a validation loss of 0.900."
    assert card.count("The training of") == 1 and said in card


def test_a_dataset_of_before_has_no_section(tmp_path: Path) -> None:
    model = view(tmp_path / "model", Kind.ONNX, "onnx-o1")
    card = model_card("x", "1.0.0", model, [view(tmp_path, Kind.DATASET, rows={"train": 3})], [])
    assert "## Data" not in card
