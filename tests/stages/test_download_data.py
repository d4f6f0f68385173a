"""A dataset from a hub of our own: fetched as files, read like any file, its license and origin kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.core.errors import Cancelled
from backend.core.settings import Settings
from backend.data.params import DatasetParams
from backend.files.uploads import delete_upload, uploads
from backend.jobs.context import MemoryContext
from backend.stages import dataset
from backend.stages.download_data import DownloadDataParams, check, quote, run
from tests.models.fake_hub import COMMIT, FakeHub, serving
from tests.stages.fake_world import FakeWorld


def rows(split: str, count: int, folder: Path) -> Path:
    file = folder / f"{split}.parquet"
    table = pa.table(
        {
            "text": [f"{split} row {n} of the set" for n in range(count)],
            "label": [("good", "bad")[n % 2] for n in range(count)],
        }
    )
    pq.write_table(table, file)
    return file


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    files: dict[str, bytes | Path] = {
        "data/train-00000-of-00002.parquet": rows("train", 60, tmp_path),
        "data/train-00001-of-00002.parquet": rows("more", 60, tmp_path),
        "data/test-00000-of-00001.parquet": rows("test", 20, tmp_path),
        "rows.py": b"raise SystemExit",
    }
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("NO_PROXY", "*")
    with serving(FakeHub(files, "acme/reviews", "cc-by-4.0", "dataset")) as made:
        monkeypatch.setenv("HF_ENDPOINT", made.url)
        yield made


def context(home: Path) -> MemoryContext:
    ctx = MemoryContext(home / "jobs" / "one")
    ctx.artifacts = home / "artifacts"
    return ctx


def test_rows_come_in_with_license_and_origin(server: FakeHub, home: Path) -> None:
    made = run(DownloadDataParams(repo="acme/reviews"), context(home))
    source = Path(made.source)
    assert source.name == "reviews" and source.is_relative_to(home / "uploads")
    assert sorted(path.name for path in source.rglob("*") if path.is_file()) == [
        "test-00000-of-00001.parquet",
        "train-00000-of-00002.parquet",
        "train-00001-of-00002.parquet",
    ]
    assert (made.license, made.metrics["bytes"]) == (
        "cc-by-4.0",
        float(sum(each.stat().st_size for each in source.rglob("*.parquet"))),
    )
    ctx = MemoryContext(home / "jobs" / "two")
    dataset.run(DatasetParams(source=made.source), ctx)
    (kept,) = [event["manifest"] for event in ctx.events if event["event"] == "artifact"]
    assert (kept["name"], kept["license"]) == ("reviews", "cc-by-4.0")
    assert kept["facts"]["hub"] == {"host": "127.0.0.1", "repo": "acme/reviews", "commit": COMMIT}
    assert kept["facts"]["rows"]["test"] == 20 and kept["facts"]["rows"]["train"] > 90


def test_a_stop_keeps_what_arrived_and_the_same_again_is_found(server: FakeHub, home: Path) -> None:
    ctx = context(home)
    ctx.stop = True
    with pytest.raises(Cancelled):
        run(DownloadDataParams(repo="acme/reviews", splits=["test"]), ctx)
    ctx.stop = False
    first = run(DownloadDataParams(repo="acme/reviews", splits=["test"]), ctx)
    fetched = [path for method, path, _ in server.asked if method == "GET" and "/resolve/" in path]
    assert [path.rpartition("/")[2] for path in fetched] == ["test-00000-of-00001.parquet"]
    assert run(DownloadDataParams(repo="acme/reviews", splits=["test"]), context(home)).source == first.source
    assert len([path for method, path, _ in server.asked if method == "GET" and "/resolve/" in path]) == 1


def test_it_lies_among_the_uploads_until_somebody_deletes_it(server: FakeHub, home: Path) -> None:
    made = run(DownloadDataParams(repo="acme/reviews", files=["data/test-00000-of-00001.parquet"]), context(home))
    (found,) = uploads(Settings())
    assert found.path == Path(made.source) and found.origin and found.origin.repo == "acme/reviews"
    assert delete_upload(Settings(), found.id, {}) == found.bytes > 0
    assert uploads(Settings()) == [] and not found.path.exists()


def test_check_asks_nothing_of_the_network() -> None:
    assert [each.code for each in check(DownloadDataParams(repo="a/b/c"), FakeWorld())] == [
        "hub.offline",
        "hub.repo_name",
    ]
    assert quote(DownloadDataParams(repo="a/b", size=10**9), FakeWorld()).disk_bytes == 10**9
