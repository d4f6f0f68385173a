"""Curves and figures: what is drawn, smoothed and left out."""

from __future__ import annotations

import json

import pytest
import streamlit as st

from backend.core.schemas import State
from studio.ui.shared.curves import Line, line_figure, marks, robust_top, smoothed, stop_sentence, thinned
from studio.ui.shared.figures import told_metrics
from studio.ui.shared.formatting import format_metric
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show


def test_smoothing_keeps_a_level_and_follows_a_change_slowly() -> None:
    assert [value for _step, value in smoothed([(step, 2.0) for step in range(5)], 0.9)] == pytest.approx([2.0] * 5)
    jump = smoothed([(0, 0.0), (1, 0.0), (2, 1.0)], 0.5)
    assert 0 < jump[-1][1] < 1 and jump[0] == (0, 0.0)
    assert smoothed([(0, 3.0), (1, 1.0)], 0.0) == [(0, 3.0), (1, 1.0)]


def test_steps_that_were_done_again_count_once_and_the_last_point_stays() -> None:
    points = thinned([(step, float(step)) for step in range(1001)] + [(5, 99.0)])
    assert len(points) <= 401 and points[-1] == (1000, 1000.0)
    assert dict(thinned([(5, 1.0), (5, 2.0)])) == {5: 2.0}


def test_legend_names_what_is_drawn() -> None:
    drawn = line_figure([Line("loss", [(0, 2.0), (1, 1.0)]), Line("validation", [])], "Loss")
    assert drawn["legend"]["data"] == ["loss"] and len(drawn["series"]) == 2


def test_a_few_high_values_do_not_set_the_range() -> None:
    calm = Line("a", [(step, 1.0 + step % 3 / 10) for step in range(100)])
    assert robust_top([calm]) is None
    wild = Line("b", [(0, 50.0), (1, 30.0), *calm.points[2:]])
    top = robust_top([wild])
    assert top is not None and 1.2 < top < 2
    assert "max" in line_figure([wild], "Loss")["yAxis"] and "max" not in line_figure([wild], "Loss", log=True)["yAxis"]
    assert robust_top([Line("few", wild.points[:10])]) is None


def test_the_best_evaluation_and_an_early_stop_are_marked() -> None:
    points = [(5.0, 1.5), (10.0, 0.9), (15.0, 1.2), (20.0, float("nan"))]
    stopped = {"steps": 20.0, "planned_steps": 400.0, "kept_step": 10.0, "eval_loss": 0.9, "last_eval_loss": 1.2}
    assert [(line.name, line.points) for line in marks(points, {})] == [("Best", [(10.0, 0.9)])]
    assert [line.points[0][0] for line in marks(points, stopped)] == [10.0, 20.0]
    assert marks(points[:1], {}) == [] and stop_sentence({"steps": 20.0, "kept_step": 20.0}) == ""
    assert stop_sentence(stopped) == (
        "Stopped early at step 20 of 400. Kept the weights of step 10. Validation loss: 0.9, at the last step 1.2."
    )
    by_answers = {**stopped, "eval_accuracy": 0.75, "last_eval_accuracy": 0.5, "best_step": 5.0}
    assert "Correct validation answers: 75.0%, at the last step 50.0%." in stop_sentence(by_answers)
    assert marks(points, by_answers)[0].points == [(5.0, 1.5)]


def test_a_logarithmic_axis_leaves_out_what_it_can_not_show() -> None:
    figure = line_figure([Line("a", [(0, 0.0), (1, 2.0)])], "Loss", log=True)
    assert figure["yAxis"]["type"] == "log" and figure["series"][0]["data"] == [(1, 2.0)]
    assert figure["xAxis"]["name"] and figure["yAxis"]["name"] == "Loss"


def test_the_headline_comes_first_and_zeros_that_say_nothing_stay_away() -> None:
    found = {"seconds": 3.0, "dropped": 0.0, "ttft_ms": 4.0, "macro_f1": 0.5, "accuracy": 0.0, "accuracy_low": 0.0}
    assert told_metrics(found) == ["accuracy", "macro_f1", "ttft_ms"]
    assert told_metrics({"first_token_agreement": 0.0, "answered": 0.0, "cached": 0.0, "invalid_rate": 0.0}) == [
        "first_token_agreement",
        "answered",
    ]


def test_figures_about_data_have_titles_and_naive_ones_are_not_told() -> None:
    found = {"rows": 16.0, "distinct": 156.0, "classifier_accuracy": 0.9, "naive_classifier_accuracy": 1.0}
    assert told_metrics(found) == ["rows", "distinct", "classifier_accuracy"]
    for name in ("distinct", "classifier_accuracy", "data_errors", "found_duplicates", "merge_labels"):
        assert "_" not in format_metric(name, 1.0)[0] and format_metric(name, 1.0)[0][0].isupper()


def test_curves_of_all_training_stages_and_of_another_run_lie_over_each_other(
    show: Show, builder: StudioBuilder
) -> None:
    first = builder.run("a", ("finetune", State.SUCCEEDED), ("distill", State.SUCCEEDED))
    other = builder.run("b", ("finetune", State.SUCCEEDED))
    for job in (f"{first}-finetune", f"{first}-distill", f"{other}-finetune"):
        builder.points(job)
    builder.points(f"{first}-finetune", "eval_loss", 3)

    def names(**query: str) -> list[str]:
        st.cache_resource.clear()
        (chart,) = show("run", id=first, **query).main.get("echarts_chart")
        return [line["name"] for line in json.loads(chart.proto.spec)["series"]]

    alone = ["Fine-tune · Training loss", "Fine-tune · Validation loss", "Distill · Training loss"]
    assert names() == alone
    assert names(**{"with": other}) == [*(f"#1 {name}" for name in alone), "#2 Fine-tune · Training loss"]
