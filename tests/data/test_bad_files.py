"""Every bad file ends in one clear sentence that names the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.data.prepare import prepare
from backend.stages.dataset import STAGE
from tests.data.bad_files import BAD, BadFile, csv_text, with_line


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_sentence_names_the_place(bad: BadFile, tmp_path: Path) -> None:
    path = tmp_path / bad.name
    bad.write(path)
    with pytest.raises(StudioError) as caught:
        prepare(STAGE.parse({"source": str(path), **bad.params}), 0, tmp_path)
    assert caught.value.code == bad.code
    text = caught.value.text()
    assert "\n" not in text and text.endswith(".")
    for word in bad.words:
        assert word in text


def test_all_kinds_of_bad_rows_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(with_line(6, " ,odd", with_line(3, "a,b,c")), encoding="utf-8")
    with pytest.raises(StudioError) as caught:
        prepare(STAGE.parse({"source": str(path)}), 0, tmp_path)
    assert {problem.code for problem in caught.value.problems} == {"data.ragged", "data.input_empty"}


def test_only_the_first_places_are_named_and_all_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(csv_text() + "x\n" * 8, encoding="utf-8")
    with pytest.raises(StudioError, match=r"8 rows.*42 → 1, 43 → 1, 44 → 1, 45 → 1, 46 → 1, …\)"):
        prepare(STAGE.parse({"source": str(path)}), 0, tmp_path)


def test_skip_leaves_bad_rows_out_and_reports_them(tmp_path: Path) -> None:
    good = with_line(4, "a,b,c", with_line(6, " ,odd")).replace("number", "número").encode()
    path = tmp_path / "rows.csv"
    path.write_bytes(good.replace("número 7,".encode(), "número 7,".encode("latin-1")))
    prepared = prepare(STAGE.parse({"source": str(path), "on_bad_row": "skip"}), 0, tmp_path)
    assert sum(map(len, prepared.numbers.values())) == 37
    assert prepared.dropped == {"data.ragged": 1, "data.input_empty": 1, "data.encoding": 1}
    assert {problem.code for problem in prepared.warnings} >= set(prepared.dropped)
    assert not any(problem.blocking for problem in prepared.warnings)
