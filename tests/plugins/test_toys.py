"""A stage and a metric from outside the package need one place each: their own. They appear wherever those of the studio do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend import stages
from backend.api import Studio
from backend.api.forms import stages_of
from backend.core.errors import StudioError
from backend.core.paths import ROOT
from backend.core.schemas import Kind
from backend.planning import recipes
from backend.results.evaluations import evaluations, measured_qualities, pareto_front
from backend.stats.metrics import metrics, qualities, scores_of
from backend.stats.scores import Answers
from tests.plugins.toy_package import install
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, builder, components, show, words  # noqa: F401

TOY = {"name": "toys", "stages": [{"id": "toy", "stage": "toy", "params": {"data": "examples", "shine": 7}}]}


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = install(tmp_path / "site")
    monkeypatch.syspath_prepend(str(folder))
    stages._plugins.cache_clear()
    metrics.cache_clear()
    yield folder
    sys.modules.pop("slmops_toy", None)
    stages._plugins.cache_clear()
    metrics.cache_clear()


def test_the_toy_stage_is_in_registry_page_and_recipe(toys: Path) -> None:
    assert stages.names()[-1] == "toy" and stages_of("quantize")[-1] == "toy"
    recipe = recipes.build(TOY)
    assert recipe.parsed(recipe.stages[0]).model_dump() == {"data": "examples", "shine": 7}
    with pytest.raises(StudioError, match="shine"):
        recipes.build({**TOY, "stages": [{**TOY["stages"][0], "params": {"data": "examples", "shine": 11}}]})


def test_without_the_package_there_is_no_such_stage() -> None:
    with pytest.raises(StudioError, match="no stage called “toy”"):
        recipes.build(TOY)


def test_the_toy_stage_has_its_form(toys: Path, show: Show, builder: StudioBuilder) -> None:  # noqa: F811
    builder.dataset()
    at = show("quantize")
    switch = next(group for group in at.button_group if group.key == "step")
    assert "Play with the toy" in [str(option) for option in switch.options]
    at.segmented_control(key="step").set_value("toy").run()
    assert not at.exception
    assert [box.label for box in at.number_input] == ["Shine"] and "Toy dataset" in [box.label for box in at.selectbox]


def test_the_toy_metric_is_measured_compared_and_drawn(toys: Path, builder: StudioBuilder) -> None:  # noqa: F811
    assert scores_of("label", Answers(["red", "blue"], ["red", "something"], ["red", "blue"], "red"))["brevity"] == 0.5
    assert scores_of("text", Answers(["a"], ["short"]))["brevity"] == 1.0
    assert "brevity" in qualities()
    data = builder.dataset()
    for name, brevity, size in (("one", 0.9, 10.0), ("two", 0.5, 20.0)):
        builder.evaluation(builder.model(name), data, 0.5, brevity=brevity, size_bytes=size)
    group = [one for one in evaluations(builder.studio.artifacts()) if "brevity" in one.metrics]
    assert "brevity" in measured_qualities(group)
    assert [best.model_name for best in pareto_front(group, "size_bytes", "brevity")] == ["one"]


def test_the_toy_metric_is_in_the_chart(toys: Path, show: Show, builder: StudioBuilder) -> None:  # noqa: F811
    data = builder.dataset()
    for name, brevity in (("one", 0.9), ("two", 0.5)):
        builder.evaluation(builder.model(name), data, 0.5, brevity=brevity)
    at = show("compare")
    assert "brevity" in at.selectbox(key="cmp_quality").options or "Brevity" in at.selectbox(key="cmp_quality").options
    at.selectbox(key="cmp_quality").set_value("brevity").run()
    assert not at.exception and "Brevity" in words(at) + str([chart.value for chart in at.get("plotly_chart")])


@pytest.mark.proc
def test_the_toy_stage_runs_from_the_command_line(toys: Path, home: Path, tmp_path: Path) -> None:
    studio = Studio.open()
    data = StudioBuilder(home).dataset()
    file = tmp_path / "toys.yaml"
    file.write_text(
        json.dumps({**TOY, "stages": [{**TOY["stages"][0], "params": {"data": data.id, "shine": 2}}]}), "utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-c", "from backend.cli import main; main()", "run", str(file), "--json"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(toys)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["status"] == "succeeded" and result["metrics"]["toy"] == {"brevity": 0.5}
    (made,) = studio.artifacts([Kind.REPORT])
    assert made.facts["shine"] == 2 and made.parents == [data.id]
