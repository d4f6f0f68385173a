"""The search for a recipe: what it tries, resumes and chooses, and one real candidate on a tiny model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.core.artifacts import verify
from backend.core.errors import Cancelled, StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.jobs.context import MemoryContext
from backend.ml.compression import quantize
from backend.ml.evaluation import measure as evaluator
from backend.models.quantization import SCHEMES
from backend.results.scheme_choice import choose_scheme
from backend.stages.scheme_search import STAGE, SchemeSearchParams, check, quote, run
from tests.helpers import dataset_view, model_view, tiny_dataset
from tests.onnx_models import SCALE, build_lively_model
from tests.stages.fake_world import FakeWorld
from tests.stages.test_quantize import FACTS

ROWS = {"train": 40, "validation": 20, "test": 20}
ACCURACY = {"original": 0.80, "rtn-64": 0.70, "rtn-32": 0.795, "kquant-32": 0.90}
BYTES = {"original": 500, "rtn-64": 80, "rtn-32": 90, "kquant-32": 95}


class Bench:
    """Stands in for Olive and for the measuring process; `failing` recipes end in an error, `dying` is where the job dies."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.built: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.failing: set[str] = set()
        self.dying = ""
        (tmp_path / "weights").mkdir()
        model = self.view(tmp_path / "weights", Kind.MODEL, "m", **FACTS)
        self.inputs = [model, dataset_view(tiny_dataset(tmp_path / "data"), "d")]
        self.ctx = MemoryContext(tmp_path / "job", self.inputs)
        monkeypatch.setattr(quantize.Quantizer, "make", self.make())
        monkeypatch.setattr(evaluator.Evaluator, "measure", self.measure())

    @staticmethod
    def view(path: Path, kind: Kind, name: str, **facts: Any) -> ArtifactView:
        from tests.helpers import view

        return view(path, kind, name, **facts)

    def make(self) -> Callable[..., dict[str, Any]]:
        def made(_maker: Any, scheme: Any, out: Path) -> dict[str, Any]:
            name = out.name.removeprefix("candidate-")
            self.built.append(name)
            if name == self.dying:
                raise Cancelled
            if name in self.failing:
                raise StudioError("chat.onnx_wrong", reason="is broken")
            (out / "model.onnx").write_text(name)
            return {}

        return made

    def measure(self) -> Callable[..., dict[str, float]]:
        def measured(_meter: Any, _folder: Path, name: str, split: str, _rows: int) -> dict[str, float]:
            self.asked.append((name, split))
            return {"accuracy": ACCURACY[name], "size_bytes": BYTES[name], "n": 20.0, "seconds": 1.0}

        return measured

    def search(self, *recipes: str, **about: Any) -> Any:
        return run(SchemeSearchParams(model="m", data="d", schemes=list(recipes), **about), self.ctx)


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
    found = json.loads((bench.ctx.order.artifacts / "report" / report["id"] / "report.json").read_text())
    assert [point["name"] for point in found["points"]] == ["rtn-64", "rtn-32", "kquant-32"]
    assert found["choice"] == "rtn-32" and found["front"] == ["rtn-64", "rtn-32", "kquant-32"]
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
    assert result.metrics["candidates_failed"] == 1
    found = json.loads((bench.ctx.order.artifacts / "report" / reports(bench.ctx)[1]["id"] / "report.json").read_text())
    assert found["points"][0]["failure"]["code"] == "chat.onnx_wrong"


@pytest.mark.ml
def test_when_none_runs_the_job_fails_with_the_first_reason(bench: Bench) -> None:
    bench.failing = {"rtn-64", "rtn-32"}
    with pytest.raises(StudioError, match="is broken"):
        bench.search("rtn-64", "rtn-32")
    bench.failing = {"rtn-32"}
    assert bench.search("rtn-64", "rtn-32").metrics["candidates_failed"] == 1  # a retry tries them again


@pytest.mark.ml
def test_no_recipe_is_begun_when_the_time_is_spent(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 100_000, 50))
    monkeypatch.setattr("backend.stages.scheme_search.time.monotonic", lambda: float(next(clock)))
    bench.search("rtn-64", "rtn-32", "kquant-32", minutes=1)
    found = json.loads((bench.ctx.order.artifacts / "report" / reports(bench.ctx)[1]["id"] / "report.json").read_text())
    assert bench.built == ["rtn-64", "rtn-32"] and found["untried"] == ["kquant-32"]


