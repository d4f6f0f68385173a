"""The page of a dataset: rows from disk, edits as a draft, versions, checks, tokens."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st

from backend.api import Studio, datasets
from backend.api.data_checks import FIX_TITLES
from backend.api.datasets import RowFilter, ShownRow
from backend.core.errors import Problem, StudioError
from backend.core.schemas import ArtifactView, Kind, State
from backend.data.baseline import baseline_report
from backend.data.dataset import Row
from backend.data.gates.model import Example, Finding, ScoreCard
from backend.db import tables as t
from studio.ui.data import calls
from studio.ui.data import rows as rows_page
from studio.ui.data.baseline import columns as baseline_columns
from studio.ui.data.baseline import rows as baseline_rows
from studio.ui.data.row_table import LONGEST, row_table, table_data
from studio.ui.data.token_chips import chips_data
from studio.ui.shared import api_cache
from tests.helpers import PATIENCE, until
from tests.studio.builder import LABELS, StudioBuilder, doubted
from tests.studio.conftest import Show, words
from tests.studio.test_stage_pages import key


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> list[list[ShownRow]]:
    """The rows of every table that a page draws, newest last."""
    drawn: list[list[ShownRow]] = []
    real: Callable[..., None] = row_table

    def noted(key: str, rows: list[ShownRow], *rest: Any) -> None:
        drawn.append(list(rows))
        real(key, rows, *rest)

    monkeypatch.setattr(rows_page, "row_table", noted)
    return drawn


def test_search_filter_sort_and_pages(show: Show, builder: StudioBuilder, tables: list[list[ShownRow]]) -> None:
    data = builder.dataset("long", rows=400)
    at = show("data", data=data.id)
    assert [shown.row.id for shown in tables[-1]] == [str(n) for n in range(25)] and "200 rows" in words(at)
    at.session_state[f"page_{data.id}"] = 8
    at.run()
    assert tables[-1][-1].row.id == "199"
    at.text_input(key=f"search_{data.id}").set_value("GARAGE").run()  # begins at its first page
    assert all("garage" in shown.row.input for shown in tables[-1]) and "50 rows" in words(at)
    at.selectbox(key=f"label_{data.id}").set_value(LABELS[0]).run()
    assert {shown.row.output for shown in tables[-1]} == {LABELS[0]}
    at.button(key=f"clear_{data.id}").click().run()
    at.number_input(key=f"most_{data.id}").set_value(5).run()
    assert "No matching rows." in words(at)
    at.button(key=f"clear_{data.id}").click().run()
    at.session_state[f"sort_{data.id}"] = ("length", True)
    at.run()
    assert len(tables[-1][0].row.input) == max(len(row.input) for row in builder.studio.rows(data.id, "train", 0, 400))


def test_texts_of_rows_are_short_and_plain_in_the_table() -> None:
    wild = Row(id="1", input="<script>" + "x" * 100_000, output="**bold**", context=[{"role": "user", "content": "a"}])
    data = table_data([ShownRow(row=wild, state="edited")], "", False)
    (cells,) = data["rows"]
    assert (
        len(cells["input"]) == LONGEST + 1 and cells["answer"] == "**bold**" and cells["notes"] == "1 earlier message"
    )
    assert [name for name, _title in data["columns"]] == ["id", "length", "answer"]
    sure = table_data([ShownRow(row=wild.model_copy(update={"confidence": 0.5}))], "", False)
    assert sure["rows"][0]["confidence"].startswith("50")


def test_a_row_is_edited_undone_and_saved_as_a_new_version(
    show: Show, builder: StudioBuilder, tables: list[list[ShownRow]]
) -> None:
    data = builder.dataset()
    at = show("data", data=data.id)
    at.session_state["row_open"] = (data.id, "train", "1")
    at.run()
    at.text_area(key="row_input").set_value("open the garage")
    at.button(key="row_save").click().run()
    assert (tables[-1][1].row.input, tables[-1][1].state) == ("open the garage", "edited")
    assert "1 unsaved change: 1 row edited" in words(at)
    st.cache_resource.clear()
    again = show("data", data=data.id)  # another browser, the same draft
    assert tables[-1][1].state == "edited"
    again.button(key=f"undo_{data.id}").click().run()
    assert tables[-1][1].state == "" and "unsaved" not in words(again)
    again.button(key=f"redo_{data.id}").click().run()
    again.button(key=f"save_{data.id}").click().run()
    (job,) = builder.studio.jobs.open_jobs()
    assert job.stage == "edit_data" and job.params["data"] == data.id
    assert "unsaved" not in words(again) and builder.studio.dataset(data.id).facts == data.facts


def test_a_failed_save_gives_the_changes_back(show: Show, builder: StudioBuilder) -> None:
    data = builder.dataset()
    builder.studio.edits.change_rows(data.id, "train", "delete", ["1"])
    run = builder.studio.save_version(data.id)
    builder.store.update_job(run.jobs[0].id, state=State.FAILED, error={"code": "core.memory_out", "args": {}})
    at = show("data", data=data.id)
    at.button(key=f"restore_{data.id}").click().run()
    assert "1 unsaved change: 1 row deleted" in words(at)


def test_a_label_that_is_new_is_asked_for(show: Show, builder: StudioBuilder) -> None:
    data = builder.dataset()
    at = show("data", data=data.id)
    at.session_state["row_open"] = (data.id, "train", "1")
    at.session_state["row_output"] = "HassNew"
    at.run()
    at.button(key="row_save").click().run()
    assert "“HassNew” is not one of the labels" in words(at) and builder.studio.edits.summary(data.id).changes == 0
    at.checkbox(key="row_add_label").check()
    at.button(key="row_save").click().run()
    assert builder.studio.edits.labels(data.id) == [*LABELS, "HassNew"]
    builder.studio.edits.mark(data.id, "undo")
    assert builder.studio.edits.labels(data.id) == LABELS


def test_a_row_is_added_and_an_empty_one_refused(show: Show, builder: StudioBuilder) -> None:
    data = builder.dataset()
    at = show("data", data=data.id)
    at.button(key=f"add_{data.id}").click().run()
    at.selectbox(key="row_split").set_value("test").run()
    at.button(key="row_save").click().run()
    assert "A row needs an input." in words(at)
    at.text_area(key="row_input").set_value("a new one").run()
    at.session_state["row_output"] = LABELS[1]
    at.button(key="row_save").click().run()
    summary = builder.studio.edits.summary(data.id)
    assert (summary.added, summary.test) == (1, 1)
    at.selectbox(key=f"split_{data.id}").set_value("test").run()
    assert "New rows" in words(at) and "1 test row changed" in words(at)


def test_all_rows_of_a_filter_at_once(show: Show, builder: StudioBuilder, tables: list[list[ShownRow]]) -> None:
    data = builder.dataset("long", rows=400)
    at = show("data", data=data.id)
    at.text_input(key=f"search_{data.id}").set_value("garage").run()
    at.text_input(key=f"bulk_tag_{data.id}").set_value("doors").run()
    at.button(key="bulk_tag").click().run()
    assert {tuple(shown.row.tags) for shown in tables[-1]} == {("doors",)}
    at.button(key="bulk_delete").click().run()
    assert {shown.state for shown in tables[-1]} == {"deleted"}
    assert "100 unsaved changes: 50 rows deleted, 50 rows tagged" in words(at)


def test_a_click_in_the_table(builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    data = builder.dataset()
    state: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", state)
    rows_page._told(data, "train", "sort", "length")
    rows_page._told(data, "train", "sort", "length")
    rows_page._told(data, "train", "sort", "evil")
    assert state[f"sort_{data.id}"] == ("length", True)
    rows_page._told(data, "train", "open", "7")
    assert state["row_open"] == (data.id, "train", "7")
    rows_page._told(data, "train", "tag", ["7", "8"])
    assert state["tag_rows"] == (data.id, "train", ["7", "8"])


def checked(builder: StudioBuilder, data: ArtifactView, **about: Any) -> None:
    leak = Finding(
        gate="leaks",
        severity="error",
        problem=Problem(code="edits.none", args={"ref": "leaks here"}, blocking=False),
        count=2,
        examples=[Example(row="1", split="train", text="a *b*", other="c")],
        rows=["1", "3"],
        fix="drop_leaks",
        **about,
    )
    card = ScoreCard(verdict="not_ready", findings=[leak], rows=52)
    builder.artifact(Kind.REPORT, "checks", {}, {"checks.json": card.model_dump_json()}, parents=[data.id])


def test_the_card_of_the_checks(show: Show, builder: StudioBuilder, tables: list[list[ShownRow]]) -> None:
    data = builder.dataset()
    at = show("data", data=data.id, tab="checks")
    assert "Dataset not checked yet" in words(at)
    checked(builder, data)
    at = show("data", data=data.id, tab="checks")
    assert "**Not ready** · 1 error · 52 rows checked" in words(at) and "leaks here" in words(at)
    assert at.button(key="fix_leaks").label == FIX_TITLES["drop_leaks"] and at.button(key="accept_leaks").disabled
    at.button(key="show_leaks").click().run()
    assert [shown.row.id for shown in tables[-1]] == ["1", "3"] and "Showing the 2 rows with this finding" in words(at)


def test_fixes_checks_and_reasons_start_their_stages(
    show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, Any]] = []
    monkeypatch.setattr(Studio, "start_stages", lambda self, stages, project=None: started.append(stages))
    data = builder.dataset()
    checked(builder, data)
    at = show("data", data=data.id, tab="checks")
    at.button(key="fix_leaks").click().run()
    at.text_input(key="reason_leaks").set_value("they are quotes").run()
    at.button(key="accept_leaks").click().run()
    at.button(key=f"check_{data.id}").click().run()
    assert started == [
        {
            "clean_data": {"data": data.id, "fixes": ["drop_leaks"]},
            "check_data": {"data": "${clean_data}", "accepted": []},
        },
        {"check_data": {"data": data.id, "accepted": [{"gate": "leaks", "reason": "they are quotes"}]}},
        {"check_data": {"data": data.id, "accepted": []}},
    ]


def test_several_findings_are_mended_in_one_version(
    show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, Any]] = []
    monkeypatch.setattr(Studio, "start_stages", lambda self, stages, project=None: started.append(stages))
    data = builder.dataset()
    found = [("leaks", "drop_leaks", ""), ("html", "strip_html", ""), ("language", "drop_rows", "")]
    found += [("personal", "mask_personal", "they are ours"), ("one_class", "", "")]
    findings = [
        Finding(
            gate=gate,
            severity="warning",
            problem=Problem(code="edits.none", args={"ref": gate}),
            count=2,
            fix=fix,
            accepted=reason,
        )
        for gate, fix, reason in found
    ]
    card = ScoreCard(verdict="warnings", findings=findings, rows=52)
    builder.artifact(Kind.REPORT, "checks", {}, {"checks.json": card.model_dump_json()}, parents=[data.id])
    at = show("data", data=data.id, tab="checks")
    boxes = {box.label: box.value for box in at.checkbox}
    assert boxes == {
        f"{FIX_TITLES['drop_leaks']} · 2 rows": True,
        f"{FIX_TITLES['strip_html']} · 2 rows": True,
        f"{FIX_TITLES['drop_rows']} (Other language) · 2 rows": False,
    }
    at.button(key=f"fix_all_{data.id}").click().run()
    accepted = [{"gate": "personal", "reason": "they are ours"}]
    assert started == [
        {
            "clean_data": {"data": data.id, "fixes": ["drop_leaks", "strip_html"]},
            "check_data": {"data": "${clean_data}", "accepted": accepted},
        }
    ]


def test_the_check_of_a_version_that_a_fix_made_is_seen_at_that_version(
    builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_cache, "studio", lambda: builder.studio)
    st.cache_resource.clear()
    old, new = builder.dataset("old"), builder.dataset("new")
    builder.run("fix", ("clean_data", State.SUCCEEDED), ("check_data", State.RUNNING), params={"data": "${clean_data}"})
    assert calls.jobs_on(new.id) == []
    builder.store.update_job("r-fix-clean_data", result={"artifact": new.id})
    st.cache_resource.clear()
    assert [job.stage for job in calls.jobs_on(new.id)] == ["check_data"] and calls.jobs_on(old.id) == []


def test_a_dataset_that_was_just_made_leads_on(show: Show, builder: StudioBuilder) -> None:
    run = builder.run("mine", ("dataset", State.RUNNING))
    at = show("data")
    data = builder.dataset()
    result = {"artifact": data.id}
    builder.store.update_job(f"{run}-dataset", state=State.SUCCEEDED, ended=t.now(), result=result)
    at.run()
    assert any("at the top of the page" in toast.value for toast in at.toast)
    assert at.button(key="made_checks").label == "Check dataset"
    at.button(key="made_rows").click().run()
    assert data.id in at.query_params["data"]


def test_a_dataset_leads_to_the_training_that_takes_it(show: Show, builder: StudioBuilder) -> None:
    builder.model()
    data, _newer = builder.dataset("mine"), builder.dataset("newer")
    at = show("data", data=data.id)
    at.button(key=f"tune_{data.id}").click().run()
    assert at.selectbox(key=key(builder, "finetune", "data")).value == data.id
    raw = builder.dataset("text", rows=0, facts={"reading": {"schema": "raw_text"}})
    at = show("data", data=raw.id)
    at.button(key=f"tune_{raw.id}").click().run()
    assert at.selectbox(key=key(builder, "pretrain", "data")).value == raw.id


def test_doubted_labels_open_the_page_review(show: Show, builder: StudioBuilder) -> None:
    data = builder.dataset()
    report = doubted(builder, data)
    at = show("data", data=data.id, tab="checks")
    at.button(key="review_wrong_labels").click().run()
    assert not at.exception
    assert data.id in at.query_params["review"] and report.id in at.query_params["report"]


def test_the_baseline_is_measured_and_told(show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(
        Studio, "start_stage", lambda self, stage, params, project=None: started.append((stage, params))
    )
    data = builder.dataset("long", rows=400)
    at = show("data", data=data.id, tab="checks")
    assert "whether you need a language model at all" in words(at)
    at.button(key=f"measure_{data.id}").click().run()
    assert started == [("baseline", {"data": data.id})]
    pairs = [(f"text {n} {LABELS[n % 2]}", LABELS[n % 2]) for n in range(60)]
    report = baseline_report(pairs[:40], pairs[40:], "label")
    facts = {"report": "baseline", "data": data.id, "baseline": report.model_dump(mode="json")}
    builder.artifact(Kind.REPORT, "baseline", facts, parents=[data.id])
    at = show("data", data=data.id, tab="checks")
    assert report.advice.sentence() in words(at).replace("\\", "")
    assert at.button(key=f"measure_{data.id}").label == "Measure again"
    cells = {row[0]["text"]: [row[1]["text"], row[1]["sub"]] for row in baseline_rows(report)}
    right = report.score("classifier")
    assert right and cells["Simple classifier"] == ["100.0%", f"{100 * right.low:.1f}% to 100.0%"]
    assert [each["title"] for each in baseline_columns(report)] == ["Method", "Correct answers", "Naive split"]
    free = baseline_report(pairs[:40], pairs[40:], "text")
    assert "Token F1" in [each["title"] for each in baseline_columns(free)] and len(baseline_rows(free)[0]) == 4


def test_a_fix_that_drops_rows_says_which(builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[dict[str, Any]] = []
    monkeypatch.setattr(Studio, "start_stages", lambda self, stages, project=None: started.append(stages["clean_data"]))
    monkeypatch.setattr(api_cache, "studio", lambda: builder.studio)
    monkeypatch.setattr(calls, "project", builder.studio.chosen_project)
    data = builder.dataset()
    checked(builder, data)
    card = builder.studio.score_card(data.id)
    assert card is not None
    calls.fix(data.id, [card.findings[0].model_copy(update={"fix": "drop_rows"})], {})
    assert started == [{"data": data.id, "fixes": ["drop_rows"], "report": "report-checks", "gates": ["leaks"]}]


def test_the_tokens_of_a_row(show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = [
        SimpleNamespace(text="<|im_start|>", id=1, kind="control", loss=False),
        SimpleNamespace(text=" red", id=7, kind="text", loss=True),
    ]
    asked: list[tuple[str, ...]] = []

    def token_view(self: Studio, *about: str) -> Any:
        asked.append(about)
        return SimpleNamespace(pieces=pieces, prompt_tokens=11, answer_tokens=3)

    lengths = SimpleNamespace(
        total=SimpleNamespace(edges=[0, 512, 1024], counts=[15, 5], percentiles={50: 80}),
        **{"rows": 200, "measured": 20, "truncated": 4, "dropped": 1, "sampled": True},
    )
    monkeypatch.setattr(Studio, "token_view", token_view, raising=False)
    monkeypatch.setattr(Studio, "token_lengths", lambda self, *about: lengths, raising=False)
    data, model = builder.dataset(), builder.model()
    at = show("data", data=data.id, tab="tokens")
    assert asked == [(data.id, "0", "train", model.id)]
    said = words(at)
    assert "5 of 20 rows exceed the limit." in said and "4 rows would be truncated, 1 row would be dropped." in said
    assert "50% have up to 80 · a sample: 20 of 200 rows" in said and "Trained tokens 1" in said
    assert [(each["control"], each["loss"]) for each in chips_data(pieces)["pieces"]] == [(True, False), (False, True)]


def test_versions_and_files_are_a_click_away(show: Show, builder: StudioBuilder) -> None:
    data = builder.dataset()
    source = builder.studio.settings.jobs / "copy"
    source.mkdir()
    for name in ("template.json", "train.jsonl"):
        (source / name).write_bytes((data.path / name).read_bytes())
    newer = builder.keep(Kind.DATASET, "commands-v2", source, data.facts, parents=[data.id])
    before, after = builder.studio.versions(data.id)
    assert before is None and [child.id for child in after] == [newer.id]
    at = show("data", data=newer.id)
    assert "split=train" in str([e.proto for e in at.get("link_button")])
    piece = b"".join(builder.studio.export(data.id, "openai", "validation"))
    assert len(piece.splitlines()) == 10


def test_a_page_beyond_the_end_and_a_row_that_is_gone(builder: StudioBuilder) -> None:
    data = builder.dataset()
    page = builder.studio.dataset_page(data.id, "train", 99, where=RowFilter(search="light"))
    assert page.rows == [] and page.total == 5
    with pytest.raises(StudioError) as error:
        builder.studio.dataset_row(data.id, "train", "none")
    assert error.value.code == "edits.row_unknown"


def test_a_large_file_is_read_once_in_the_background(
    show: Show, builder: StudioBuilder, tables: list[list[ShownRow]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "QUICK_ROWS", 10)
    ready, prepare = Event(), Studio.prepare_table

    def slow(self: Studio, *about: str) -> None:
        ready.wait(PATIENCE)
        prepare(self, *about)

    monkeypatch.setattr(Studio, "prepare_table", slow)
    data = builder.dataset()
    at = show("data", data=data.id)
    assert "Preparing the table" in words(at) and not tables
    ready.set()
    until(lambda: builder.studio.table_ready(data.id, "train"))
    at.run()
    assert len(tables[-1]) == 20
