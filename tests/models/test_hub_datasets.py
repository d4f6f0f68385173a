"""Datasets of a hub: which files hold rows, what belongs together, what is never fetched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backend.core.errors import StudioError
from backend.models import hub
from backend.models.hub_datasets import chosen, is_data_file, parts_of, stored_names
from backend.models.hub_views import HubDetails, HubFile
from tests.models.fake_hub import FakeHub, serving


def known(names: list[str], configs: object = None) -> HubDetails:
    files = [HubFile(name=name, bytes=10) for name in names]
    return HubDetails(repo="a/b", commit="c", url="u", files=files, parts=parts_of(files, configs))


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("data/train-00000-of-00001.parquet", True),
        ("train.csv", True),
        ("en/test.jsonl.gz", True),
        ("rows.json.zst", True),
        ("dataset_infos.json", False),
        ("loader.py", False),
        ("README.md", False),
        (".hidden/train.csv", False),
        ("../train.csv", False),
        ("a/../../train.csv", False),
        ("/etc/train.csv", False),
        ("a\\..\\train.csv", False),
        ("archive.zip", False),
    ],
)
def test_only_files_of_rows_that_stay_in_their_folder_count(name: str, held: bool) -> None:
    assert is_data_file(name) is held


def test_the_card_says_what_belongs_together() -> None:
    found = known(
        ["en/a.csv", "en/b.csv", "fr/a.csv"],
        [
            {
                "config_name": "en",
                "data_files": [{"split": "train", "path": "en/a*"}, {"split": "test", "path": ["en/b.csv"]}],
            },
            {"config_name": "fr", "data_dir": "fr", "data_files": {"train": "*.csv"}},
            {"config_name": "gone", "data_files": "no/*.csv"},
        ],
    )
    assert [(part.config, part.split, part.files) for part in found.parts] == [
        ("en", "train", ["en/a.csv"]),
        ("en", "test", ["en/b.csv"]),
        ("fr", "train", ["fr/a.csv"]),
    ]
    assert chosen(found, "en", ["test"]) == ["en/b.csv"]
    assert stored_names(found, ["en/a.csv", "en/b.csv"]) == {
        "en/a.csv": "train/part-0.csv",
        "en/b.csv": "test/part-1.csv",
    }


@pytest.mark.parametrize(
    "configs", [None, "x", [1], [{"data_files": 3}], [{"data_files": [{"split": 1, "path": "*"}]}]]
)
def test_without_the_card_names_tell(configs: object) -> None:
    found = known(["data/train-0.parquet", "data/train-1.parquet", "data/test-0.parquet", "es/dev.csv"], configs)
    assert [(part.config, part.split, len(part.files)) for part in found.parts] == [
        ("", "test", 1),
        ("", "train", 2),
        ("es", "validation", 1),
    ]
    assert stored_names(found, ["data/train-0.parquet"]) == {"data/train-0.parquet": "data/train-0.parquet"}


def test_what_is_not_clear_is_asked() -> None:
    several = known(["en/train.csv", "fr/train.csv"])
    for ask, code in (
        (lambda: chosen(several), "hub.config_open"),
        (lambda: chosen(several, "de"), "hub.config_missing"),
        (lambda: chosen(several, "en", ["test"]), "hub.split_missing"),
        (lambda: chosen(several, names=["it/train.csv"]), "hub.file_missing"),
        (lambda: chosen(known([])), "hub.no_data_files"),
    ):
        with pytest.raises(StudioError) as said:
            ask()
        assert said.value.problems[0].code == code
    assert chosen(several, names=["fr/train.csv"]) == ["fr/train.csv"]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    files: dict[str, bytes] = {
        "train.csv": b"text,label\na,b\n",
        "loader.py": b"raise SystemExit",
        "README.md": b"# Card",
    }
    with serving(FakeHub(dict(files), "acme/rows", kind="dataset", card={"configs": []})) as made:
        monkeypatch.setenv("HF_ENDPOINT", made.url)
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        monkeypatch.setenv("NO_PROXY", "*")
        yield made


def test_size_license_and_card_are_known_before(server: FakeHub) -> None:
    (entry,) = hub.search("rows", "dataset")
    assert (entry.repo, entry.license) == ("acme/rows", "apache-2.0")
    found = hub.details("acme/rows", "dataset")
    assert [each.name for each in found.files] == ["train.csv"] and found.bytes == 15
    assert found.url == f"{server.url}/datasets/acme/rows"
    assert hub.card("acme/rows", "dataset").strip() == "# Card"
    assert not any("resolve" in path and "README" not in path for _, path, _ in server.asked)
