"""The page Compare on a real home: empty, one model, many, being measured, failed; both languages."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from backend.core.schemas import Kind, State
from backend.results.answers import Confusion
from backend.results.evaluations import EvaluationView
from backend.results.report import html
from studio.ui.compare import page
from studio.ui.compare.charts import pareto_chart
from studio.ui.compare.confusion import confusion_chart
from studio.ui.compare.controls import Selection
from studio.ui.compare.export import board_csv
from studio.ui.compare.labels import gain_text, short_name
from studio.ui.compare.report import report
from studio.ui.shared.charts import axis_range, ticks
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words

EVIL = "<img src=x onerror=alert(1)> **bold** مرحبا 🔥"


def measured(builder: StudioBuilder) -> None:
    """A teacher of 20 rows, its student, that in INT4, and the untuned model."""
    data = builder.dataset()
    base = builder.model("base", facts={"precision": "fp32"})
    teacher = builder.model(
        "teacher", Kind.ADAPTER, facts={"base": base.id, "data": data.id}, parents=[base.id, data.id]
    )
    answers = builder.artifact(
        Kind.DATASET, "answers", {**data.facts, "teacher": "teacher"}, parents=[data.id, teacher.id]
    )
    student = builder.model("student", facts={"layers": 6, "data": answers.id}, parents=[teacher.id, answers.id])
    small = builder.model("small", Kind.ONNX, parents=[student.id])
    for model, share, latency, size in (
        (base, 0.1, 210.0, 540e6),
        (teacher, 0.95, 200.0, 540e6),
        (student, 0.95, 50.0, 200e6),
        (small, 0.75, 20.0, 50e6),
    ):
        builder.evaluation(model, data, share, inputs=[EVIL], latency_ms_p50=latency, size_bytes=size)


def data_of(at: AppTest, key: str) -> dict[str, Any]:
    """What the table of that key was given."""
    for element in at.get("bidi_component"):
        content = json.loads(element.proto.json) if element.proto.json else {}
        if content.get("label") == key:
            return dict(content)
    raise AssertionError(f"no table {key}")


def charts(at: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["No evaluations yet", "Start the demo on the Home page"]),
        ("es", ["Aún no hay evaluaciones", "Inicia la demostración en la página Inicio"]),
    ],
)
def test_empty_says_what_to_do(show: Show, language: str, said: list[str]) -> None:
    at = show("compare", language)
    text = words(at) + "".join(link.proto.label for link in at.get("page_link"))
    for part in said:
        assert part in text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            [
                "commands · Test · 20 rows · 4 models",
                "Compared with baseline",
                "75% less",
                "63% less",
                "100% kept",
                "n = 20",
            ],
        ),
        (
            "es",
            [
                "commands · Prueba · 20 filas · 4 modelos",
                "Respecto a la referencia",
                "75\u00a0% menos",
                "63\u00a0% menos",
                "100\u00a0% conservado",
            ],
        ),
    ],
)
def test_page_says_what_was_gained(builder: StudioBuilder, show: Show, language: str, said: list[str]) -> None:
    measured(builder)
    at = show("compare", language)
    text = words(at) + "".join(at.selectbox(key="cmp_benchmark").options)
    for part in said:
        assert part in text, part


def test_leaderboard_has_every_model_with_its_interval(builder: StudioBuilder, show: Show) -> None:
    measured(builder)
    table = data_of(show("compare"), "Leaderboard")
    assert [row[0]["text"] for row in table["rows"]][-2:] == ["small", "base"]
    assert table["sort"] == [1, True]
    best = table["rows"][0]
    assert best[1]["text"] == "95.0%"
    assert best[1]["sub"] == "85.0% – 100.0%"
    tags = {row[0]["text"]: [tag["text"] for tag in row[0]["tags"]] for row in table["rows"]}
    assert tags == {"student": ["Pareto front"], "teacher": ["Baseline"], "small": ["Pareto front"], "base": []}


def test_the_task_is_said_and_all_but_four_qualities_are_folded(builder: StudioBuilder, show: Show) -> None:
    names = ("balanced_accuracy", "mcc", "micro_f1", "bits_per_byte")
    told: dict[str, Any] = {"task": "extraction", **dict.fromkeys(names, 0.5)}
    builder.evaluation(builder.model("one"), builder.dataset(), 0.9, **told)
    at = show("compare")
    assert "Task: Extraction (JSON)." in words(at)
    titles = [column["title"] for column in data_of(at, "Leaderboard")["columns"]]
    assert titles[:6] == ["Model", "Accuracy", "Macro F1", "Balanced accuracy", "MCC", "Latency, median"]
    rest = data_of(at, "More metrics")
    assert [column["title"] for column in rest["columns"]] == ["Model", "Micro F1", "Bits per byte"]
    assert len(rest["rows"]) == 1


def test_the_quick_baseline_stands_beside_the_models(builder: StudioBuilder, show: Show) -> None:
    """In the leaderboard and the chart, in whatever is taken away, and in a sentence about each model that it holds up to."""
    data = builder.dataset()
    for model, share in (("good", 0.95), ("poor", 0.6)):
        builder.evaluation(builder.model(model), data, share, plain=0.83)
    at = show("compare")
    last = data_of(at, "Leaderboard")["rows"][-1]
    assert [last[0]["text"], last[0]["sub"], last[0]["tags"][0]["text"]] == [
        "Quick baseline",
        "TF-IDF classifier",
        "No model",
    ]
    assert (last[1]["text"], last[1]["sub"], last[-1]) == ("83.0%", "73.0% – 93.0%", {"text": "–", "value": ""})
    assert last[1]["range"] == pytest.approx([0.73, 0.93])
    front, bars = charts(at)[:2]
    assert front["data"][-1]["y"] == [0.83, 0.83] and front["data"][-1]["name"] == "Quick baseline: 83.0%"
    assert bars["data"][0]["x"] == [0.95, 0.6, 0.83] and bars["layout"]["yaxis"]["ticktext"][-1] == "Quick baseline"
    said = words(at).replace("\\", "")
    assert "poor: Accuracy 60.0%: no better than a quick baseline" in said and "good: Accuracy" not in said
    group = builder.studio.evaluations()
    choice = Selection(group, "accuracy", group[0], group[1], "latency_ms_p50")
    document = html(report(choice, builder.studio.answers(group[0].id, group[1].id)))
    assert "Quick baseline: 83.0%" in document and "no better than a quick baseline" in document
    line = list(csv.reader(io.StringIO(board_csv(choice))))[-1]
    assert line[:2] == ["TF-IDF classifier (quick baseline)", "baseline"] and "0.83" in line
    comparison = builder.studio.against_baseline(group[0].id)
    assert comparison is not None and comparison.code == "baseline.not_beaten"


def test_without_a_baseline_nothing_is_said_of_one(builder: StudioBuilder, show: Show) -> None:
    measured(builder)
    at = show("compare")
    assert "Quick baseline" not in words(at) and not charts(at)[0]["layout"].get("shapes")
    assert builder.studio.against_baseline(builder.studio.evaluations()[0].id) is None


def test_untuned_models_enter_the_chart_only_when_asked(builder: StudioBuilder, show: Show) -> None:
    measured(builder)
    at = show("compare")
    assert "base" not in json.dumps(charts(at)[0])
    at.toggle(key="cmp_untuned").set_value(True).run()
    assert "base" in json.dumps(charts(at)[0])


def test_rows_are_filtered_searched_and_kept_as_text(builder: StudioBuilder, show: Show) -> None:
    measured(builder)
    at = show("compare")
    text = words(at)
    assert "Both are correct on exactly the same rows." in text.replace("\\", "")
    table = data_of(at, "Row by row")
    assert table["rows"][0][0]["text"] == EVIL
    assert len(table["rows"]) == 20
    assert not [m for m in at.markdown if EVIL in m.value]
    at.segmented_control(key="cmp_show").set_value("first_wrong").run()
    assert len(data_of(at, "Row by row")["rows"]) == 1
    at.text_input(key="cmp_search").set_value("in no text").run()
    assert "No matching rows" in words(at)


def test_rows_come_a_page_at_a_time(builder: StudioBuilder, show: Show) -> None:
    data, model = builder.dataset(), builder.model()
    lines = [
        {"id": str(n), "input": f"row {n}", "expected": "x", "answer": "x", "correct": n % 3 > 0} for n in range(270)
    ]
    facts = {
        "model_name": model.name,
        "model": model.id,
        "data": data.id,
        "split": "test",
        "n": 270.0,
        "accuracy": 0.9,
        "latency_ms_p50": 9.0,
    }
    files = {"answers.jsonl": "".join(json.dumps(line) + "\n" for line in lines)}
    builder.artifact(Kind.EVALUATION, "long", facts, files, parents=[data.id, model.id])
    at = show("compare")
    assert [row[0]["text"] for row in data_of(at, "Row by row")["rows"]] == [f"row {n}" for n in range(20)]
    at.pagination[0].set_value(3).run()
    assert data_of(at, "Row by row")["rows"][0][0]["text"] == "row 40"
    at.segmented_control(key="cmp_show").set_value("first_wrong").run()
    assert data_of(at, "Row by row")["rows"][0][0]["text"] == "row 0", "a new filter begins with the first page"


def test_sections_show_confusion_and_making(builder: StudioBuilder, show: Show) -> None:
    measured(builder)
    at = show("compare")
    at.segmented_control(key="cmp_section").set_value("confusion").run()
    assert charts(at)[-1]["data"][0]["type"] == "heatmap"
    assert data_of(at, "Most frequent confusions")["rows"]
    at.segmented_control(key="cmp_section").set_value("making").run()
    made = {row[0]["text"]: row[1]["text"] for row in data_of(at, "Lineage")["rows"]}
    assert made["small"].splitlines()[-1] == "“small”: ONNX export of “student”, INT4."
    assert "Labels generated by “teacher”." in made["student"]


def test_one_model_is_still_useful(builder: StudioBuilder, show: Show) -> None:
    builder.evaluation(builder.model(), builder.dataset(), 0.9)
    at = show("compare")
    assert "Evaluate a second model" in words(at)
    assert len(data_of(at, "Row by row")["columns"]) == 3


def test_measurements_without_figures_leave_the_page_whole(builder: StudioBuilder, show: Show) -> None:
    builder.artifact(Kind.EVALUATION, "bare", {"model_name": "x", "data": "d", "split": "test", "n": 20.0})
    builder.artifact(Kind.EVALUATION, "of another version", {"accuracy": 0.5})
    assert "No evaluations yet" in words(show("compare"))
    builder.evaluation(builder.model(), builder.dataset(), 0.9)
    st.cache_resource.clear()
    at = show("compare")
    assert "No evaluations yet" not in words(at) and len(at.selectbox(key="cmp_benchmark").options) == 1


@pytest.mark.parametrize(
    ("language", "said"), [("en", "2 evaluations running or queued"), ("es", "2 evaluaciones en marcha o en cola")]
)
def test_running_measurements_are_announced(builder: StudioBuilder, show: Show, language: str, said: str) -> None:
    measured(builder)
    builder.run("first", ("evaluate", State.RUNNING))
    builder.run("second", ("evaluate", State.WAITING))
    assert said in words(show("compare", language))


def test_failed_measurement_says_why(builder: StudioBuilder, show: Show) -> None:
    measured(builder)
    builder.run("bad", ("evaluate", State.FAILED), error={"code": "chat.endpoint_model_missing"})
    assert "The endpoint needs a model name" in words(show("compare"))


def test_another_project_has_its_own_measurements(builder: StudioBuilder, show: Show) -> None:
    measured(builder)
    builder.studio.choose_project(builder.studio.create_project("Empty").id)
    assert "No evaluations yet" in words(show("compare"))


def test_new_measurement_is_drawn_in_the_next_run(builder: StudioBuilder, show: Show) -> None:
    measured(builder)
    at = show("compare")
    builder.evaluation(builder.model("late"), builder.studio.artifact("dataset-commands"), 0.5)
    page.measured.clear()
    at.run()
    assert "late" in [row[0]["text"] for row in data_of(at, "Leaderboard")["rows"]]


def test_report_and_table_say_what_the_page_says(builder: StudioBuilder, show: Show) -> None:
    measured(builder)
    show("compare")  # gives the words a session
    group = builder.studio.evaluations()
    by_name = {each.model_name: each for each in group}
    choice = Selection(group, "accuracy", by_name["teacher"], by_name["small"])
    answers = builder.studio.answers(by_name["small"].id, by_name["teacher"].id)
    text = html(report(choice, answers))
    for part in ("small vs. teacher", "79% kept", "90% less", "91% less", "p = 0.125", "ONNX export of"):
        assert part in text, part
    assert text.count("<circle") == 3, "the untuned model would press the chart together"
    lines = list(csv.DictReader(io.StringIO(board_csv(choice).removeprefix("\ufeff"))))
    assert {line["model"]: line["latency_ms_p50"] for line in lines}["small"] == "20.0"


def one(name: str, **metrics: float) -> EvaluationView:
    plain: dict[str, Any] = {
        "data": "d",
        "data_name": "d",
        "data_digest": "d",
        "split": "test",
        "n": 20,
        "project": "p",
    }
    more: dict[str, Any] = {"kind": "model", "precision": "fp32", "created": "2026-01-01T00:00:00Z"}
    return EvaluationView(id=name, name=name, model=name, model_name=name, metrics=metrics, **plain, **more)


def test_chart_labels_keep_html_as_text_and_logarithms_fit(builder: StudioBuilder, show: Show) -> None:
    show("compare")  # gives the words a session
    group = [one("<b>x</b>", accuracy=0.9, size_bytes=1e7), one("y", accuracy=0.8, size_bytes=1e6)]
    chart = pareto_chart(group, {each.id: each.name for each in group}, "size_bytes", "accuracy", log=True)
    labels = {label["text"]: label for label in chart["layout"]["annotations"]}
    assert set(labels) == {"&lt;b&gt;x&lt;/b&gt;", "y"}
    assert labels["y"]["x"] == 6
    low, high = chart["layout"]["xaxis"]["range"]
    assert low < 6 < 7 < high


def test_perplexity_reads_as_less_or_more(show: Show) -> None:
    show("compare")  # gives the words a session
    assert gain_text("perplexity", 0.8) == "25% more"
    assert gain_text("perplexity", 2.0) == "50% less"
    assert gain_text("accuracy", 0.97) == "97% kept"
    assert gain_text("size_bytes", 1.001) == "no difference"


def test_axes_have_round_ticks_in_reach() -> None:
    assert ticks("size_bytes", 1.5e7, 6e8, True) == [3e7, 1e8, 3e8]
    assert ticks("latency_ms_p50", 8, 120, True) == [10, 20, 50, 100]
    assert max(ticks("accuracy", 0.7, 1.1, False)) == 1.0
    assert min(ticks("size_bytes", -5e6, 4e7, False)) == 0.0
    low, high = axis_range([5.0], False, (0.1, 0.1))
    assert low < 5.0 < high


def test_confusion_keeps_the_labels_that_occur() -> None:
    table = Confusion(labels=["a", "b", "unused"], counts=[[3, 1, 0], [0, 4, 0], [0, 0, 0]])
    heat = confusion_chart(table)["data"][0]
    assert heat["z"] == [[0.75, 0.25], [0.0, 1.0]]


def test_long_names_of_one_run_are_told_apart_in_charts() -> None:
    one, other = (short_name(f"Tickets-soporte-1er-semestre-{end}", 28) for end in ("tuned", "int4"))
    assert one.endswith("-tuned") and other.endswith("-int4") and len(one) == len(other) == 28
    assert short_name("mails-tuned", 28) == "mails-tuned"
