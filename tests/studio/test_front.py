"""The names on the Pareto front, and which models its chart leaves out."""

from __future__ import annotations

import pytest

from backend.core.schemas import Kind
from backend.results.evaluations import lineage
from studio.ui.compare.charts import PLOT_HEIGHT, pareto_chart
from studio.ui.compare.controls import untuned
from studio.ui.compare.labels import origin_text
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show
from tests.studio.test_compare import one


def test_few_names_of_a_long_front_in_short_lines(show: Show) -> None:
    show("compare")  # gives the words a session
    group = [one(f"ablation-sequence-seed{at}", accuracy=0.5 + at / 50, size_bytes=1e6 * at) for at in range(1, 8)]
    chart = pareto_chart(group, {each.id: each.name for each in group}, "size_bytes", "accuracy", log=True)
    texts = [label["text"] for label in chart["layout"]["annotations"]]
    assert [text[-1] for text in texts] == ["1", "4", "7"], "both ends, and the middle"
    assert all(len(line) <= 17 for text in texts for line in text.split("<br>"))


@pytest.mark.parametrize("height", [0.5, 0.55, 0.9, 1.0])
def test_level_is_named_in_the_legend_and_no_name_lies_on_its_line(show: Show, height: float) -> None:
    show("compare")
    group = [one("cheap", accuracy=0.5, size_bytes=1e6), one("good", accuracy=0.9, size_bytes=9e6)]
    names = {each.id: each.name for each in group}
    chart = pareto_chart(group, names, "size_bytes", "accuracy", log=False, level=(height, "Quick baseline"))
    layout = chart["layout"]
    (line,) = [each for each in chart["data"] if each["name"] == "Quick baseline"]
    assert line["y"] == [height, height] and line["x"] == layout["xaxis"]["range"]
    low, high = layout["yaxis"]["range"]
    pixel = PLOT_HEIGHT / (high - low)
    assert len(layout["annotations"]) == 2
    for label in layout["annotations"]:
        bottom = (label["y"] - low) * pixel - label["ay"]
        assert not bottom < (height - low) * pixel < bottom + 15 * (1 + label["text"].count("<br>"))


def test_untuned_in_few_bits_is_untuned_and_an_attached_adapter_is_not(builder: StudioBuilder) -> None:
    base = builder.model("base")
    adapter = builder.model("lora", Kind.ADAPTER, facts={"base": base.id}, parents=[base.id])
    shared = builder.model("base-int4", Kind.ONNX, facts={"room_for": base.id}, parents=[base.id])
    about = {"facts": {"base": shared.id}, "parents": [shared.id, adapter.id]}
    attached = builder.model("lora-on-base", Kind.ONNX, **about)
    small = builder.model("lora-int4", Kind.ONNX, parents=[adapter.id])
    views = (base, adapter, shared, attached, small)
    known = {each.id: each for each in views}
    group = [one(each.name).model_copy(update={"origins": lineage(each, known)}) for each in views]
    assert [each.name for each in untuned(group)] == ["base", "base-int4"]


def test_a_student_that_was_only_cut_counts_as_untuned(builder: StudioBuilder) -> None:
    base = builder.model("base")
    cut = builder.model("cut", facts={"kept_layers": [0, 1], "base": base.id}, parents=[base.id])
    known = {each.id: each for each in (base, cut)}
    trained = builder.model("trained", facts={"base": cut.id}, parents=[cut.id])
    origins = [lineage(each, known) for each in (cut, trained)]
    assert [each[-1].how for each in origins] == ["pruned", "distilled"]
    group = [
        one(name).model_copy(update={"origins": made}) for name, made in zip(("cut", "trained"), origins, strict=True)
    ]
    assert [each.name for each in untuned(group)] == ["cut"]
    assert origin_text(origins[0][-1]).endswith("untrained.")
