"""The page of one run in both languages and every state, and what its job cards can do."""

from __future__ import annotations

import json
from typing import Any

import pytest
import streamlit as st

from backend.api import Studio
from backend.core.schemas import Kind, LogLine, State
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words

MEMORY = {"code": "core.memory_out", "args": {}}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["Fine-tune", "Running", "– of about 1.6 GB", "First project"]),
        ("es", ["Ajustar", "En marcha", "– de unos 1,6 GB"]),
    ],
)
def test_running_run_shows_its_stages_and_can_be_cancelled(
    show: Show, builder: StudioBuilder, language: str, said: list[str]
) -> None:
    run = builder.run("live", ("finetune", State.RUNNING), ("evaluate", State.WAITING))
    at = show("run", language, run=run)
    for word in said:
        assert word in words(at), word
    (bar,) = at.main.get("progress")
    assert "3 min 33 s" in bar.proto.text and words(at).count("1 min 35 s") == 1, (
        "the time that is left replaces the quote"
    )
    at.button(key="cancel_run").click().run()
    assert builder.studio.run(run).state is State.RUNNING, "nine minutes of work are asked about"
    at.session_state["cancel_rest"] = 0.0
    at.run().button(key=f"cancel_yes_{run}").click().run()
    assert builder.studio.run(run).state is State.CANCELLED


def test_chart_begins_with_the_training_and_holds_both_losses(show: Show, builder: StudioBuilder) -> None:
    run = builder.run("live", ("finetune", State.RUNNING))
    at = show("run", run=run)
    assert not at.main.get("echarts_chart") and "The loss curve begins with the first steps." in words(at)
    builder.points(f"{run}-finetune")
    builder.points(f"{run}-finetune", "eval_loss", 3)
    builder.points(f"{run}-finetune", count=5)  # steps that were done again after a death
    lines = {line["name"]: line["data"] for line in spec(show, run)["series"]}
    assert spec(show, run)["xAxis"]["max"] == 240
    assert [step for step, _ in lines["Training loss"]] == list(range(40))
    assert len(lines["Validation loss"]) == 3


def spec(show: Show, run: str) -> Any:
    st.cache_resource.clear()
    (chart,) = show("run", run=run).main.get("echarts_chart")
    return json.loads(chart.proto.spec)


@pytest.mark.parametrize(("language", "retry"), [("en", "Retry"), ("es", "Reintentar")])
def test_failed_job_says_why_leads_to_its_form_and_can_be_retried(
    show: Show, builder: StudioBuilder, language: str, retry: str
) -> None:
    run = builder.run("bad", ("finetune", State.FAILED), error=MEMORY, attempts=3)
    at = show("run", language, run=run)
    assert ("The process ran out of memory." in at.error[0].value) == (language == "en")
    (form,) = [link.proto for link in at.main.get("page_link") if link.proto.page == "finetune"]
    assert form.query_string == f"project={builder.store.project()}&from={run}-finetune&correct=1"
    assert at.button(key=f"retry_{run}-finetune").label == retry
    at.button(key=f"retry_{run}-finetune").click().run()
    assert builder.studio.run(run).state is State.WAITING
    assert not at.error


@pytest.mark.parametrize(
    ("language", "figures"),
    [
        ("en", {"Accuracy": "93.1 %", "Size on disk": "92.4 MB", "Time to first token": "41 ms"}),
        ("es", {"Exactitud": "93,1 %", "Tamaño en disco": "92,4 MB", "Tiempo al primer token": "41 ms"}),
    ],
)
def test_finished_run_shows_figures_and_quote_against_what_it_took(
    show: Show, builder: StudioBuilder, language: str, figures: dict[str, str]
) -> None:
    metrics = {"accuracy": 0.9312, "ttft_ms": 41.2, "size_bytes": 92_400_000.0}
    run = builder.run("done", ("dataset", State.SUCCEEDED), ("evaluate", State.SUCCEEDED), result={"metrics": metrics})
    at = show("run", language, run=run)
    assert figures.items() <= {each.label: each.value for each in at.metric}.items()
    said = "1 min 58 s (estimated 1 min 35 s)" if language == "en" else "1 min 58 s (estimado: 1 min 35 s)"
    total = "3 min 56 s (estimated 3 min 10 s)" if language == "en" else "3 min 56 s (estimado: 3 min 10 s)"
    assert said in words(at) and total in words(at)


