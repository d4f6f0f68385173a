"""Below the forms of the page Quantize: what a search found, the ways to use it, and Olive's workflow."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from backend.core.schemas import ArtifactView, Kind
from studio.ui.quantize.search_report import columns, evaluation_views, rows
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


def report_of(data: ArtifactView, model: ArtifactView, passed: bool = True) -> dict[str, Any]:
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
        "keep": 0.99,
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


def searched(builder: StudioBuilder, passed: bool = True) -> tuple[ArtifactView, ArtifactView]:
    """A finished search: its chosen model and its report."""
    data, model = builder.dataset(), builder.model()
    onnx = builder.model("small", Kind.ONNX, files={"olive.json": '{"passes": {}}'}, parents=[model.id])
    report = report_of(data, model, passed)
    facts = {"report": "search", "model": onnx.id, "data": data.id, "passed": passed, "failed": []}
    files = {"report.json": json.dumps(report)}
    return onnx, builder.artifact(Kind.REPORT, "search-small", facts, files, parents=[onnx.id])


def at_search(show: Show, language: str = "en") -> AppTest:
    at = show("home", language)
    at.query_params["step"] = "scheme_search"
    at.switch_page("../pages/quantize.py").run()
    assert not at.exception, at.exception
    return at


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
    at = at_search(show, language)
    text = words(at).replace("\\", "")
    assert not [part for part in told if part not in text]
    assert at.success and not at.warning


def test_a_choice_that_keeps_too_little_is_a_warning(show: Show, builder: StudioBuilder) -> None:
    searched(builder, passed=False)
    at = at_search(show)
    assert any("No scheme keeps 99.0%" in each.value for each in at.warning)


def test_the_choice_goes_into_the_package_with_one_click(show: Show, builder: StudioBuilder) -> None:
    onnx, _report = searched(builder)
    at = at_search(show)
    at.button(key="search_use").click().run()
    assert not at.exception
    assert at.session_state["step"] == "package"
    assert at.session_state[f"form.{builder.store.project()}.package.model"] == onnx.id


def test_the_settings_of_any_recipe_go_into_the_form(show: Show, builder: StudioBuilder) -> None:
    searched(builder)
    at = at_search(show)
    at.selectbox(key="search_other").set_value("kquant-64").run()
    at.button(key="search_settings").click().run()
    assert at.session_state["step"] == "quantize"
    assert at.session_state[f"form.{builder.store.project()}.quantize.rounding"] == "kquant"


def test_the_table_marks_choice_front_failures_and_what_had_no_time(builder: StudioBuilder) -> None:
    _onnx, view = searched(builder)
    report = json.loads((view.path / "report.json").read_text())
    made = rows(report)
    assert {len(row) for row in made} == {len(columns(report))}
    assert made[0][0]["text"] == "Original"
    assert [tag["text"] for tag in made[2][0]["tags"]] == ["Selected", "Pareto front"]
    assert made[3][0]["mark"] == "bad" and made[4][0]["sub"] == "out of time"
    assert [one.id for one in evaluation_views(report, view)] == ["original", "rtn-64", "kquant-64"]


def test_olives_workflow_can_be_downloaded(show: Show, builder: StudioBuilder) -> None:
    searched(builder)
    at = show("quantize")
    assert "Olive workflow" in words(at)
    assert at.get("download_button")


def test_nothing_was_searched_yet(show: Show, builder: StudioBuilder) -> None:
    at = at_search(show)
    assert "No search in this project yet" in words(at)


def test_what_was_built_for_another_device_is_marked_where_it_can_be_chosen(show: Show, builder: StudioBuilder) -> None:
    facts = {"precision": "fp16", "target": "cuda", "run": False}
    builder.model("big", Kind.ONNX, facts=facts, files={"olive.json": "{}"})
    (option,) = show("quantize").selectbox(key="workflow_shown").options
    assert "FP16" in option and "not run here" in option


def test_the_form_says_that_a_graphics_card_is_not_here(show: Show, builder: StudioBuilder) -> None:
    builder.model()
    at = show("quantize")
    assert "not run on the target device here" not in words(at)
    at.session_state[f"form.{builder.store.project()}.quantize.target"] = "cuda"
    at.run()
    assert "not run on the target device here" in words(at)
