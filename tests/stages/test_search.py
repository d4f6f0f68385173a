"""The search: what it refuses, and real trials of a training on a tiny model: kept, ended early, resumed, failed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.artifacts import verify
from backend.core.errors import Cancelled, StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.jobs.context import MemoryContext
from backend.stages.search import STAGE, SearchParams, SearchResult
from backend.training.search_space import Outcome, Range, grid
from tests.helpers import dataset_view, model_view, tiny_dataset, view
from tests.stages.test_finetune import smol_world

GIVEN: dict[str, Any] = {"stage": "finetune", "model": "m", "data": "d"}


def problems(**params: Any) -> list[tuple[str, str | None]]:
    found = STAGE.check(SearchParams(**{**GIVEN, **params}), smol_world())
    return [(each.code, each.field) for each in found if each.blocking]


def test_check_names_what_is_wrong_and_where() -> None:
    assert problems() == []
    assert problems(model="nope", space=["rank=0..4"], settings=["x=1"]) == [
        ("core.artifact_unknown", "model"),
        ("value.at_least", "space.0"),
        ("search.unknown", "settings.0"),
    ]
    assert problems(stage="quantize", schemes=[]) == [("search.empty", "space")]
    assert problems(stage="quantize", space=["block_size=32|64"]) == [("search.twice", "space")]
    assert problems(stage="quantize", schemes=[], space=["block_size=32|64", "rounding=rtn|kquant"]) == []
    assert problems(stage="prune") == problems(stage="prune", settings=["vocabulary=whole"]) == []
    assert problems(settings=["rank=4"]) == [("search.twice", "settings")]
    assert problems(settings=["evaluate_rows=0"]) == [("search.unmeasured", "settings")]
    assert problems(teacher="m") == [("train.unread", "teacher")]
    assert problems(stage="prune", prune=False, schemes=[]) == [("train.unread", "prune"), ("train.unread", "schemes")]
    assert problems(space=["max_length=64..9000"]) == [("train.context", "space")]
    assert problems(stage="distill", space=["epochs=1..4"], settings=["method=offline_logit"]) == [
        ("method.capture_missing", "capture")
    ]
    assert problems(stage="distill", space=["rank=8|16"]) == [("train.unread", "space")]  # without an adapter
    assert problems(stage="distill") == []
    assert STAGE.examples
    for each in ("finetune", "distill", "prune", "quantize"):
        assert problems(stage=each, space=STAGE.examples({"stage": each}, {"layers": 30})["space"].split(", ")) == []


def test_check_wants_validation_rows_and_memory_for_the_largest_trial() -> None:
    world = smol_world(rows={"train": 40, "validation": 0})
    assert [each.code for each in STAGE.check(SearchParams(**GIVEN), world)] == ["chat.no_rows"]
    world = smol_world()
    world.memory_bytes = STAGE.quote(SearchParams(**GIVEN), world).memory_bytes + 1
    assert [each.code for each in STAGE.check(SearchParams(**GIVEN), world)] == ["core.memory_tight"]
    large = STAGE.check(SearchParams(**GIVEN, space=["batch_size=8..256"]), world)
    assert {each.code for each in large} == {"core.memory_low"}


def test_quote_counts_trials_until_the_budget() -> None:
    world = smol_world()
    few = STAGE.quote(SearchParams(**GIVEN, trials=2, minutes=10_000, prune=False), world).seconds
    assert STAGE.quote(SearchParams(**GIVEN, trials=8, minutes=10_000, prune=False), world).seconds == 4 * few
    assert STAGE.quote(SearchParams(**GIVEN, trials=8, minutes=10_000), world).seconds < 4 * few
    assert STAGE.quote(SearchParams(**GIVEN, trials=1000, minutes=1), world).seconds == pytest.approx(60 + few / 2)


def test_what_it_leaves_follows_from_the_training() -> None:
    assert STAGE.makes(SearchParams(**GIVEN)) is Kind.ADAPTER
    assert STAGE.makes(SearchParams(**GIVEN | {"stage": "distill"})) is Kind.MODEL
    assert STAGE.makes(SearchParams(**GIVEN, space=["epochs=1..2"], settings=["method=full"])) is Kind.MODEL
    assert problems(space=["method=lora|full"]) == [("search.kinds", "space")]
    assert problems(space=["method=lora|dora"]) == []


@pytest.fixture
def inputs(tiny_model: Path, tmp_path: Path) -> list[ArtifactView]:
    return [model_view(tiny_model), dataset_view(tiny_dataset(tmp_path / "data"))]


def search(inputs: list[ArtifactView], ctx: MemoryContext, **params: Any) -> SearchResult:
    given = {
        "stage": "finetune",
        "model": inputs[0].id,
        "data": inputs[1].id,
        "space": ["learning_rate=1e-4..3e-2 log", "rank=2|4"],
        "settings": ["epochs=2", "batch_size=8"],
        "trials": 4,
        **params,
    }
    found: SearchResult = STAGE.run(STAGE.parse(given), ctx)
    return found


def artifacts(ctx: MemoryContext) -> dict[str, tuple[Path, dict[str, Any]]]:
    return {e["manifest"]["kind"]: (Path(e["path"]), e["manifest"]) for e in ctx.events if e["event"] == "artifact"}


def report_of(ctx: MemoryContext) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((artifacts(ctx)["report"][0] / "report.json").read_text("utf-8"))
    return found


@pytest.mark.ml
def test_best_trial_is_kept_with_all_that_was_tried(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    ctx = MemoryContext(tmp_path / "job", inputs)
    result = search(inputs, ctx, prune=False)
    report = report_of(ctx)
    losses = [trial["value"] for trial in report["trials"]]
    assert len(losses) == 4 and len(set(losses)) == 4
    assert losses[report["best"]] == min(losses) == result.metrics["eval_loss"]
    assert report["trials"][0]["values"]["learning_rate"] == 1e-3  # the default, which the range holds
    assert [point[0] for point in report["trials"][0]["curve"]] == [50, 100]
    assert set(report["importances"]) == {"learning_rate", "rank"}
    path, manifest = artifacts(ctx)["adapter"]
    verify(path)
    best = report["trials"][report["best"]]["values"]
    assert json.loads((path / "adapter_config.json").read_text())["r"] == best["rank"]
    assert manifest["id"] == result.artifact and manifest["parents"] == sorted(each.id for each in inputs)
    assert artifacts(ctx)["report"][1]["facts"]["model"] == result.artifact
    assert result.metrics["trials"] == 4 and result.metrics["trials_failed"] == 0


@pytest.mark.ml
def test_a_search_that_was_stopped_goes_on_with_the_trial_at_work(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    whole = MemoryContext(tmp_path / "whole", inputs)
    search(inputs, whole, prune=False)

    class Stopping(MemoryContext):
        def progress(self, done: float, total: float, note: str = "") -> None:
            if 2.3 < done < 2.9:
                raise Cancelled
            super().progress(done, total, note)

    stopped = Stopping(tmp_path / "stopped", inputs)
    with pytest.raises(Cancelled):
        search(inputs, stopped, prune=False)
    assert not artifacts(stopped)
    resumed = MemoryContext(tmp_path / "stopped", inputs)
    search(inputs, resumed, prune=False)
    assert [each["text"] for each in resumed.events if str(each.get("text", "")).startswith("Trial 3: l")]
    assert not [each for each in resumed.events if str(each.get("text", "")).startswith("Trial 2")]
    told = [
        [(trial["values"], trial["value"]) for trial in report_of(context)["trials"]] for context in (whole, resumed)
    ]
    assert told[0] == told[1]


@pytest.mark.ml
def test_a_poor_trial_ends_early_and_a_failed_one_ends_no_other(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    ctx = MemoryContext(tmp_path / "job", inputs)
    result = search(inputs, ctx, space=["learning_rate=1e-4|2e-2|1", "rank=2|4"], trials=9)
    report = report_of(ctx)
    states = [trial["state"] for trial in report["trials"]]
    assert len(states) == 6 and "pruned" in states  # all combinations
    assert result.metrics["trials_pruned"] == states.count("pruned")
    ended = next(trial for trial in report["trials"] if trial["state"] == "pruned")
    assert [percent for percent, _loss in ended["curve"]] == [50]
    assert report["trials"][report["best"]]["values"]["learning_rate"] == 2e-2
    assert len(list((tmp_path / "job" / "work").glob("trial-*"))) == 1


@pytest.mark.ml
def test_no_trial_that_finished_is_a_failure(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    gone = [inputs[0], view(tmp_path / "nothing", Kind.DATASET, inputs[1].id, **inputs[1].facts)]
    ctx = MemoryContext(tmp_path / "job", gone)
    with pytest.raises(StudioError) as caught:
        search(gone, ctx, trials=2)
    assert caught.value.problems[0].code == "search.none"


@pytest.mark.ml
def test_time_budget_stops_new_trials(tmp_path: Path) -> None:
    from backend.ml.training.trials import Budget, Search

    ctx = MemoryContext(tmp_path / "job")
    clock = iter(range(0, 100_000, 40))
    ranges, budget = [Range("rank", 2, 8, whole=True)], Budget(trials=8, minutes=1)
    tried = Search(ctx, ranges, "tpe", True, {"rank": 4}, budget, lambda: float(next(clock)))
    tried.run(lambda inner, number, values: Outcome(1.0 / values["rank"], 0.0))
    assert [trial.seconds for trial in tried.told()] == [40, 40] and tried.told()[0].values == {"rank": 4}
    assert [each for each in ctx.events if "time budget" in str(each.get("text", ""))]


@pytest.mark.ml
def test_it_searches_a_distillation_too(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    ctx = MemoryContext(tmp_path / "job", inputs)
    search(inputs, ctx, stage="distill", space=["learning_rate=1e-3|1e-2"], trials=2)
    path, manifest = artifacts(ctx)["model"]
    assert (path / "model.safetensors").is_file() and manifest["facts"]["format"] == "torch"


def test_every_combination_is_a_trial_where_there_are_few() -> None:
    ranges = [Range("a", choices=(1, 2)), Range("b", choices=("x", "y", "z"))]
    assert len(grid(ranges, 6)) == 6 and grid(ranges, 5) == [] == grid([*ranges, Range("c", 0, 1)], 99)


@pytest.mark.ml
def test_the_smallest_wins_that_keeps_enough_else_the_best(tmp_path: Path) -> None:
    from backend.ml.training.trials import Budget, Search

    found = {1: Outcome(10, 0, violation=0.3), 2: Outcome(20, 0, violation=0.2), 3: Outcome(15, 0, violation=0.2)}

    def best(name: str) -> int:
        ranges = [Range("at", choices=tuple(found))]
        tried = Search(MemoryContext(tmp_path / name), ranges, "tpe", False, {"at": 1}, Budget(9, 9))
        tried.run(lambda inner, number, values: found[values["at"]])
        assert tried.best is not None
        return int(tried.best.params["at"])

    assert best("none keeps enough") == 3
    found |= {4: Outcome(40, 0), 5: Outcome(30, 0)}
    assert best("some do") == 5
