"""Planted faults are found and clean rows left alone: `benchmarks/gates.py` with fewer rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.data.gates.check import Settings, check_folder
from tests.data.gates.planted import Planted, clean_demo, clean_faq, plant

SETS = {"en": lambda: clean_demo("en", 300), "es": lambda: clean_demo("es", 300), "both": lambda: clean_faq(300)}
LEAST = {"near_duplicates": 0.95, "leaks": 0.95, "label_variants": 0.95, "contradictions": 0.95, "personal": 0.9}


@pytest.fixture(scope="module", params=SETS)
def planted(request: pytest.FixtureRequest) -> tuple[Planted, Planted]:
    """The clean set, and the same with a third of the faults of the benchmark."""
    clean = SETS[request.param]()
    return clean, plant(clean, request.param, scale=0.3)


def found(data: Planted, folder: Path) -> dict[str, set[str]]:
    card = check_folder(data.write(folder), Settings(leave_out=["rare_classes", "imbalance", "too_many_classes"]))
    return {each.gate: {*each.rows, *(one.other for one in each.examples)} for each in card.findings}


def test_recall(planted: tuple[Planted, Planted], tmp_path: Path) -> None:
    _clean, faulty = planted
    got = found(faulty, tmp_path / "faulty")
    for gate, wanted in faulty.faults.items():
        if gate == "near_duplicates":  # which of the two comes first does not matter
            assert len(got[gate]) >= LEAST[gate] * len(wanted)
        elif gate in LEAST:
            assert len(wanted & got[gate]) >= LEAST[gate] * len(wanted), gate


def test_false_alarms(planted: tuple[Planted, Planted], tmp_path: Path) -> None:
    clean, _faulty = planted
    rows = found(clean, tmp_path / "clean")
    assert len(set().union(*rows.values())) <= 0.02 * sum(map(len, clean.rows.values())), rows
