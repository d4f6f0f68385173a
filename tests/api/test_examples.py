"""The samples: each is read without a question, becomes a dataset and passes the checks, in both languages."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from backend.api import Studio
from backend.api.examples import LANGUAGES, LICENSE, SAMPLES, Sample, add_sample, sample_path
from backend.core.artifacts import read_manifest
from backend.core.errors import StudioError
from backend.core.paths import assets
from backend.core.schemas import Kind
from backend.data.gates.report import read_card
from backend.jobs.context import MemoryContext
from backend.stages import stage
from tests.helpers import view

EACH = [(sample, language) for sample in SAMPLES for language in LANGUAGES]
NAMES = [f"{sample.id}-{language}" for sample, language in EACH]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file)) if path.suffix == ".csv" else [json.loads(line) for line in file]


@pytest.mark.parametrize(("sample", "language"), EACH, ids=NAMES)
def test_it_is_read_surely_and_passes_the_checks(home: Path, tmp_path: Path, sample: Sample, language: str) -> None:
    studio = Studio.open(home=home)
    upload = add_sample(studio.settings, sample.id, language)
    values = {"source": str(upload.path), "license": LICENSE}
    found = studio.inspect(values)
    assert found.reading.question is None and not [one for one in found.problems if one.blocking]
    assert {one.code for one in found.problems} <= {"data.prompt_spanish", "reading.taken_by_name"}
    job = MemoryContext(tmp_path / "import")
    dataset = stage("dataset")
    result = dataset.run(dataset.parse(values), job)
    path = next(Path(one["path"]) for one in job.events if one["event"] == "artifact")
    manifest = read_manifest(path)
    assert manifest.license == "CC0-1.0" and sum(manifest.facts["rows"].values()) == sample.rows
    assert not result.findings
    checks, again = stage("check_data"), view(path, Kind.DATASET, manifest.id, **manifest.facts)
    checked = MemoryContext(tmp_path / "check", [again], job_id="j2")
    checks.run(checks.parse({"data": manifest.id}), checked)
    card = read_card(next(Path(one["path"]) for one in checked.events if one["event"] == "artifact"))
    assert card.verdict != "not_ready", card.findings


@pytest.mark.parametrize(("sample", "language"), EACH, ids=NAMES)
def test_its_rows_are_many_different_and_full(sample: Sample, language: str) -> None:
    rows = rows_of(sample_path(sample, language))
    first, second = rows[0]
    assert len(rows) == sample.rows and len({row[first].casefold() for row in rows}) == len(rows)
    assert all(row[first].strip() == row[first] and len(row[first]) > 8 for row in rows)
    if sample.id == "distill":
        assert Counter(bool(row[second]) for row in rows) == {False: 40, True: 36}
    elif sample.id == "sort":
        assert set(Counter(row[second] for row in rows).values()) == {14}
    else:
        assert len({row[second] for row in rows}) == len(rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_fields_of_an_order_stand_in_its_text(language: str) -> None:
    sample = next(one for one in SAMPLES if one.id == "extract")
    rows = [(row["input"].casefold(), json.loads(row["output"])) for row in rows_of(sample_path(sample, language))]
    assert len({tuple(fields) for _text, fields in rows}) == 1
    for text, fields in rows:
        product, quantity, _unit, day = fields.values()
        assert all(word.removesuffix("s") in text for word in product.split() if word not in ("pan", "de")), (
            text,
            product,
        )
        assert isinstance(quantity, (int, float)) and (day is None or day.casefold() in text), text


def test_the_license_lies_beside_them_and_names_every_file() -> None:
    said = (assets() / "examples" / "LICENSE.md").read_text("utf-8")
    assert LICENSE in said and all(sample.file in said and str(sample.rows) in said for sample in SAMPLES)
    files = {path.relative_to(assets() / "examples").as_posix() for path in (assets() / "examples").rglob("*.*")}
    assert files == {"LICENSE.md", *(f"{language}/{sample.file}" for sample, language in EACH)}


def test_an_unknown_sample_is_refused(home: Path) -> None:
    with pytest.raises(StudioError):
        add_sample(Studio.open(home=home).settings, "../../etc/passwd", "en")
