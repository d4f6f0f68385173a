"""The dataset stage as the queue runs it: artifact, facts, forecast, warnings, checks."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import Cancelled, StudioError
from backend.data.dataset import DataFolder
from backend.data.params import DatasetParams
from backend.jobs.context import MemoryContext
from backend.stages.dataset import STAGE, check, quote
from tests.data.bad_files import BAD, GOOD, csv_text, json_lines, parquet
from tests.stages.fake_world import FakeWorld


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text(json_lines(rows), encoding="utf-8")
    return path


def build(folder: Path, seed: int = 0, **params: Any) -> tuple[DataFolder, dict[str, Any], MemoryContext]:
    """Run the stage; (dataset, facts, context)."""
    ctx = MemoryContext(folder / f"job{seed}", seed=seed)
    STAGE.run(
        STAGE.parse({key: str(value) if isinstance(value, Path) else value for key, value in params.items()}), ctx
    )
    made = next(event for event in ctx.events if event["event"] == "artifact")
    return DataFolder(Path(made["path"])), made["manifest"]["facts"], ctx


ROWS = [
    {"text": f"turn the {'lamp' if n % 2 else 'heater'} {n}", "label": "on" if n % 2 else "off"} for n in range(100)
]


def test_artifact_and_facts(tmp_path: Path) -> None:
    source = write(tmp_path / "rows.jsonl", ROWS)
    data, facts, ctx = build(tmp_path, source=source, license="CC0-1.0", near_duplicates=0)
    assert facts["rows"] == {"train": 80, "validation": 10, "test": 10, "pool": 0}
    assert (facts["answer"], facts["labels"], facts["source"]) == ("label", ["off", "on"], "rows.jsonl")
    assert len(facts["source_sha256"]) == 64 and not codes(facts) and facts["dropped"] == {}
    assert [note["code"] for note in facts["notes"]] == ["reading.taken_by_name"]
    assert data.template.system == "Reply with the label."
    assert Counter(row.output for row in data.rows("test")) == {"on": 5, "off": 5}
    by_id = {row.id: row for split in facts["rows"] for row in data.rows(split)}
    assert by_id["r8"].input == ROWS[7]["text"] and by_id["r8"].output == "on"
    manifest = next(event for event in ctx.events if event["event"] == "artifact")["manifest"]
    assert manifest["license"] == "CC0-1.0" and manifest["name"] == "rows"


def test_same_seed_same_bytes_other_seed_other_split(tmp_path: Path) -> None:
    source = write(tmp_path / "rows.jsonl", ROWS)
    digests = []
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        data, _, _ = build(tmp_path / folder, seed=seed, source=source)
        digests.append((data.path / "test.jsonl").read_bytes())
    assert digests[0] == digests[1] != digests[2]


def test_open_answers_have_no_system_prompt(tmp_path: Path) -> None:
    rows = [{"question": f"What is {n}?", "answer": f"It is the number {n}, of course."} for n in range(30)]
    data, facts, _ = build(tmp_path, source=write(tmp_path / "qa.jsonl", rows))
    assert (facts["answer"], facts["labels"], data.template.system) == ("text", [], "")


def test_labels_can_be_listed_in_the_prompt(tmp_path: Path) -> None:
    data, _, _ = build(tmp_path, source=write(tmp_path / "rows.jsonl", ROWS), list_labels=True)
    assert data.template.system == "Reply with one of: off, on."


def test_pool_hides_the_answer_and_keeps_the_gold(tmp_path: Path) -> None:
    rows = [*ROWS, {"text": "nobody answered", "label": ""}]
    data, facts, _ = build(tmp_path, source=write(tmp_path / "rows.jsonl", rows), labelled_rows=20, near_duplicates=0)
    assert facts["rows"] == {"train": 20, "validation": 10, "test": 10, "pool": 61}
    pool = list(data.rows("pool"))
    assert all(row.output is None for row in pool)
    assert Counter(row.gold for row in pool) == {"on": 30, "off": 30, None: 1}


def test_pool_and_rows_are_capped(tmp_path: Path) -> None:
    source = write(tmp_path / "rows.jsonl", ROWS)
    _, facts, _ = build(tmp_path, source=source, max_rows=50, labelled_rows=10, pool_rows=7)
    assert facts["rows"] == {"train": 10, "validation": 5, "test": 5, "pool": 7} and facts["dropped"] == {
        "pool_cap": 23
    }


def test_own_test_file_is_used_and_its_inputs_leave_train(tmp_path: Path) -> None:
    source = write(tmp_path / "rows.jsonl", ROWS)
    test = write(
        tmp_path / "test.jsonl",
        [*ROWS[:6], {"text": "something new", "label": "on"}, {"text": "no answer", "label": ""}],
    )
    data, facts, _ = build(tmp_path, source=source, test_source=test)
    assert facts["rows"]["test"] == 7 and facts["dropped"] == {"also_in_test": 6, "no_answer": 1}
    tested = {row.input for row in data.rows("test")}
    assert not tested & {row.input for split in ("train", "validation") for row in data.rows(split)}
    assert all(row.id.startswith("t") for row in data.rows("test"))


def test_own_file_lacks_the_column(tmp_path: Path) -> None:
    source = write(tmp_path / "rows.jsonl", ROWS)
    test = write(tmp_path / "test.jsonl", [{"text": "a", "intent": "on"}])
    with pytest.raises(StudioError, match=r"test\.jsonl has no column “label”"):
        build(tmp_path, source=source, test_source=test)


def codes(facts: dict[str, Any], said: str = "warnings") -> dict[str, dict[str, Any]]:
    """Code -> arguments of the warnings, or of the `notes`."""
    return {problem["code"]: problem["args"] for problem in facts[said]}


def test_contradictions_are_counted(tmp_path: Path) -> None:
    rows = [*ROWS, {"text": "Turn the HEATER 0", "label": "on"}]
    _, facts, ctx = build(tmp_path, source=write(tmp_path / "rows.jsonl", rows))
    assert codes(facts)["data.contradictions"] == {"count": 1, "place": 1, "answers": "off / on"}
    assert any(event["event"] == "log" and event["level"] == "warning" for event in ctx.events)


def test_few_distinct_pairs_are_noticed_and_can_be_dropped(tmp_path: Path) -> None:
    source = write(tmp_path / "rows.jsonl", ROWS[:20] * 20)
    _, facts, _ = build(tmp_path / "a", source=source)
    assert codes(facts)["data.few_distinct"] == {"rows": 400, "distinct": 20} and sum(facts["rows"].values()) == 400
    _, facts, _ = build(tmp_path / "b", source=source, duplicates="drop")
    assert sum(facts["rows"].values()) == 20 and facts["dropped"] == {"duplicate": 380}


def test_single_class_is_noticed(tmp_path: Path) -> None:
    _, facts, _ = build(tmp_path, source=write(tmp_path / "rows.jsonl", [*ROWS, {"text": "dim it", "label": "dim"}]))
    assert codes(facts)["data.class_single"]["names"] == "dim" and "data.class_not_in_test" in codes(facts)


def test_inputs_without_answers_are_a_pool_for_a_teacher(tmp_path: Path) -> None:
    _, facts, _ = build(tmp_path, source=write(tmp_path / "rows.jsonl", [{"text": f"t {n}"} for n in range(30)]))
    assert facts["rows"] == {"train": 0, "validation": 0, "test": 0, "pool": 30} and "data.no_answers" in codes(facts)


def test_chat_keeps_its_context(tmp_path: Path) -> None:
    turns = ["user", "assistant", "user", "assistant"]
    rows = [{"messages": [{"role": r, "content": f"{i} {n}"} for i, r in enumerate(turns)]} for n in range(20)]
    data, _, _ = build(tmp_path, source=write(tmp_path / "rows.jsonl", rows))
    row = next(data.rows("train"))
    assert [message["role"] for message in data.template.prompt(row)] == ["user", "assistant", "user"]


def test_demo_brings_license_and_notice(tmp_path: Path) -> None:
    data, facts, ctx = build(tmp_path, max_rows=300)
    assert "Home Assistant" in (data.path / "NOTICE").read_text("utf-8") and facts["source"] == "demo:smart-home"
    manifest = next(event for event in ctx.events if event["event"] == "artifact")["manifest"]
    assert (manifest["license"], manifest["name"]) == ("Apache-2.0", "smart-home")


def test_cancel_stops_the_reading(tmp_path: Path) -> None:
    ctx = MemoryContext(tmp_path / "job")
    ctx.stop = True
    with pytest.raises(Cancelled):
        STAGE.run(STAGE.parse({"source": str(write(tmp_path / "rows.jsonl", ROWS))}), ctx)
    assert not any(event["event"] == "artifact" for event in ctx.events)


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    _, _, ctx = build(tmp_path, source=write(tmp_path / "rows.jsonl", ROWS * 30))
    steps = [event for event in ctx.events if event["event"] == "progress"]
    assert len(steps) >= 8 and steps[-1]["done"] == steps[-1]["total"]


@pytest.mark.parametrize(
    "params",
    [
        {"max_rows": 600},
        {"max_rows": 2400, "labelled_rows": 400, "pool_rows": 1200},
        {"source": "rows.jsonl"},
        {"source": "rows.csv", "labelled_rows": 20},
        {"source": "rows.parquet", "test_source": "rows.csv"},
    ],
)
def test_forecast_is_what_comes(params: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(
        tmp_path / "rows.jsonl",
        [
            {"messages": [{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": f"answer {n}"}]}
            for n in range(80)
        ],
    )
    (tmp_path / "rows.csv").write_text(csv_text(), encoding="utf-8")
    parquet(
        tmp_path / "rows.parquet", [{"text": f"other {n}", "label": row["label"]} for n, row in enumerate(GOOD * 5)]
    )
    parsed = STAGE.parse(params)
    told = quote(parsed, FakeWorld())
    _, facts, _ = build(tmp_path, **params)
    assert set(told.forecast) <= set(facts)
    assert (told.forecast["answer"], told.forecast["labels"]) == (facts["answer"], facts["labels"])
    for split, count in facts["rows"].items():
        assert abs(told.forecast["rows"][split] - count) <= 3
    assert told.forecast["prompt_chars"] == pytest.approx(facts["prompt_chars"], rel=0.05)
    assert told.seconds > 0 and told.disk_bytes > 0


def test_large_file_is_quoted_from_its_first_rows(tmp_path: Path) -> None:
    source = write(tmp_path / "rows.jsonl", ROWS * 200)
    told = quote(STAGE.parse({"source": str(source)}), FakeWorld())
    assert told.forecast["rows"] == {"train": 16000, "validation": 2000, "test": 2000, "pool": 0}


def test_check_names_all_problems_at_once(tmp_path: Path) -> None:
    params = {
        "source": str(tmp_path / "none.csv"),
        "test_source": str(tmp_path / "no.csv"),
        "user": "x",
        "validation": 0.5,
        "test": 0.5,
    }
    problems = check(STAGE.parse(params), FakeWorld())
    assert {(problem.field, problem.code) for problem in problems} == {
        ("source", "data.missing"),
        ("test_source", "data.missing"),
        ("user", "data.user_template"),
        ("test", "data.fractions"),
    }


def test_check_knows_columns_and_demos(tmp_path: Path) -> None:
    source = write(tmp_path / "rows.jsonl", ROWS)
    assert not any(problem.blocking for problem in check(STAGE.parse({"source": str(source)}), FakeWorld()))
    assert [p.code for p in check(STAGE.parse({"source": str(source), "output": "x"}), FakeWorld())] == [
        "data.column_missing"
    ]
    assert [p.code for p in check(STAGE.parse({"source": "demo:moon"}), FakeWorld())] == ["data.demo_unknown"]
    assert check(STAGE.parse(STAGE.example), FakeWorld()) == []
    few = STAGE.parse({"source": str(source), "labelled_rows": 1})
    blocking = [(found.field, found.code) for found in check(few, FakeWorld()) if found.blocking]
    assert blocking == [("labelled_rows", "data.fewer_rows_than_classes")]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_check_never_breaks_on_a_bad_file(bad: Any, tmp_path: Path) -> None:
    bad.write(tmp_path / bad.name)
    for problem in check(STAGE.parse({"source": str(tmp_path / bad.name), **bad.params}), FakeWorld()):
        assert problem.text()


def test_params_refuse_what_they_do_not_know() -> None:
    with pytest.raises(StudioError, match="colour"):
        STAGE.parse({"colour": "red"})
    assert all(info.title and info.description for info in DatasetParams.model_fields.values())


def test_a_path_is_the_same_for_every_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert json.loads(STAGE.parse({"source": "rows.csv"}).model_dump_json())["source"] == str(tmp_path / "rows.csv")