@pytest.mark.parametrize(
    ("kind", "stage", "page"),
    [
        (Kind.ADAPTER, "finetune", "playground"),
        (Kind.ONNX, "quantize", "models"),
        (Kind.DATASET, "dataset", "data"),
        (Kind.EVALUATION, "evaluate", "compare"),
    ],
)
def test_what_a_job_made_is_linked(show: Show, builder: StudioBuilder, kind: Kind, stage: str, page: str) -> None:
    made = builder.artifact(kind, "made", {"model_name": "x", "model": "m", "data": "d", "split": "test", "n": 3.0})
    run = builder.run("done", (stage, State.SUCCEEDED), result={"artifact": made.id})
    links = [link.proto for link in show("run", run=run).main.get("page_link")]
    assert page in [link.page for link in links]
    if kind in (Kind.ADAPTER, Kind.ONNX):
        assert f"models={made.id}" in [link.query_string.partition("&")[2] for link in links]
    if kind is Kind.ONNX:
        assert f"step=package&model={made.id}" in [link.query_string.partition("&")[2] for link in links]


def test_an_attached_adapter_is_checked_but_not_packaged(show: Show, builder: StudioBuilder) -> None:
    made = builder.model("lora-on-base", Kind.ONNX, facts={"base": "onnx-base"})
    run = builder.run("done", ("attach", State.SUCCEEDED), result={"artifact": made.id})
    queries = [link.proto.query_string.partition("&")[2] for link in show("run", run=run).main.get("page_link")]
    assert f"step=parity&model={made.id}" in queries
    assert not any(query.startswith("step=package") for query in queries)


@pytest.mark.parametrize(("state", "read"), [(State.FAILED, True), (State.WAITING, False)])
def test_log_is_read_only_when_it_is_opened(
    show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch, state: State, read: bool
) -> None:
    run = builder.run("bad", ("finetune", state))
    builder.log(f"{run}-finetune", "<b>first</b>", "second")
    asked: list[str] = []
    logs = Studio.logs

    def noted(self: Studio, job_id: str, last: int) -> list[LogLine]:
        asked.append(job_id)
        return logs(self, job_id, last)

    monkeypatch.setattr(Studio, "logs", noted)
    at = show("run", run=run)
    assert not asked
    folded = [each for each in at.main.get("expander") if "Log" in str(each)]
    assert bool(folded) == read
    if read:
        at.session_state[f"log_{run}-finetune"] = True
        at.run()
        assert "<b>first</b>\n" in at.code[0].value and asked


def test_delete_asks_first_and_keeps_what_was_made(show: Show, builder: StudioBuilder) -> None:
    made = builder.model("kept")
    run = builder.run("old", ("finetune", State.SUCCEEDED), result={"artifact": made.id})
    at = show("run", run=run)
    at.button(key="delete_run").click().run()
    assert "What it made stays." in words(at)
    assert builder.studio.runs()
    at.button(key="delete_yes").click().run()
    assert not builder.studio.runs() and builder.studio.artifact(made.id)
    assert at.title[0].value == "Jobs"


def test_what_failed_stands_first(show: Show, builder: StudioBuilder) -> None:
    run = builder.run("bad", ("dataset", State.SUCCEEDED), ("finetune", State.FAILED), error=MEMORY)
    heads = [str(each.value) for each in show("run", run=run).markdown if str(each.value).startswith("**")]
    assert heads == ["**Fine-tune**", "**Prepare data**"]


def test_unknown_run_is_a_sentence(show: Show) -> None:
    assert "r-nothing" in show("run", run="r-nothing").error[0].value
