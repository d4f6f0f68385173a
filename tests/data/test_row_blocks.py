"""Rows read in blocks are the rows, whatever they have."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from backend.data import row_blocks
from backend.data.dataset import DataFolder, Row, Template, write_split, write_template
from backend.data.facts import data_facts
from backend.data.gates.rows import CheckedRows
from backend.data.row_blocks import RowBlock, line_starts, read_lines

BARE = [Row(id="r1", input="a", output="x"), Row(id="r2", input="é\n2024-01-01"), Row(id="r3", input="", output="")]
OTHERS = [
    Row(id="r4", input="a", output="x", fields={"source": "web"}),
    Row(id="r5", input="c", output="y", context=[{"role": "user", "content": "before"}], gold="z", rejected="w"),
    Row(id="r6", input="d", output="z"),
]


def test_plain_rows_are_columns_and_others_are_read_whole(tmp_path: Path) -> None:
    write_split(tmp_path, "train", BARE)
    write_split(tmp_path, "test", OTHERS)
    plain, others = (RowBlock(s, 0, *read_lines(tmp_path / f"{s}.jsonl")) for s in ("train", "test"))
    assert plain.bare and not others.bare
    for block, rows in ((plain, BARE), (others, OTHERS)):
        assert [row.model_copy() for row in block.rows()] == rows and len(block) == 3
        assert block.ids.to_pylist() == [row.id for row in rows]
        assert block.outputs.to_pylist() == [row.output for row in rows]


def test_a_row_is_found_again_by_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_blocks, "BLOCK_BYTES", 100)
    parts: dict[str, list[Row]] = {"train": BARE * 20, "validation": [], "test": OTHERS * 5, "pool": BARE}
    for split, rows in parts.items():
        write_split(tmp_path, split, rows)
    checked, seen = CheckedRows(tmp_path), list[int]()
    blocks = list(checked.blocks(seen.append))
    assert len(blocks) > 10 and sum(seen) == len(checked) == 78
    wanted = [(split, row) for split, rows in parts.items() for row in rows]
    assert [(block.split, row.model_copy()) for block in blocks for row in block.rows()] == wanted
    assert [checked[number] for number in (77, 0, 40, 60, 74)] == [wanted[number] for number in (77, 0, 40, 60, 74)]


def test_lines_begin_where_the_one_before_ends() -> None:
    assert line_starts(b"a\nbc\n").tolist() == line_starts(b"a\nbc").tolist() == [0, 2]


@pytest.mark.parametrize("template", [Template(), Template(system="Be brief.", user="{input} and {input}")])
def test_facts_of_columns_are_those_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: Template
) -> None:
    write_template(tmp_path, template)
    write_split(tmp_path, "train", BARE * 3)
    write_split(tmp_path, "test", BARE)
    write_split(tmp_path, "pool", OTHERS)
    facts: dict[str, Any] = data_facts(tmp_path)
    assert facts["rows"] == {"train": 9, "validation": 0, "test": 3, "pool": 3} and facts["sequences"] == 6
    monkeypatch.setattr(RowBlock, "bare", False)
    monkeypatch.setattr(RowBlock, "rows", lambda block: chain(DataFolder(tmp_path).rows(block.split)))
    assert data_facts(tmp_path) == facts
