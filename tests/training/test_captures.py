"""What a byte budget buys, and the fingerprint of a row."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.training.captures import ROW_BYTES, Layout, data_hashes, fingerprint, full_layout, id_bytes, layout_for
from tests.helpers import tiny_dataset


@pytest.mark.parametrize("budget", [48, 80, 114, 200, 300])
@pytest.mark.parametrize("vocabulary", [1024, 49_152, 151_936])
@pytest.mark.parametrize("answers", [2.0, 5.4, 200.0])
def test_a_layout_fills_its_budget_and_stays_within(budget: int, vocabulary: int, answers: float) -> None:
    layout = layout_for(budget, vocabulary, [1.0, 2.0], answers)
    taken = layout.token_bytes + ROW_BYTES / answers
    each = layout.id_bytes + layout.value_bits / 8
    assert budget - each < taken <= budget and layout.k >= 2


def test_the_default_of_a_small_model() -> None:
    assert layout_for(114, 49_152, [1.0, 2.0], 5.4) == Layout(32, 2, 8, (1.0, 2.0))
    assert layout_for(300, 49_152, [1.0, 2.0, 1.0], 5.4) == Layout(71, 2, 16, (1.0, 2.0))
    assert layout_for(300, 40, [1.0], 5.4).k == 40
    assert full_layout(1024, [2.0]) == Layout(1024, 2, 32, (2.0,))


def test_ids_take_the_fewest_bytes() -> None:
    assert [id_bytes(size) for size in (1024, 65_536, 65_537, 262_144, 20_000_000)] == [2, 2, 3, 3, 4]


def test_rows_are_told_by_their_tokens_and_where_the_answer_begins() -> None:
    assert fingerprint([1, 2, 3], 2) == fingerprint([1, 2, 3], 2)
    assert len({fingerprint([1, 2, 3], 2), fingerprint([1, 2, 3], 1), fingerprint([2, 1, 3], 2)}) == 3
    assert -(2**63) <= fingerprint([49_151], 0) < 2**63


def test_hashes_follow_rows_and_template(tmp_path: Path) -> None:
    folder = tiny_dataset(tmp_path / "d")
    before = data_hashes(folder)
    (folder / "train.jsonl").write_text('{"id": "1", "input": "x", "output": "red"}\n', "utf-8")
    after = data_hashes(folder)
    assert after["data"] != before["data"] and after["template"] == before["template"]
