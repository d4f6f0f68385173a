"""The reading of a source in a bounded child: kept, made once, and a child's death said in a sentence."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from backend.core import programs
from backend.core.errors import StudioError
from backend.data.params import DatasetParams
from backend.files import source_reading
from backend.files.source_reading import read_source
from tests.data.bad_files import csv_text
from tests.helpers import PATIENCE

pytestmark = pytest.mark.proc


@pytest.fixture(autouse=True)
def nothing_known() -> None:
    source_reading._known.clear()
    source_reading._failed.clear()


@pytest.fixture
def rows(tmp_path: Path) -> DatasetParams:
    file = tmp_path / "rows.csv"
    file.write_text(csv_text(), encoding="utf-8")
    return DatasetParams(source=str(file))


class Children:
    """Counts the programs that were started; `replaced` is the code that runs in their place."""

    def __init__(self, patch: pytest.MonkeyPatch, replaced: str = "") -> None:
        self.count = 0
        real = programs.command

        def counted(program: str, *arguments: object) -> list[str]:
            self.count += 1
            made = real(program, *arguments)
            return [made[0], "-c", replaced, *map(str, arguments)] if replaced else made

        patch.setattr(source_reading, "command", counted)


def test_a_file_is_read_once_whoever_asks_and_again_when_it_changes(
    rows: DatasetParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    children = Children(monkeypatch)
    first = read_source(rows, tmp_path / "cache")
    assert first.reading.taken and first.reading.taken.roles.output == "label" and first.forecast["rows"]["train"] == 32
    assert read_source(rows, tmp_path / "cache") is first
    source_reading._known.clear()
    assert read_source(rows.model_copy(update={"name": "other"}), tmp_path / "cache") == first
    assert children.count == 1
    Path(rows.source).write_text(csv_text() + "one more,even\n", encoding="utf-8")
    assert read_source(rows, tmp_path / "cache").reading.rows > first.reading.rows
    assert read_source(rows.model_copy(update={"output": "text", "input": "label"}), tmp_path / "cache") != first
    assert children.count == 3


def test_callers_at_the_same_time_run_one_child(
    rows: DatasetParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    children = Children(monkeypatch)
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(read_source(rows, tmp_path / "cache"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6 and children.count == 1


def test_what_is_wrong_with_a_file_comes_out_of_the_child_and_is_kept(
    rows: DatasetParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    children = Children(monkeypatch)
    wrong = rows.model_copy(update={"output": "colour"})
    for _ in range(2):
        with pytest.raises(StudioError, match="has no column “colour”"):
            read_source(wrong, tmp_path / "cache")
        source_reading._failed.clear()
    assert children.count == 1


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = []\nwhile True: x.append(bytearray(50_000_000))", "inspect.memory"),
        ("raise RuntimeError('std::bad_alloc')", "inspect.memory"),
        ("import os; os.abort()", "inspect.stopped"),
        ("import time; time.sleep(60)", "inspect.time"),
        ("while True: pass", "inspect.time"),
    ],
)
def test_a_child_that_dies_is_a_sentence(
    code: str, message: str, rows: DatasetParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded = (
        "import json, sys; from pathlib import Path; from backend.core.limits import limit\n"
        "limits = json.loads(Path(sys.argv[1]).read_text())['limits']\n"
        f"limit(**limits)\n{code}"
    )
    monkeypatch.setattr(source_reading, "SECONDS", 1 if message == "inspect.time" else int(PATIENCE))
    if "bytearray" in code:
        monkeypatch.setattr(source_reading, "MEMORY_BYTES", 500_000_000)
    children = Children(monkeypatch, bounded)
    for _ in range(2):  # a page asks again at once: no second child
        with pytest.raises(StudioError) as caught:
            read_source(rows, tmp_path / "cache")
        assert caught.value.code == message and "rows.csv" in caught.value.text()
    assert children.count == 1
    assert not list((tmp_path / "cache" / "readings").glob(".child-*"))


def test_a_missing_file_costs_no_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    children = Children(monkeypatch)
    gone = DatasetParams(source=str(tmp_path / "a.csv"), test_source=str(tmp_path / "b.csv"))
    with pytest.raises(StudioError) as caught:
        read_source(gone, tmp_path / "cache")
    assert [problem.field for problem in caught.value.problems] == ["source", "test_source"] and children.count == 0


def test_the_readings_that_were_used_last_are_kept(
    rows: DatasetParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_reading, "_MOST_KEPT", 2)
    folder = tmp_path / "cache" / "readings"
    folder.mkdir(parents=True)
    for number in range(4):
        (folder / f"old{number}.json").write_text("{}", encoding="utf-8")
        os.utime(folder / f"old{number}.json", (number, number))
    read_source(rows, tmp_path / "cache")
    assert len(list(folder.glob("*.json"))) == 2 and (folder / "old3.json").is_file()
