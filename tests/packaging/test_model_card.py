"""The README of a package: what it says of the data."""

from __future__ import annotations

from pathlib import Path

from backend.core.errors import Problem
from backend.core.schemas import Kind
from backend.data.reading.model import Candidate, Reading, Roles
from backend.data.sources.options import SourceFacts
from backend.packaging.model_card import model_card
from tests.helpers import view


def test_the_card_says_how_the_data_was_read_and_what_was_said_of_it(tmp_path: Path) -> None:
    model = view(tmp_path / "model", Kind.ONNX, "onnx-o1")
    said = [{"code": "data.few_distinct", "args": {"rows": 1230, "distinct": 90}}]
    data = view(tmp_path, Kind.DATASET, "dataset-d1", rows={"train": 1200, "test": 30, "pool": 0}, warnings=said)
    card = model_card("x", "1.0.0", model, [data], [])
    assert "- 1230 rows hold only 90 different pairs" in card and "1,200 train, 30 test" in card
    assert "Read from" not in card
    roles = Roles(input=["Asunto", "Texto"], output="Tipo")
    why = Problem(code="data.no_answers", args={"rows": 1}, blocking=False)
    taken = Candidate(schema_name="text_label", task="", roles=roles, confidence=1, reason=why)
    reading = Reading(file="tickets.csv", source=SourceFacts(format="csv", title="CSV"), rows=1230, taken=taken)
    (tmp_path / "reading.json").write_text(reading.model_dump_json(), encoding="utf-8")
    card = model_card("x", "1.0.0", model, [data], [])
    assert "Read from `tickets.csv` as: Text and label (Asunto, Texto, Tipo)." in card


def test_a_dataset_of_before_has_no_section(tmp_path: Path) -> None:
    model = view(tmp_path / "model", Kind.ONNX, "onnx-o1")
    card = model_card("x", "1.0.0", model, [view(tmp_path, Kind.DATASET, rows={"train": 3})], [])
    assert "## Data" not in card