def test_when_none_keeps_enough_the_best_is_chosen_and_the_report_fails() -> None:
    points = [
        {"name": name, "metrics": {"accuracy": accuracy, "size_bytes": size}}
        for name, accuracy, size in (("a", 0.5, 10), ("b", 0.6, 20), ("c", 0.6, 15))
    ]
    found = choose_scheme(points, {"accuracy": 0.8}, 0.99)
    assert found["choice"] == "c" and not found["passed"] and found["kept"] == pytest.approx(0.75)
    assert found["front"] == ["a", "c"]
    texts = [{"name": "a", "metrics": {"token_f1": 0.5, "size_bytes": 1}}]
    assert choose_scheme(texts, {"token_f1": 0.5}, 0.99)["metric"] == "token_f1"


def test_all_that_is_wrong_is_said_before_it_starts() -> None:
    world = FakeWorld().add("m", Kind.MODEL, **FACTS).add("d", Kind.DATASET, rows=ROWS)
    assert check(SchemeSearchParams(model="m", data="d"), world) == []
    assert [p.code for p in check(SchemeSearchParams(model="m", data="d", schemes=[]), world)] == ["quant.none_chosen"]
    world.add("e", Kind.DATASET, rows={"train": 3, "validation": 0})
    assert [p.code for p in check(SchemeSearchParams(model="m", data="e"), world)] == ["chat.no_rows"]
    world.add("odd", Kind.MODEL, **{**FACTS, "hidden_size": 96})
    (problem,) = check(SchemeSearchParams(model="odd", data="d"), world)
    assert problem.code == "chat.block_size" and problem.field == "schemes"
    assert check(SchemeSearchParams(model="odd", data="d", schemes=["rtn-32"]), world) == []


def test_the_quote_grows_with_recipes_and_ends_at_the_budget() -> None:
    world = (
        FakeWorld().add("m", Kind.MODEL, **FACTS).add("d", Kind.DATASET, rows=ROWS, prompt_chars=100, answer_chars=10)
    )
    one = quote(SchemeSearchParams(model="m", data="d", schemes=["rtn-64"]), world)
    all_ = quote(SchemeSearchParams(model="m", data="d"), world)
    assert all_.seconds > 3 * one.seconds and all_.disk_bytes > 5 * one.disk_bytes
    assert quote(SchemeSearchParams(model="m", data="d", minutes=1), world).seconds < all_.seconds
    assert one.forecast["format"] == "onnx" and one.forecast["size_bytes"] == one.disk_bytes


def test_every_recipe_on_offer_is_a_valid_quantization() -> None:
    params = SchemeSearchParams(model="m", data="d")
    assert [scheme.name for scheme in SCHEMES] == params.schemes
    assert STAGE.parse(STAGE.example)


@pytest.mark.ml
def test_a_real_candidate_is_built_and_measured_against_the_original(tmp_path: Path) -> None:
    folder = build_lively_model(tmp_path / "model", hidden=64, scale=SCALE)
    model, data = model_view(folder), dataset_view(tiny_dataset(tmp_path / "data"))
    ctx = MemoryContext(tmp_path / "job", [model, data])
    result = run(SchemeSearchParams(model=model.id, data=data.id, schemes=["kquant-32-head8"], keep=0.01, rows=8), ctx)
    onnx, report = reports(ctx)
    verify(ctx.order.artifacts / "onnx" / onnx["id"])
    found = json.loads((ctx.order.artifacts / "report" / report["id"] / "report.json").read_text())
    assert found["original"]["kl"] == 0 and found["original"]["top_token_agreement"] == 1
    metrics = found["points"][0]["metrics"]
    assert 0 < metrics["kl"] < 1 and metrics["perplexity"] > 1 and metrics["decode_tokens_per_s"] > 0
    assert metrics["size_bytes"] < found["original"]["size_bytes"]
    assert found["test"]["choice"]["n"] == 15 and metrics["n"] == 8
    assert result.metrics["kl"] == metrics["kl"]
