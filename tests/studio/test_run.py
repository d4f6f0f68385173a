"""The page of one run in both languages and every state, and what its job cards can do."""

from __future__ import annotations

import json
from typing import Any

import pytest
import streamlit as st

from backend.api import Studio
from backend.core.schemas import Kind, LogLine, State
from backend.db import tables as t
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words

MEMORY = {"code": "core.memory_out", "args": {}}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["Fine-tune", "Running", "– of about 1.6 GB", "First project"]),
        ("es", ["Ajuste fino", "En marcha", "– de unos 1,6\u00a0GB"]),
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
    assert "3 min 33 s" in bar.proto.text and words(at).count("1 min 35 s") == 0, (
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
    assert not at.main.get("echarts_chart") and "The loss curve appears after the first steps." in words(at)
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
    forms = [link.proto for link in at.main.get("page_link") if link.proto.page == "finetune"]
    query = f"project={builder.store.project()}&from={run}-finetune"
    assert {form.query_string for form in forms} == {query, f"{query}&correct=1"}
    assert at.button(key=f"retry_{run}-finetune").label == retry
    at.button(key=f"retry_{run}-finetune").click().run()
    assert builder.studio.run(run).state is State.WAITING
    assert not at.error


@pytest.mark.parametrize(
    ("language", "figures"),
    [
        ("en", {"Accuracy": "93.1%", "Size on disk": "92.4 MB", "Time to first token": "41 ms"}),
        ("es", {"Exactitud": "93,1\u00a0%", "Tamaño en disco": "92,4\u00a0MB", "Tiempo al primer token": "41 ms"}),
    ],
)
def test_finished_run_shows_figures_and_quote_against_what_it_took(
    show: Show, builder: StudioBuilder, language: str, figures: dict[str, str]
) -> None:
    metrics = {"accuracy": 0.9312, "ttft_ms": 41.2, "size_bytes": 92_400_000.0}
    run = builder.run("done", ("dataset", State.SUCCEEDED), ("evaluate", State.SUCCEEDED), result={"metrics": metrics})
    at = show("run", language, run=run)
    at.session_state["stage_evaluate"] = True
    at.run()
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


def test_delete_can_be_undone_and_keeps_what_was_made(show: Show, builder: StudioBuilder) -> None:
    made = builder.model("kept")
    run = builder.run("old", ("finetune", State.SUCCEEDED), result={"artifact": made.id})
    at = show("run", run=run)
    at.button(key="delete_run").click().run()
    assert not builder.studio.runs() and builder.studio.artifact(made.id)
    assert at.title[0].value == "Jobs" and "moved to trash" in words(at)
    at.button(key="undo").click().run()
    assert [each.id for each in builder.studio.runs()] == [run]
    assert "moved to trash" not in words(at)


def test_a_stage_is_a_line_and_what_failed_is_open(show: Show, builder: StudioBuilder) -> None:
    run = builder.run("bad", ("dataset", State.SUCCEEDED), ("finetune", State.FAILED), error=MEMORY)
    at = show("run", id=run)
    lines = [str(box.label) for box in at.expander if "[" in str(box.label)]
    assert ["Prepare data" in lines[0], "Fine-tune" in lines[1]] == [True, True]
    heads = [str(each.value) for each in at.markdown if str(each.value).startswith("**")]
    assert heads == ["**Fine-tune**"]
    at.session_state["stage_dataset"] = True
    at.run()
    heads = [str(each.value) for each in at.markdown if str(each.value).startswith("**")]
    assert heads == ["**Prepare data**", "**Fine-tune**"]


def test_name_notes_and_tags_are_changed_in_place(show: Show, builder: StudioBuilder) -> None:
    run = builder.run("finetune", ("finetune", State.SUCCEEDED))
    at = show("run", id=run)
    assert at.title[0].value == ":gray[#1] Fine-tune"
    at.button(key="run_edit").click().run()
    assert at.text_input(key="run_name").value == "Fine-tune"
    at.text_area(key="run_notes").set_value("<b>Try</b> 64 *next*")
    at.multiselect(key="run_tags").set_value(["spain"])
    at.button(key="run_save").click().run()
    assert builder.studio.run(run).name == "finetune", "a name that was not touched stays the stage's, in any language"
    assert at.text[0].value == "<b>Try</b> 64 *next*"
    at.button(key="run_edit").click().run()
    at.text_input(key="run_name").set_value("Best *so far*")
    at.button(key="run_save").click().run()
    assert at.title[0].value == ":gray[#1] Best \\*so far\\*"
    assert (builder.studio.run(run).tags, builder.studio.run(run).name) == (["spain"], "Best *so far*")


def test_a_deleted_run_can_be_restored_at_its_address(show: Show, builder: StudioBuilder) -> None:
    run = builder.run("old", ("finetune", State.SUCCEEDED))
    builder.studio.delete_run(run)
    at = show("run", id=run)
    assert "This run is in the trash." in words(at)
    at.button(key="run_restore").click().run()
    assert at.button(key="run_edit")


def test_inputs_and_outputs_are_links(show: Show, builder: StudioBuilder) -> None:
    data, made = builder.dataset("tickets"), builder.model("tickets-lora", Kind.ADAPTER)
    run = builder.run("one", ("finetune", State.SUCCEEDED), result={"artifact": made.id})
    builder.store.update_job(f"{run}-finetune", resolved={"data": data.id, "rank": 32, "epochs": 2})
    at = show("run", id=run)
    queries = [link.proto.query_string.partition("&")[2] for link in at.main.get("page_link")]
    assert f"data={data.id}" in queries and f"model={made.id}" in queries
    assert "Rank of the adapter 32" in words(at) or "Rank 32" in words(at)


def test_another_run_beside_it_is_chosen_and_stands_in_the_address(show: Show, builder: StudioBuilder) -> None:
    data = builder.dataset()
    first, second = builder.model("one", Kind.ADAPTER), builder.model("two", Kind.ADAPTER)
    for name, model, accuracy in (("a", first, 0.5), ("b", second, 0.9)):
        made = builder.evaluation(model, data, accuracy)
        metrics = {key: value for key, value in made.facts.items() if isinstance(value, float)}
        builder.run(name, ("evaluate", State.SUCCEEDED), result={"artifact": made.id, "metrics": metrics})
        builder.store.update_job(
            f"r-{name}-evaluate", resolved={"model": model.id, "data": data.id, "limit": len(name)}
        )
    at = show("run", id="r-b")
    assert "Compared with" not in words(at)
    at.selectbox(key="with_r-b").set_value("r-a").run()
    assert at.query_params["with"] == "r-a"
    assert any(each.value == "Compared with \\#1 a" for each in at.header)


def test_a_chain_is_edited_and_started_again(show: Show, builder: StudioBuilder) -> None:
    builder.dataset("tickets")
    run = builder.run("chain", ("check_data", State.SUCCEEDED), ("evaluate", State.SUCCEEDED))
    recipe = {"name": "chain", "stages": [{"id": "look", "stage": "check_data", "params": {"data": "tickets"}}]}
    with builder.store.session() as session:
        session.get_one(t.Run, run).recipe = recipe
    at = show("run", id=run)
    at.button(key="rerun").click().run()
    at.segmented_control(key="rerun_mode").set_value("recipe").run()
    text = str(at.text_area(key="rerun_recipe").value)
    at.text_area(key="rerun_recipe").set_value(text.replace("tickets", "nowhere"))
    at.button(key="rerun_yes").click().run()
    assert any("nowhere" in box.value for box in at.error)
    at.text_area(key="rerun_recipe").set_value(text.replace("chain", "again"))
    at.button(key="rerun_yes").click().run()
    assert [each.name for each in builder.studio.runs()] == ["again", "chain"]
    assert "again" in at.title[0].value


def test_a_chain_is_changed_by_fields(show: Show, builder: StudioBuilder) -> None:
    builder.model("base")
    builder.dataset("tickets")
    run = builder.run("chain", ("finetune", State.SUCCEEDED), ("evaluate", State.SUCCEEDED))
    given = {"model": "base", "data": "tickets", "rank": 4}
    tests = {"model": "${tune}", "data": "tickets"}
    steps = [{"id": "tune", "stage": "finetune", "params": given}, {"id": "eval", "stage": "evaluate", "params": tests}]
    with builder.store.session() as session:
        session.get_one(t.Run, run).recipe = {"name": "chain", "stages": steps}
    at = show("run", id=run)
    at.button(key="rerun").click().run()
    assert at.number_input(key="rerun_field_tune.rank").value == 4
    at.number_input(key="rerun_field_tune.rank").set_value(32)
    at.button(key="rerun_yes").click().run()
    assert not at.error
    made = builder.studio.runs()[0]
    assert made.id != run and made.jobs[0].params["rank"] == 32
    assert builder.store.recipe(made.id)["stages"][0]["params"] == {**given, "rank": 32}
    assert builder.store.recipe(run)["stages"] == steps, "the run that it came from stays as it was"


def test_page_without_a_run_leads_to_jobs(show: Show) -> None:
    at = show("run")
    assert not at.error and "Choose a run on the Jobs page." in words(at)


def test_unknown_run_is_a_sentence(show: Show) -> None:
    assert "r-nothing" in show("run", run="r-nothing").error[0].value


def test_what_olive_can_do_is_there_to_copy(show: Show, builder: StudioBuilder) -> None:
    base = builder.model()
    run = builder.run("done", ("finetune", State.SUCCEEDED), ("quantize", State.SUCCEEDED))
    builder.store.update_job(f"{run}-quantize", params={"model": base.id, "precision": "fp32"})
    at = show("run", run=run)
    at.session_state["stage_finetune"] = at.session_state["stage_quantize"] = True
    at.session_state[f"olive_{run}-finetune"] = at.session_state[f"olive_{run}-quantize"] = True
    at.run()
    said = words(at)
    assert "olive finetune --method lora --model_name_or_path" in said and '"type": "lora"' in said
    assert "“dropout” has no counterpart; here it is 0.0." in said
    assert "olive optimize --model_name_or_path" in said and '"type": "ModelBuilder"' in said
    builder.store.update_job(f"{run}-finetune", params={"model": base.id, "data": "x", "method": "full"})
    assert "Olive" not in [box.label for box in show("run", run=run).expander]
