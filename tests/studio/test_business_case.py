"""Load tests on Compare, and the business case of a result: who is cheaper is said as it is."""

from __future__ import annotations

from typing import Any

import pytest

from backend.core.schemas import ArtifactView, Kind
from backend.inference.load import REPORT
from backend.results.report import html
from backend.results.run_result import run_result
from studio.ui.result import business_case as page
from studio.ui.result.business_report import Case, business_report
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words
from tests.studio.test_result import distilled, measured


def load_test(builder: StudioBuilder, model: ArtifactView) -> ArtifactView:
    """One client was answered ten times a second, four twenty times and slowly."""
    times = {"ttft_ms_p50": 20.0, "ttft_ms_p95": 30.0, "latency_ms_p50": 90.0, "latency_ms_p99": 200.0}
    tokens = {"tokens_per_s": 50.0, "prompt_tokens": 400.0, "answer_tokens": 5.0}
    levels = [
        {"clients": clients, "requests": 32, "seconds": 3.2, "requests_per_s": rate, "latency_ms_p95": p95}
        | {"errors": errors, "reasons": {"timeout": errors} if errors else {}, **times, **tokens}
        for clients, rate, p95, errors in ((1, 10.0, 100.0, 0), (4, 20.0, 300.0, 0), (16, 20.0, 9000.0, 2))
    ]
    facts = {"report": REPORT, "model": model.id, "model_name": model.name, "cores": 2, "max_new_tokens": 64}
    facts |= {"cold_start_seconds": 3.5, "peak_memory_bytes": 300_000_000, "levels": levels}
    return builder.artifact(Kind.REPORT, f"{model.name} under load", facts, parents=[model.id])


@pytest.mark.parametrize(("language", "lead"), [("en", "Load test"), ("es", "Prueba de carga")])
def test_compare_shows_load_tests_with_their_failures(
    show: Show, builder: StudioBuilder, language: str, lead: str
) -> None:
    made = distilled(builder, 0.9, 0.85)
    load_test(builder, made["quantize"])
    at = show("compare", language)
    assert f"**{lead}**" in [each.value for each in at.markdown]
    assert any("timeout" in each.value and "16" in each.value for each in at.text)
    assert len(at.get("plotly_chart")) >= 2


def test_form_of_the_load_test_opens_on_compare(show: Show, builder: StudioBuilder) -> None:
    builder.dataset("mails")
    builder.model("small")
    at = show("compare")
    at.session_state["cmp_load_form"] = True
    at.run()
    assert not at.exception and "1, 4, 16" in [each.value for each in at.text_input], "the form of the stage"


@pytest.mark.parametrize(
    ("answers", "said"),
    [(100_000.0, "this machine is cheaper"), (100.0, "the hosted model is cheaper")],
)
def test_result_says_who_is_cheaper(
    show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch, answers: float, said: str
) -> None:
    monkeypatch.setattr("studio.ui.result.try_it.served", dict)
    cases: list[Case] = []

    def kept(**given: Any) -> Case:
        cases.append(Case(**given))
        return cases[-1]

    monkeypatch.setattr(page, "Case", kept)
    made = distilled(builder, 0.9, 0.85)
    measured(builder, made)
    load_test(builder, made["quantize"])
    at = show("result", run="r-mails")
    at.session_state["result_business"] = True
    at.run()
    assert "Enter both hosted prices" in words(at)
    at.number_input(key="business_price_0").set_value(1.0)
    at.number_input(key="business_price_1").set_value(4.0)
    at.number_input(key="business_answers_per_day").set_value(answers)
    at.run()
    assert not at.exception and said in words(at)
    assert "4 users at once within 2,000 ms" in words(at)
    run = builder.studio.run("r-mails")
    result = run_result(run, builder.studio.artifacts())
    document = html(business_report(run, result, cases[-1]))
    assert said in document and "1 million answers" in document and "90.0%" in document  # a tenth of the teacher's time
    assert "not measured" not in document.split("Lower operating cost")[1].split("</tr>")[0]
