"""The search where size counts: what it tries, resumes and chooses, and real trials on a tiny model."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend.core.artifacts import read_manifest, verify
from backend.core.errors import Cancelled, StudioError
from backend.core.schemas import Kind
from backend.core.stage import Context
from backend.jobs.context import MemoryContext
from backend.ml.evaluation import measure as evaluator
from backend.models.quantization import SCHEMES
from backend.results.search_report import SearchReport, read_report
from backend.stages import quantize
from backend.stages.search import STAGE, SearchParams, SearchResult, check, quote, run
from backend.stages.searched import SEARCHED
from tests.helpers import dataset_view, model_view, tiny_dataset, view
from tests.onnx_models import SCALE, build_lively_model
from tests.stages.fake_world import FakeWorld
from tests.stages.test_quantize import FACTS

ROWS = {"train": 40, "validation": 20, "test": 20}
ACCURACY = {"original": 0.80, "rtn-64": 0.70, "rtn-32": 0.795, "kquant-32": 0.90}
BYTES = {"original": 500, "rtn-64": 80, "rtn-32": 90, "kquant-32": 95}


class Bench:
    """Stands in for the stage and for the measuring process; `failing` schemes end in an error, at `dying` the job dies."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.built: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.failing: set[str] = set()
        self.dying = ""
        (tmp_path / "weights").mkdir()
        model = view(tmp_path / "weights", Kind.MODEL, "m", **FACTS)
        self.inputs = [model, dataset_view(tiny_dataset(tmp_path / "data"), "d")]
        self.ctx = MemoryContext(tmp_path / "job", self.inputs)
        faked = replace(SEARCHED["quantize"], stage=replace(quantize.STAGE, run=self.made))
        monkeypatch.setitem(SEARCHED, "quantize", faked)
        monkeypatch.setattr(evaluator.Evaluator, "measure", self.measure())

    def made(self, params: quantize.QuantizeParams, ctx: Context) -> quantize.QuantizeResult:
        fits = [each for each in SCHEMES if each.params.items() <= params.model_dump().items()]
        name = max(fits, key=lambda each: len(each.params)).name
        self.built.append(name)
        if name == self.dying:
            raise Cancelled
        if name in self.failing:
            raise StudioError("chat.onnx_wrong", reason="is broken")
        out = ctx.scratch("out")
        (out / "model.onnx").write_text(name)
        facts = quantize.onnx_facts(params, ctx.input(params.model).facts)
        return quantize.QuantizeResult(artifact=ctx.artifact(Kind.ONNX, "m-int4", out, facts=facts, parents=["m"]).id)

    def measure(self) -> Callable[..., dict[str, float]]:
        def measured(_meter: Any, folder: Path, name: str, split: str, _rows: int) -> dict[str, float]:
            what = name if name == "original" else (folder / "model.onnx").read_text()
            self.asked.append((what, split))
            return {"accuracy": ACCURACY[what], "size_bytes": BYTES[what], "n": 20.0, "seconds": 1.0}

        return measured

    def search(self, *schemes: str, **about: Any) -> SearchResult:
        return run(asked(schemes=list(schemes), **about), self.ctx)

    def report(self) -> SearchReport:
        return read_report(self.ctx.order.artifacts / "report" / reports(self.ctx)[1]["id"])


def asked(**about: Any) -> SearchParams:
    return SearchParams.model_validate({"stage": "quantize", "model": "m", "data": "d"} | about)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def reports(ctx: MemoryContext) -> list[dict[str, Any]]:
    return [event["manifest"] for event in ctx.events if event["event"] == "artifact"]


@pytest.mark.ml
def test_the_smallest_that_keeps_enough_is_left_with_a_report_of_all(bench: Bench) -> None:
    result = bench.search("rtn-64", "rtn-32", "kquant-32")
    onnx, report = reports(bench.ctx)
    assert result.artifact == onnx["id"] and onnx["kind"] == "onnx"
    assert (bench.ctx.order.artifacts / "onnx" / onnx["id"] / "model.onnx").read_text() == "rtn-32"
    assert onnx["facts"]["block_size"] == 32 and onnx["facts"]["format"] == "onnx"
    assert report["facts"]["report"] == "search" and report["facts"]["model"] == onnx["id"]
    assert report["facts"]["passed"] is True and report["facts"]["failed"] == []
    assert onnx["id"] in report["parents"]
    found = bench.report()
    assert [trial.values["scheme"] for trial in found.trials] == ["rtn-64", "rtn-32", "kquant-32"]
    assert found.best == 1 and found.front == {0, 1, 2} and found.kept == pytest.approx(0.795 / 0.8)
    assert found.chosen.params == {"block_size": 32} and result.metrics["quality_kept"] == found.kept
    assert bench.asked[-2:] == [("original", "test"), ("rtn-32", "test")]
    assert [asked for asked in bench.asked if asked[1] == "test"] == bench.asked[-2:]


@pytest.mark.ml
def test_a_second_attempt_tries_only_what_is_left(bench: Bench) -> None:
    bench.dying = "kquant-32"
    with pytest.raises(Cancelled):
        bench.search("rtn-64", "rtn-32", "kquant-32")
    assert bench.built == ["rtn-64", "rtn-32", "kquant-32"]
    bench.dying = ""
    bench.search("rtn-64", "rtn-32", "kquant-32")
    assert bench.built[3:] == ["kquant-32"]


@pytest.mark.ml
def test_a_recipe_that_fails_is_told_and_the_others_go_on(bench: Bench) -> None:
    bench.failing = {"rtn-64"}
    result = bench.search("rtn-64", "rtn-32")
    assert result.metrics["trials_failed"] == 1
    failure = bench.report().trials[0].failure
    assert failure and failure.code == "chat.onnx_wrong"


