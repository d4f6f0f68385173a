"""Below the form of the search: what it found and the ways to use it, also of searches of earlier versions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from backend.core.schemas import ArtifactView, Kind
from backend.results.search_report import SearchReport, Trial, read_report
from studio.ui.search.charts import history_chart, importance_chart, parallel_chart
from studio.ui.search.report import columns, evaluation_views, rows
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words

METRICS = {
    "accuracy": 0.9,
    "accuracy_low": 0.85,
    "accuracy_high": 0.94,
    "kl": 0.004,
    "perplexity": 1.08,
    "decode_tokens_per_s": 60.0,
    "ttft_ms": 40.0,
    "peak_memory_bytes": 4.0e8,
    "size_bytes": 8.0e7,
    "n": 100.0,
}


def schemes_of_before(data: ArtifactView, model: ArtifactView, passed: bool = True) -> dict[str, Any]:
    point = {
        "name": "kquant-64",
        "params": {"rounding": "kquant"},
        "precision": "int4",
        "metrics": METRICS,
        "seconds": 9,
    }
    small = {**METRICS, "accuracy": 0.5, "size_bytes": 7.0e7}
    return {
        "choice": "kquant-64",
        "metric": "accuracy",
        "keep": 0.99 if passed else 0.999,
        "kept": 0.993,
        "passed": passed,
        "front": ["rtn-64", "kquant-64"],
        "points": [
            {"name": "rtn-64", "params": {}, "precision": "int4", "metrics": small, "seconds": 9},
            point,
            {
                "name": "gptq-64",
                "params": {},
                "precision": "int4",
                "failure": {"code": "chat.onnx_wrong", "args": {"reason": "is broken"}},
                "seconds": 1,
            },
        ],
        "untried": ["int8"],
        "original": {**METRICS, "accuracy": 0.906, "size_bytes": 5.4e8, "kl": 0.0},
        "data": data.id,
        "model": model.id,
        "test": {"original": {**METRICS, "accuracy": 0.89}, "choice": {**METRICS, "accuracy": 0.88}},
    }


def hyperparameters_of_before(data: ArtifactView, model: ArtifactView) -> dict[str, Any]:
    trial = {"state": "complete", "seconds": 9.0, "curve": [[50, 2.0]]}
    trials = [
        {**trial, "number": 0, "values": {"learning_rate": 1e-3, "rank": 8}, "loss": 1.5},
        {**trial, "number": 1, "values": {"learning_rate": 3e-3, "rank": 16}, "loss": 1.25},
        {**trial, "number": 2, "values": {"learning_rate": 1e-2, "rank": 8}, "loss": None, "state": "pruned"},
        {
            **trial,
            "number": 3,
            "values": {"learning_rate": 1e-2, "rank": 16},
            "loss": None,
            "state": "fail",
            "failure": "?",
        },
    ]
    about = {"training": "finetune", "settings": {"model": model.id, "data": data.id, "epochs": 2.0}, "trials": trials}
    fields = {"fields": ["learning_rate", "rank"], "logs": ["learning_rate"]}
    return {**about, **fields, "best": 1, "importances": {"learning_rate": 0.7, "rank": 0.3}}


def searched(builder: StudioBuilder, passed: bool = True, trained: bool = False) -> tuple[ArtifactView, ArtifactView]:
    """A finished search: its chosen model and its report, as an earlier version wrote it."""
    data, model = builder.dataset(), builder.model()
    if trained:
        made = builder.model("tuned", Kind.ADAPTER, parents=[model.id])
        report, word = hyperparameters_of_before(data, model), "hyperparameters"
    else:
        made = builder.model("small", Kind.ONNX, parents=[model.id])
        report, word = schemes_of_before(data, model, passed), "search"
    facts = {"report": word, "model": made.id, "data": data.id, "passed": passed, "failed": []}
    files = {"report.json": json.dumps(report)}
    return made, builder.artifact(Kind.REPORT, "search-small", facts, files, parents=[made.id])


def at_search(show: Show, page: str = "quantize", language: str = "en") -> AppTest:
    at = show("home", language)
    at.query_params["step"] = "search"
    at.switch_page(f"../pages/{page}.py").run()
    assert not at.exception, at.exception
    return at


def test_a_report_is_read_as_it_is_written(tmp_path: Any) -> None:
    trial = Trial(number=0, values={"rank": 8}, params={"rank": 8}, state="complete", value=1.0)
    report = SearchReport(stage="finetune", settings={}, fields=["rank"], trials=[trial], best=0, metric="eval_loss")
    report.write(tmp_path)
    assert read_report(tmp_path) == report


@pytest.mark.parametrize("stage", ["finetune", "distill", "quantize"])
def test_the_form_begins_with_the_stage_of_its_page(show: Show, builder: StudioBuilder, stage: str) -> None:
    builder.dataset(), builder.model()
    at = at_search(show, stage)
    key = f"form.{builder.store.project()}.search"
    assert at.session_state[f"{key}.stage"] == stage and "No search in this project yet" in words(at)
    example = at.text_input(key=f"{key}.space").placeholder
    assert example.startswith({"quantize": "symmetric=true|false"}.get(stage, "learning_rate=2e-4..5e-3 log, "))
    at.query_params["step"] = "search"
    at.switch_page("../pages/distill.py").run()
    assert at.session_state[f"{key}.stage"] == "distill"


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ("80.0 MB", "14.8%", "99.3% of its validation quality", "Accuracy 88.0%, original 89.0%", "is broken")),
        (
            "es",
            (
                "80,0\u00a0MB",
                "14,8\u00a0%",
                "99,3\u00a0% de su calidad en validación",
                "Exactitud 88,0\u00a0%, original 89,0\u00a0%",
                "INT4 GPTQ",
            ),
        ),
    ],
)
def test_the_choice_is_told_with_its_test_score(
    show: Show, builder: StudioBuilder, language: str, told: tuple[str, ...]
) -> None:
    searched(builder)
    at = at_search(show, language=language)
    text = words(at).replace("\\", "")
    assert not [part for part in told if part not in text]
    assert at.success and not at.warning


def test_a_choice_that_keeps_too_little_is_a_warning(show: Show, builder: StudioBuilder) -> None:
    searched(builder, passed=False)
    at = at_search(show)
    assert any("No trial keeps 99.9%" in each.value for each in at.warning)


def test_the_choice_goes_into_the_package_with_one_click(show: Show, builder: StudioBuilder) -> None:
    onnx, _report = searched(builder)
    at = at_search(show)
    at.button(key="search_package").click().run()
    assert not at.exception
    assert at.session_state["step"] == "package"
    assert at.session_state[f"form.{builder.store.project()}.package.model"] == onnx.id


@pytest.mark.parametrize(("trial", "rounding"), [(None, "kquant"), (0, "rtn")])
def test_the_values_of_the_best_or_of_any_trial_go_into_the_form(
    show: Show, builder: StudioBuilder, trial: int | None, rounding: str
) -> None:
    report = searched(builder)[1]
    at = at_search(show)
    if trial is not None:
        at.selectbox(key=f"search_trial_{report.id}").set_value(trial).run()
    at.button(key="search_use").click().run()
    assert at.session_state["step"] == "quantize"
    assert at.session_state[f"form.{builder.store.project()}.quantize.rounding"] == rounding


def test_the_best_values_of_a_training_open_its_form_from_any_page(show: Show, builder: StudioBuilder) -> None:
    searched(builder, trained=True)
    at = at_search(show, "distill")
    assert "Trial 2" in words(at) and "Importance" in words(at)
    at.button(key="search_use").click().run()
    assert not at.exception
    form = f"form.{builder.store.project()}.finetune"
    assert (at.session_state[f"{form}.rank"], at.session_state[f"{form}.epochs"]) == (16, 2.0)


def test_the_table_marks_choice_front_failures_and_what_had_no_time(builder: StudioBuilder) -> None:
    _onnx, view = searched(builder)
    report = read_report(view.path)
    made = rows(report)
    assert {len(row) for row in made} == {len(columns(report))}
    assert made[0][0]["text"] == "Original" and made[2][1]["text"] == "INT4 k-quant, blocks of 64"
    assert [tag["text"] for tag in made[2][0]["tags"]] == ["Best", "Pareto front"]
    assert [tag["text"] for tag in made[3][0]["tags"]] == ["Failed"] and made[4][0]["sub"] == "out of time"
    assert [one.id for one in evaluation_views(report, view)] == ["original", "0", "1"]


def test_charts_show_what_was_tried(builder: StudioBuilder) -> None:
    report = read_report(searched(builder, trained=True)[1].path)
    dots, line = history_chart(report)["data"]
    assert dots["x"] == [1, 2] and line["y"] == [1.5, 1.25]
    assert importance_chart(report)["data"][0]["x"] == [0.3, 0.7]
    axes = parallel_chart(report, "#000")["data"][0]["dimensions"]
    assert [axis["values"] for axis in axes] == [[-3.0, pytest.approx(-2.523, abs=1e-3)], [8, 16], [1.5, 1.25]]
    many = report.model_copy(update={"fields": report.fields * 3})
    assert [parallel_chart(each, "#000")["data"][0]["labelangle"] for each in (report, many)] == [0, -45]
    report = read_report(searched(builder)[1].path)
    assert history_chart(report)["data"][0]["marker"]["symbol"] == ["circle-open", "circle"]
    assert [axis["label"] for axis in parallel_chart(report, "#000")["data"][0]["dimensions"]][1:] == [
        "Accuracy",
        "Size on<br>disk",
    ]
