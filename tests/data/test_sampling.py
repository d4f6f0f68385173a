"""Large files of every form are looked at all over, and read as the whole is read."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.data import inspect_source
from backend.data.inspect_source import Inspection, inspect
from backend.data.params import DatasetParams
from backend.data.prepare import load
from backend.data.sampling import packed
from tests.data.sampling_files import COUNT, FILES, ROWS, small_limits, table


def _looked_at(path: Path, **told: str) -> Inspection:
    return inspect(DatasetParams.model_validate({"source": str(path), **told}))


@pytest.mark.parametrize("name", FILES)
def test_a_sample_reads_as_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    path = tmp_path / name
    FILES[name](path)
    whole = _looked_at(path)
    small_limits(monkeypatch)
    monkeypatch.setattr(inspect_source, "load", _no_whole(load, path))
    found = _looked_at(path)
    assert found.reading.sampled and not whole.reading.sampled
    assert found.reading.rows < COUNT * 0.6
    assert found.reading.estimated == pytest.approx(COUNT, rel=0.1)
    assert found.reading.labels == whole.reading.labels == [f"label {number:02}" for number in range(10)]
    assert found.reading.source == whole.reading.source
    assert found.reading.file == whole.reading.file
    assert found.reading.taken == whole.reading.taken
    assert [column.kind for column in found.reading.columns] == [column.kind for column in whole.reading.columns]
    assert found.preview == whole.preview
    for split, count in whole.forecast["rows"].items():
        assert found.forecast["rows"][split] == pytest.approx(count, rel=0.15, abs=10)


def _no_whole(loaded: Callable[..., object], path: Path) -> Callable[..., object]:
    """Fails where the file itself is loaded."""

    def checked(params: DatasetParams, *rest: object, **more: object) -> object:
        assert params.source != str(path)
        return loaded(params, *rest, **more)

    return checked


def test_a_compressed_file_that_is_not_unpacked_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_limits(monkeypatch)
    monkeypatch.setattr("backend.data.sources.containers._PIECE", 8_000)
    monkeypatch.setitem(packed.UNPACKED, "gzip", 60_000)
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(table(ROWS).encode()))
    found = _looked_at(path)
    assert found.reading.sampled and found.reading.source.container == "gzip"
    assert 3 <= len(found.reading.labels) < 10
    assert found.forecast


def test_row_errors_in_an_archive_have_their_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_limits(monkeypatch)
    rows = [dict(row) for row in ROWS]
    rows[-2]["text"] += ",more"
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(table(rows).encode()))
    (problem,) = (problem for problem in _looked_at(path).problems if problem.blocking)
    assert (problem.code, problem.args["places"]) == ("data.ragged", f"{COUNT} → 4")


def test_objects_within_rows_are_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_limits(monkeypatch)
    inner = '{"id": "x", "text": "inside", "label": "wrong"}, {"id": "y", "text": "inside", "label": "wrong"}'
    rows = [
        f'{{"id": "{row["id"]}", "text": "{row["text"]}", "label": "{row["label"]}", "more": [{inner}]}}'
        for row in ROWS
    ]
    path = tmp_path / "nested.json"
    path.write_text(f"[{', '.join(rows)}]", "utf-8")
    found = _looked_at(path, input="text", output="label")
    assert "wrong" not in found.reading.labels and found.forecast