@pytest.mark.ml
def test_when_none_runs_the_job_fails_with_the_first_reason(bench: Bench) -> None:
    bench.failing = {"rtn-64", "rtn-32"}
    with pytest.raises(StudioError, match="is broken"):
        bench.search("rtn-64", "rtn-32")
    bench.failing = {"rtn-32"}
    assert bench.search("rtn-64", "rtn-32").metrics["trials_failed"] == 1  # a retry tries them again


@pytest.mark.ml
def test_what_no_time_was_left_for_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 100_000, 50))
    monkeypatch.setattr("backend.ml.training.trials.Search.__init__.__defaults__", (lambda: float(next(clock)),))
    bench.search("rtn-64", "rtn-32", "kquant-32", minutes=1)
    assert bench.built == ["rtn-64", "rtn-32"] and bench.report().untried == [{"scheme": "kquant-32"}]


@pytest.mark.ml
def test_a_choice_that_keeps_too_little_is_a_finding(bench: Bench) -> None:
    result = bench.search("rtn-64", keep=1.0)
    assert [problem.code for problem in result.findings] == ["good.search"]
    assert reports(bench.ctx)[1]["facts"]["failed"] == ["quality"] and not bench.report().passed


def test_all_that_is_wrong_is_said_before_it_starts() -> None:
    world = FakeWorld().add("m", Kind.MODEL, **FACTS).add("d", Kind.DATASET, rows=ROWS)
    assert check(asked(), world) == []
    assert [p.code for p in check(asked(schemes=[]), world)] == ["search.empty"]
    world.add("e", Kind.DATASET, rows={"train": 3, "validation": 0})
    assert [p.code for p in check(asked(data="e"), world)] == ["chat.no_rows"]
    world.add("odd", Kind.MODEL, **{**FACTS, "hidden_size": 96})
    (problem,) = check(asked(model="odd"), world)
    assert problem.code == "chat.block_size" and problem.field == "schemes"
    assert check(asked(model="odd", schemes=["rtn-32"]), world) == []


def test_the_quote_grows_with_recipes_and_ends_at_the_budget() -> None:
    world = (
        FakeWorld().add("m", Kind.MODEL, **FACTS).add("d", Kind.DATASET, rows=ROWS, prompt_chars=100, answer_chars=10)
    )
    one = quote(asked(schemes=["rtn-64"]), world)
    all_ = quote(asked(), world)
    assert all_.seconds > 3 * one.seconds and all_.disk_bytes > one.disk_bytes
    assert quote(asked(minutes=1), world).seconds < all_.seconds
    assert one.forecast["format"] == "onnx" and 3 * one.forecast["size_bytes"] == one.disk_bytes


def test_every_recipe_on_offer_is_a_valid_quantization() -> None:
    params = asked()
    assert [scheme.name for scheme in SCHEMES] == params.schemes
    assert STAGE.parse(STAGE.example)


@pytest.fixture
def real(tmp_path: Path) -> MemoryContext:
    folder = build_lively_model(tmp_path / "model", hidden=64, scale=SCALE)
    model, data = model_view(folder), dataset_view(tiny_dataset(tmp_path / "data"))
    return MemoryContext(tmp_path / "job", [model, data])


def searched(ctx: MemoryContext, **about: Any) -> tuple[SearchResult, SearchReport, Path]:
    """What it found, and where the model lies that was kept."""
    model, data = ctx.order.inputs
    result = run(asked(model=model, data=data, keep=0.01, rows=8, **about), ctx)
    made, report = (Path(event["path"]) for event in ctx.events if event["event"] == "artifact")
    verify(made)
    return result, read_report(report), made


@pytest.mark.ml
def test_a_real_candidate_is_built_and_measured_against_the_original(real: MemoryContext) -> None:
    result, found, _made = searched(real, schemes=["kquant-32-head8"])
    assert found.original["kl"] == 0 and found.original["top_token_agreement"] == 1
    metrics = found.chosen.metrics
    assert 0 < metrics["kl"] < 1 and metrics["perplexity"] > 1 and metrics["decode_tokens_per_s"] > 0
    assert metrics["size_bytes"] < found.original["size_bytes"]
    assert found.test["choice"]["n"] == 15 and metrics["n"] == 8
    assert result.metrics["kl"] == metrics["kl"]


@pytest.mark.ml
def test_pruned_models_are_trained_and_measured(real: MemoryContext, monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.ml.evaluation import measure_child

    monkeypatch.setattr(evaluator, "run_json", lambda program, about, *_more: measure_child.measure(about))
    space, settings = ["keep_layers=1|2", "choose=even|importance"], ["vocabulary_size=256"]
    result, found, made = searched(real, stage="prune", space=space, settings=settings, trials=2)
    assert len(found.trials) == 2 and found.chosen.metrics["size_bytes"] < found.original["size_bytes"]
    assert found.chosen.metrics["perplexity"] > 1
    assert json.loads((made / "config.json").read_text())["num_hidden_layers"] == found.chosen.values["keep_layers"]
    manifest = read_manifest(made)
    assert manifest.parents == sorted(real.order.inputs) and "training" in manifest.facts
    assert result.artifact == manifest.id


def test_an_original_that_knows_nothing_is_no_measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ACCURACY, "original", 0.0)
    bench = Bench(tmp_path, monkeypatch)
    given = {"stage": "quantize", "model": "m", "data": "d", "schemes": ["rtn-64"]}
    result = run(STAGE.parse(given), bench.ctx)
    assert [problem.code for problem in result.findings] == ["search.no_quality"]
    assert result.metrics["quality_kept"] == 0
