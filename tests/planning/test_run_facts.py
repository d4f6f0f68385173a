"""What tells runs apart, and two of them side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend import stages
from backend.core.schemas import ArtifactView, JobView, Kind, RunView, State
from backend.db import tables as t
from backend.planning.run_comparison import compare, matched
from backend.planning.run_facts import changed_params, flow, inputs, outputs
from tests.studio.builder import StudioBuilder


def job(stage_id: str, *needs: str, stage: str = "finetune", **params: Any) -> JobView:
    return JobView(
        id=f"j-{stage_id}",
        run_id="r",
        stage_id=stage_id,
        stage=stage,
        params=params,
        project="p",
        state=State.SUCCEEDED,
        queue="cpu",
        priority=5,
        attempts=1,
        needs=list(needs),
        created=t.now(),
    )


def run(*jobs: JobView, id: str = "r") -> RunView:
    return RunView(id=id, name="x", project="p", created=t.now(), jobs=list(jobs))


def all_params(stage: str, **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = stages.stage(stage).parse(given).model_dump(mode="json")
    return found


def test_only_what_differs_from_its_default_is_told() -> None:
    given = all_params("finetune", model="m", data="d", name="mine", rank=64, learning_rate=0.005)
    assert changed_params("finetune", given) == {"rank": 64, "learning_rate": 0.005}
    assert list(changed_params("finetune", {**given, "epochs": 9.0})) == ["epochs", "rank", "learning_rate"]
    assert changed_params("gone", {"a": 1}) == {}
    assert changed_params("finetune", {"of another version": 1}) == {}


@pytest.mark.parametrize("stage", stages.names())
def test_a_stage_as_it_comes_has_changed_nothing_but_what_must_be_given(stage: str) -> None:
    found = stages.stage(stage)
    needed = {name for name, info in found.params.model_fields.items() if info.is_required()}
    given = {name: value for name, value in found.example.items() if name in needed}
    try:
        params = found.parse(given).model_dump(mode="json")
    except Exception:  # one of several must be given
        params = found.parse(found.example).model_dump(mode="json")
        needed |= set(found.example)
    assert set(changed_params(stage, params)) <= needed


def test_the_graph_has_a_column_for_every_step_and_no_line_that_another_implies() -> None:
    jobs = [job("data"), job("a", "data"), job("b", "data"), job("c", "a", "data"), job("d", "b", "c")]
    found = {each.stage_id: each for each in flow(run(*jobs))}
    assert {id_: each.column for id_, each in found.items()} == {"data": 0, "a": 1, "b": 1, "c": 2, "d": 3}
    assert found["c"].after == ["a"] and sorted(found["d"].after) == ["b", "c"]
    assert {found["a"].row, found["b"].row} == {0, 1}


def test_the_graph_knows_references_before_and_after_they_are_resolved() -> None:
    first = job("tune").model_copy(update={"result": {"artifact": "adapter-1"}})
    for model in ("${tune}", "adapter-1"):
        (_first, second) = flow(run(first, job("eval", model=model)))
        assert second.after == ["tune"]


def test_what_went_in_and_what_came_out(home: Path) -> None:
    builder = StudioBuilder(home)
    data, base = builder.dataset("tickets"), builder.model("base")
    made = builder.model("tuned", Kind.ADAPTER, job="j-tune")
    other = builder.model("elsewhere")
    known = {view.id: view for view in (base, data, made, other)}
    second = job("eval", stage="evaluate", model=made.id, data=data.id)
    found = run(job("tune", model=base.id, data=data.id), second)
    assert [view.name for view in inputs(found, known)] == ["tickets", "base"]
    assert [view.name for view in outputs(found, known.values())] == ["tuned"]


def test_stages_are_matched_by_id_then_by_kind() -> None:
    one = run(job("tune"), job("eval", stage="evaluate"), job("extra", stage="quantize"))
    other = run(job("tune"), job("measure", stage="evaluate"), job("pack", stage="package"))
    pairs = [tuple(each.stage_id if each else None for each in pair) for pair in matched(one, other)]
    assert pairs == [("tune", "tune"), ("eval", "measure"), ("extra", None), (None, "pack")]


def measured(builder: StudioBuilder, model: ArtifactView, data: ArtifactView, accuracy: float, rank: int) -> RunView:
    made = builder.evaluation(model, data, accuracy)
    metrics = {key: value for key, value in made.facts.items() if isinstance(value, float)}
    evaluated = job("eval", "tune", stage="evaluate", model=model.id, data=data.id)
    tuned = job("tune", **all_params("finetune", model="m", data=data.id, rank=rank))
    return run(tuned, evaluated.model_copy(update={"result": {"artifact": made.id, "metrics": metrics}}))


def test_two_runs_side_by_side(home: Path) -> None:
    builder = StudioBuilder(home)
    data = builder.dataset("tickets")
    models = [builder.model(name, Kind.ADAPTER) for name in ("one", "two")]
    first, second = measured(builder, models[0], data, 0.5, 8), measured(builder, models[1], data, 0.9, 64)
    known = {view.id: view for view in builder.studio.artifacts()}
    found = compare(first, second, known)
    assert [(each.field, each.first, each.second) for each in found.params] == [("rank", 8, 64)]
    assert ([view.name for view in found.only_first], [view.name for view in found.only_second]) == (["one"], ["two"])
    top = found.results[0]
    assert (top.metric, top.first, top.second, found.same_rows) == ("accuracy", 0.5, 0.9, True)
    assert top.difference == pytest.approx(0.4) and top.low is not None and top.high is not None
    assert 0 < top.low < 0.4 < top.high < 1, "8 rows of 20 differ, all in favour of the second"
    assert not {"accuracy_low", "seconds"} & {each.metric for each in found.results}


def test_other_rows_give_no_interval(home: Path) -> None:
    builder = StudioBuilder(home)
    model, other = builder.model("one"), builder.model("two")
    first = measured(builder, model, builder.dataset("a"), 0.5, 8)
    second = measured(builder, other, builder.dataset("b", rows=60), 0.9, 8)
    found = compare(first, second, {view.id: view for view in builder.studio.artifacts()})
    assert found.same_rows is False and found.results[0].low is None and found.params == []
