"""Reports of checks on the page Quantize: red and green rows with value and threshold, in both languages, and downloads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from backend.checks.check import Check, at_least, at_most, check_dicts, failed
from backend.core.schemas import ArtifactView, Kind, State
from studio.ui.shared.job_card import check_report as shown
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words


def left(builder: StudioBuilder, report: str, checks: list[Check], **about: Any) -> ArtifactView:
    """A report artifact, and the job that left it."""
    facts = {"report": report, "model": "m", "model_name": "small-int4", "passed": not failed(checks)}
    facts |= {"failed": failed(checks), "data_name": "commands", "split": "test", "requests": 1000, **about}
    said = {"text": "turn <b>on</b>", "expected": "on", "original": "on", "export": "off", "same": False}
    file = json.dumps({**facts, "checks": check_dicts(checks), "examples": [said]})
    view = builder.artifact(Kind.REPORT, report, facts, {"report.json": file})
    metrics = {"checks_passed": 1.0, "checks_failed": 1.0}
    builder.run("mine", (report, State.SUCCEEDED), result={"artifact": view.id, "metrics": metrics})
    return view


def at_step(show: Show, step: str, language: str = "en") -> AppTest:
    """The page Quantize, opened at one of its steps."""
    at = show("home", language)
    at.query_params["step"] = step
    at.switch_page("../pages/quantize.py").run()
    assert not at.exception, at.exception
    return at


PARITY = [
    at_most("template", 0, 0),
    at_most("stop_tokens", 2, 0, args={"count": 2, "total": 1, "examples": "- <|im_end|>"}),
    at_least("token_agreement", 0.985, 0.9, args={"equal": 31, "total": 32}),
    at_most("kl_answer", 3e-13, 1e-4, "nats"),
]


@pytest.mark.parametrize(
    ("language", "rows", "verdict"),
    [
        (
            "en",
            [
                ["Stop tokens", "not passed", "bad", "2", "at most 0"],
                ["Prompt template", "passed", "good", "0", "at most 0"],
                ["Same tokens in answers", "passed", "good", "98.5%", "at least 90.0%"],
                ["KL divergence, answers", "passed", "good", "< 0.0001 nats", "at most 0.0001 nats"],
            ],
            "1 of 4 checks failed.",
        ),
        (
            "es",
            [
                ["Tokens de parada", "no superada", "bad", "2", "como máximo 0"],
                ["Plantilla del prompt", "superada", "good", "0", "como máximo 0"],
                ["Tokens iguales en las respuestas", "superada", "good", "98,5\u00a0%", "al menos 90,0\u00a0%"],
                ["Divergencia KL, respuestas", "superada", "good", "< 0,0001 nats", "como máximo 0,0001 nats"],
            ],
            "No se han superado 1 de 4 comprobaciones.",
        ),
    ],
)
def test_a_report_is_a_table_of_red_and_green_rows(
    show: Show,
    builder: StudioBuilder,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    rows: list[list[str]],
    verdict: str,
) -> None:
    drawn: dict[str, Any] = {}
    monkeypatch.setattr(shown, "plain_table", lambda key, label, columns, found, **how: drawn.update({key: found}))
    view = left(builder, "parity", PARITY, original_name="small", original="model-small")
    at = at_step(show, "parity", language)
    assert verdict in words(at)
    table = drawn[f"report_{view.id}"] + drawn[f"passed_checks_{view.id}"]
    assert [[r[0]["text"], r[1]["said"], r[1]["mark"], r[2]["text"], r[3]["text"]] for r in table] == rows
    assert "<|im_end|>" in table[0][1]["text"]
    assert drawn[f"examples_{view.id}"][0][2]["text"] == "off"


def test_a_checklist_can_be_taken_away_and_a_good_one_is_green(show: Show, builder: StudioBuilder) -> None:
    view = left(builder, "checklist", [at_most("alive", 0, 0), at_least("answers", 0.9, 0.5, args={"total": 9})])
    at = at_step(show, "checklist")
    assert "All 2 checks passed." in [each.value for each in at.success]
    keys = {element.key for element in at.get("download_button")} if at.get("download_button") else set()
    assert {f"report_{ending}_{view.id}" for ending in ("html", "md", "json")} <= keys


def test_both_steps_have_a_form_that_starts(show: Show, builder: StudioBuilder) -> None:
    data, base = builder.dataset(), builder.model()
    export = builder.model("small-int4", Kind.ONNX, parents=[base.id])
    for stage in ("parity", "checklist"):
        at = at_step(show, stage)
        assert not at.button(key=f"start_{stage}").disabled
        at.button(key=f"start_{stage}").click().run()
        job = builder.store.runs()[0].jobs[0]
        assert job.stage == stage and job.params["model"] == export.id and job.params["data"] == data.id
