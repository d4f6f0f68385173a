"""Datasets of every kind of row, as the stage leaves them: conversations, preferences, several labels, exports, splits."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.data.dataset import DataFolder, Row
from backend.data.inspect_source import inspect
from backend.data.params import DatasetParams
from backend.data.reading.model import Reading
from backend.files.downloads import as_rows
from backend.stages.dataset import STAGE, check
from tests.data.bad_files import json_lines
from tests.stages.fake_world import FakeWorld
from tests.stages.test_dataset import ROWS, build, codes, write


def every(data: DataFolder) -> list[tuple[str, Row]]:
    return [(split, row) for split in ("train", "validation", "test", "pool") for row in data.rows(split)]


def chats(count: int = 40, system: str = "Be kind.") -> list[dict[str, Any]]:
    return [
        {
            "messages": [
                {"role": "system", "content": system},
                {"role": "user", "content": f"Where is shelf {n}, near door {n * 7}?"},
                {"role": "assistant", "content": f"Left of pillar {n}."},
                {"role": "user", "content": f"And the lift to floor {n * 3}?"},
                {"role": "assistant", "content": f"Behind counter {n}, past the stairs."},
            ]
        }
        for n in range(count)
    ]


def test_a_conversation_never_straddles_splits_and_its_system_is_the_templates(tmp_path: Path) -> None:
    data, facts, _ = build(tmp_path, source=write(tmp_path / "rows.jsonl", chats()), near_duplicates=0)
    homes: dict[str, set[str]] = {}
    for split, row in every(data):
        homes.setdefault(row.conversation, set()).add(split)
    assert len(homes) == 40 and all(len(found) == 1 for found in homes.values()) and sum(facts["rows"].values()) == 80
    assert data.template.system == "Be kind." and "reading.system" in codes(facts, "notes")
    assert all(turn["role"] != "system" for _, row in every(data) for turn in row.context)
    assert data.template.prompt(next(data.rows("train")))[0] == {"role": "system", "content": "Be kind."}


def test_system_prompts_that_differ_stay_with_their_rows(tmp_path: Path) -> None:
    rows = [*chats(20), *chats(20, "Be brief.")]
    data, _, _ = build(tmp_path, source=write(tmp_path / "rows.jsonl", rows))
    assert data.template.system == ""
    assert {row.context[0]["content"] for _, row in every(data)} == {"Be kind.", "Be brief."}


def test_only_the_last_answers(tmp_path: Path) -> None:
    _, facts, _ = build(tmp_path, source=write(tmp_path / "rows.jsonl", chats()), turns="last")
    assert sum(facts["rows"].values()) == 40 and codes(facts)["data.turns_skipped"]["count"] == 40


def test_the_rejected_answer_is_kept_and_not_learned(tmp_path: Path) -> None:
    rows = [
        {"prompt": f"How do I clean object {n * 13}?", "chosen": f"With soap {n}.", "rejected": f"Throw it at {n}."}
        for n in range(40)
    ]
    data, facts, _ = build(tmp_path, source=write(tmp_path / "rows.jsonl", rows))
    assert {(row.output or "")[:4] for _, row in every(data)} == {"With"}
    assert {(row.rejected or "")[:5] for _, row in every(data)} == {"Throw"}
    assert facts["pairs"] == facts["rows"]["train"] > 0 == facts["rejected_rows"]


def test_pairs_of_one_prompt_and_answer_are_told_apart_by_what_was_rejected(tmp_path: Path) -> None:
    rows = [
        {"prompt": f"How do I clean object {n * 13}?", "chosen": f"With soap {n}.", "rejected": f"Throw it {how}."}
        for n in range(20)
        for how in ("away", "out", "away")
    ]
    data, facts, _ = build(tmp_path, source=write(tmp_path / "rows.jsonl", rows), duplicates="drop")
    assert len(every(data)) == 40 and facts["dropped"] == {"duplicate": 20}
    assert "data.several_answers" not in codes(facts)


def test_few_preferred_answers_are_no_classes(tmp_path: Path) -> None:
    rows = [
        {"prompt": f"May I bring object {n * 13}?", "chosen": ["Yes.", "No."][n % 2], "rejected": "Why?"}
        for n in range(40)
    ]
    data, facts, _ = build(tmp_path, source=write(tmp_path / "rows.jsonl", rows))
    assert (data.template.answer, facts["labels"], data.template.system) == ("text", [], "")
    assert {row.rejected for _, row in every(data)} == {"Why?"}


def test_worse_answers_alone_are_in_no_split(tmp_path: Path) -> None:
    rows = [{"prompt": f"Clean object {n * 13}?", "completion": f"Answer {n}", "label": n % 2 == 0} for n in range(60)]
    data, facts, _ = build(tmp_path, source=write(tmp_path / "rows.jsonl", rows), data_schema="kto")
    kept = (data.path / "rejected.jsonl").read_text("utf-8").splitlines()
    assert sum(facts["rows"].values()) == 30 == len(kept) and facts["rows"]["pool"] == 0
    assert codes(facts)["data.rejected_only"]["count"] == 30 and "output" not in json.loads(kept[0])
    assert (facts["pairs"], facts["rejected_rows"]) == (0, 30)


def test_several_labels_are_one_text_with_a_prompt_that_names_them(tmp_path: Path) -> None:
    rows = [
        {"text": f"remark about item {n * 11}", "price": n % 2, "noise": n % 3 == 0, "delivery": n % 5 == 0}
        for n in range(60)
    ]
    data, facts, _ = build(tmp_path, source=write(tmp_path / "rows.jsonl", rows), data_schema="one_hot")
    assert facts["answer"] == "text" and "price, noise, delivery" in data.template.system
    assert {row.output for _, row in every(data)} >= {"none", "price", "price, noise"}


def test_spellings_of_a_label_become_one(tmp_path: Path) -> None:
    labels = ["café", "cafe\u0301", " café ", "té"]
    rows = [{"text": f"remark about item {n * 11}", "label": labels[n % 4]} for n in range(80)]
    data, facts, _ = build(tmp_path, source=write(tmp_path / "rows.jsonl", rows))
    assert facts["labels"] == ["café", "té"] == sorted({row.output or "" for _, row in every(data)})
    assert codes(facts, "notes")["data.labels_joined"] == {"count": 1}


def test_whole_decimals_lose_their_zeros(tmp_path: Path) -> None:
    lines = ["text,label", *(f"remark about item {n * 11},{n % 2}.0" for n in range(60))]
    (tmp_path / "rows.csv").write_text("\n".join(lines), encoding="utf-8")
    data, facts, _ = build(tmp_path, source=tmp_path / "rows.csv")
    assert facts["labels"] == ["0", "1"] == sorted({row.output or "" for _, row in every(data)})


def test_one_class_is_said(tmp_path: Path) -> None:
    rows = [{"text": f"remark about item {n * 11}", "label": "fine"} for n in range(40)]
    _, facts, _ = build(tmp_path, source=write(tmp_path / "rows.jsonl", rows))
    assert codes(facts)["data.one_class"] == {"name": "fine"}


def test_a_template_of_columns_is_remembered(tmp_path: Path) -> None:
    rows = [{"title": f"T{n}", "body": f"remark about item {n * 11}", "label": "ab"[n % 2]} for n in range(40)]
    user = "Title: {title}\n\nText: {body}"
    source = write(tmp_path / "rows.jsonl", rows)
    data, _, _ = build(tmp_path, source=source, input="body", output="label", user=user)
    assert (data.template.user, data.template.columns) == ("{input}", user)
    assert next(data.rows("train")).input.startswith("Title: T")


def test_a_split_column_is_honoured(tmp_path: Path) -> None:
    rows = [row | {"split": ("train", "dev", "test")[n % 3]} for n, row in enumerate(ROWS)]
    data, facts, _ = build(tmp_path, source=write(tmp_path / "rows.jsonl", rows), near_duplicates=0)
    assert facts["rows"] == {"train": 34, "validation": 33, "test": 33, "pool": 0}
    assert {row.id for row in data.rows("test")} == {f"r{n + 1}" for n in range(100) if n % 3 == 2}
    _, facts, _ = build(tmp_path / "b", source=tmp_path / "rows.jsonl", split_by="random", near_duplicates=0)
    assert facts["rows"]["test"] == 10


def test_the_newest_rows_are_the_test(tmp_path: Path) -> None:
    rows = [row | {"on": f"2024-{1 + n // 28:02}-{1 + n % 28:02}"} for n, row in enumerate(ROWS)]
    source = write(tmp_path / "rows.jsonl", rows)
    data, facts, _ = build(tmp_path, source=source, split_by="time", split_column="on", near_duplicates=0)
    places = {split: [int(row.id[1:]) for row in data.rows(split)] for split in facts["rows"]}
    assert min(places["test"]) > max(places["validation"]) > max(places["train"])


def test_carried_columns_travel(tmp_path: Path) -> None:
    rows = [row | {"shop": ["Ulm", "Bonn"][n % 2], "id": f"x-{n}"} for n, row in enumerate(ROWS)]
    data, _, _ = build(tmp_path, source=write(tmp_path / "rows.jsonl", rows), keep_columns=["shop"], output="label")
    assert Counter(row.fields["shop"] for _, row in every(data)) == {"Ulm": 50, "Bonn": 50}


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_comes_back_as_it_was(form: str, tmp_path: Path) -> None:
    rows = [*chats(20), *chats(20, "Be brief.")]
    data, _, _ = build(tmp_path / "a", source=write(tmp_path / "rows.jsonl", rows), labelled_rows=20)
    fields: dict[str, Any] = {"id": "d", "kind": Kind.DATASET, "name": "d", "path": data.path, "facts": {}}
    exported = tmp_path / f"d.{form}"
    exported.write_bytes(b"".join(as_rows(ArtifactView.model_construct(**fields), form)))
    again, _, _ = build(tmp_path / "b", source=exported)
    kept = {"id", "input", "output", "gold", "context"}
    assert [(split, row.model_dump(include=kept)) for split, row in every(again)] == [
        (split, row.model_dump(include=kept)) for split, row in every(data)
    ]


def test_the_reading_is_stored(tmp_path: Path) -> None:
    data, facts, _ = build(tmp_path, source=write(tmp_path / "rows.jsonl", ROWS))
    stored = Reading.model_validate_json((data.path / "reading.json").read_text("utf-8"))
    assert stored.taken and stored.taken.schema_name == "text_label" == facts["reading"]["schema"] == "text_label"
    assert facts["reading"]["roles"] == {"input": ["text"], "output": "label"} and data.template.task


def test_row_errors_are_found_before_the_job(tmp_path: Path) -> None:
    rows: list[Any] = [*ROWS, {"text": " ", "label": "on"}]
    source = write(tmp_path / "rows.jsonl", rows)
    found = [problem for problem in check(STAGE.parse({"source": str(source)}), FakeWorld()) if problem.blocking]
    assert [problem.code for problem in found] == ["data.input_empty"]
    skipped = inspect(DatasetParams(source=str(source), on_bad_row="skip"))
    assert skipped.forecast and "data.input_empty" in {problem.code for problem in skipped.problems}


def test_a_question_stops_before_anything_is_made(tmp_path: Path) -> None:
    rows = [{"alpha": f"some words about {n}", "beta": f"other words on {n * 7}"} for n in range(40)]
    source = write(tmp_path / "rows.jsonl", rows)
    found = inspect(DatasetParams(source=str(source)))
    assert found.reading.question in found.problems and not found.forecast and not found.preview
    with pytest.raises(StudioError) as caught:
        build(tmp_path, source=source)
    assert caught.value.problems == [found.reading.question]


def test_a_placeholder_that_is_no_column(tmp_path: Path) -> None:
    source = write(tmp_path / "rows.jsonl", ROWS)
    found = inspect(DatasetParams(source=str(source), user="{subject}: {text}"))
    assert [problem.code for problem in found.problems] == ["data.template_unknown"] and found.reading.taken


def test_a_large_file_is_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.data.inspect_source.WHOLE_BYTES", 1000)
    monkeypatch.setattr("backend.data.sampling.lines.HEAD_BYTES", 1000)
    monkeypatch.setattr("backend.data.sampling.lines.SAMPLE_BYTES", 6000)
    monkeypatch.setattr("backend.data.sampling.lines.PLACES", 20)
    (tmp_path / "rows.jsonl").write_text(json_lines(ROWS * 10), encoding="utf-8")
    found = inspect(DatasetParams(source=str(tmp_path / "rows.jsonl")))
    assert found.reading.sampled and sum(found.forecast["rows"].values()) == pytest.approx(1000, rel=0.2)
