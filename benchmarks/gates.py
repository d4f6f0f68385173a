"""What the gates find of planted faults, and say of clean data: `python -m benchmarks.gates [--rows 1000] [--seed 1]`.

Three clean sets (the demo in English, in Spanish, questions of customers with free answers) and each with planted faults
(tests/data/gates/planted.py). The near copies of the clean sets were taken out by the same measure, so that false alarms of
that gate are none by construction; all others are as they come. Times are those of all gates on one core.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from backend.data.gates.base import Found
from backend.data.gates.check import Checking, Settings
from tests.data.gates.planted import Planted, clean_demo, clean_faq, plant

COUNTED = ("near_duplicates", "leaks", "personal", "contradictions", "label_variants", "wrong_labels")
ABOUT_CLASSES = ("one_class", "too_many_classes", "rare_classes", "imbalance")
"""What they say is of classes, not of rows."""


def found_by(data: Planted, folder: Path) -> tuple[dict[str, set[str]], float]:
    """Gate -> ids of the rows that it found, and seconds in all."""
    begun = time.perf_counter()
    checking = Checking(data.write(folder), Settings())
    ran = (each for gates in checking.passes() for each in checking.run(gates) if each)
    found = {each.finding.gate: each for each in ran}
    rows = {name: _ids(each, data) for name, each in found.items() if name not in ABOUT_CLASSES}
    return rows, time.perf_counter() - begun


def _ids(found: Found, data: Planted) -> set[str]:
    """Of a pair of near copies it does not matter which one comes first in the file and is taken for the original."""
    planted = data.faults["near_duplicates"] if found.finding.gate == "near_duplicates" else set()
    return {row.other if row.other in planted else row.row for row in found.rows}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    sets = {
        "demo EN": (lambda rows: clean_demo("en", rows, asked.seed), "en"),
        "demo ES": (lambda rows: clean_demo("es", rows, asked.seed), "es"),
        "questions": (lambda rows: clean_faq(rows, asked.seed), "both"),
    }
    print("| set | gate | planted | found | recall | others found |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, (make, language) in sets.items():
            planted = plant(
                make(asked.rows - 130), language, asked.seed
            )  # 100 near copies, 20 leaks, 10 contradictions
            rows, seconds = found_by(planted, Path(folder) / f"{name} planted")
            for gate in COUNTED:
                if wanted := planted.faults.get(gate):
                    got = rows.get(gate, set())
                    others = len(got - set().union(*planted.faults.values()))
                    share = len(wanted & got) / len(wanted)
                    print(f"| {name} | {gate} | {len(wanted)} | {len(wanted & got)} | {share:.0%} | {others} |")
            total = sum(map(len, planted.rows.values()))
            print(f"| {name} | all, {total} rows | | | {seconds:.1f} s | |")
        print("\n| clean set | rows | false alarms by gate | rows with any |\n|---|---|---|---|")
        for name, (make, _language) in sets.items():
            clean = make(asked.rows)
            rows, _seconds = found_by(clean, Path(folder) / f"{name} clean")
            alarms = ", ".join(f"{gate} {len(ids)}" for gate, ids in rows.items()) or "none"
            any_row = len(set().union(*rows.values())) if rows else 0
            print(f"| {name} | {asked.rows} | {alarms} | {any_row} ({any_row / asked.rows:.1%}) |")


if __name__ == "__main__":
    main()
