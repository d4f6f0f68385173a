"""The evaluate stage: the numbers by their contract names, from models and from an endpoint."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.data.baseline_scores import BaselineScores, stored_baseline
from backend.data.chat_template import Encoder
from backend.data.dataset import Row, Template, write_split, write_template
from backend.jobs.context import MemoryContext
from backend.stages.evaluate import STAGE, EvaluateParams, check, quote, run
from tests.data.test_tools import ANSWERED, ASKED
from tests.data.tokenizers import TOOLS
from tests.helpers import build_tiny_model, dataset_view, model_view, tiny_dataset
from tests.onnx_models import converted
from tests.providers.fake_endpoint import FakeEndpoint
from tests.stages.fake_world import FakeWorld

COST = {"ttft_ms", "decode_tokens_per_s", "latency_ms_p50", "latency_ms_p95"}
WEIGHT = {"peak_memory_bytes", "model_memory_bytes", "size_bytes", "parameters", "weights_bytes", "load_seconds"}


def evaluated(tmp_path: Path, data: Path, view: ArtifactView | None = None, **change: Any) -> tuple[dict, Path]:
    job = MemoryContext(tmp_path / "job", [dataset_view(data), *([view] if view else [])])
    result = run(EvaluateParams(data="dataset-d1", cost_prompts=2, **change), job)
    sealed = next(event for event in job.events if event["event"] == "artifact")
    folder = Path(sealed["path"])
    assert json.loads((folder / "metrics.json").read_text()) == result.metrics
    assert sealed["manifest"]["facts"].items() >= result.metrics.items()
    return result.metrics, folder


def beside(tmp_path: Path) -> BaselineScores | None:
    """The quick baseline that the only evaluation below keeps in its facts."""
    (manifest,) = (tmp_path / "job").rglob("manifest.json")
    return stored_baseline(json.loads(manifest.read_text())["facts"])


def text_dataset(folder: Path) -> Path:
    folder.mkdir()
    write_template(folder, Template(user="Repeat: {input}"))
    for split in ("train", "test"):
        write_split(
            folder,
            split,
            [
                Row(id=f"{split}{n}", input=f"item {n}", output=f"red item {n}", fields={"shop": f"s{n}"})
                for n in range(4)
            ],
        )
    return folder


@pytest.mark.ml
def test_a_torch_model_on_labels(tmp_path: Path) -> None:
    model = model_view(build_tiny_model(tmp_path / "model"))
    metrics, folder = evaluated(tmp_path, tiny_dataset(tmp_path / "data"), model, model=model.id)
    assert metrics.keys() >= {*COST, *WEIGHT, "accuracy", "exact_match", "macro_f1", "invalid_rate", "n"}
    assert 0 < metrics["model_memory_bytes"] < metrics["peak_memory_bytes"] - 50e6  # torch itself is more than that
    assert metrics["n"] == 15 and metrics["majority_baseline"] == pytest.approx(1 / 3)
    assert metrics["accuracy_low"] <= metrics["accuracy"] <= metrics["accuracy_high"]
    assert metrics["weights_bytes"] == (tmp_path / "model" / "model.safetensors").stat().st_size
    assert metrics["parameters"] == model.facts["parameters"]
    found = beside(tmp_path)
    assert found is not None and found.method == "classifier" and found.figures["n"] == 15
    assert metrics["baseline_accuracy"] == found.figures["accuracy"] > metrics["majority_baseline"]
    assert found.beaten is False, "a random model beats nothing, and the log says so"
    lines = [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]
    assert len(lines) == 15 and lines[0].keys() == {"id", "input", "expected", "answer", "correct"}
    counts = json.loads((folder / "confusion.json").read_text())["counts"]
    assert sum(map(sum, counts)) == 15


@pytest.mark.ml
def test_an_adapter_weighs_its_base_too(tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    from backend.ml.inference.load import load_model

    base = model_view(build_tiny_model(tmp_path / "model"))
    tuned = get_peft_model(load_model(base, lambda ref: base), LoraConfig(r=2, target_modules="all-linear"))
    folder = tmp_path / "adapter"
    tuned.save_pretrained(str(folder))
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        (folder / name).write_bytes((base.path / name).read_bytes())
    facts = {"base": base.id, "parameters": base.facts["parameters"], "format": "adapter"}
    adapter = base.model_copy(
        update={"id": "adapter-a1", "name": "a", "kind": Kind.ADAPTER, "path": folder, "facts": facts, "size_bytes": 7}
    )
    job = MemoryContext(tmp_path / "job", [dataset_view(tiny_dataset(tmp_path / "data")), base, adapter])
    metrics = run(EvaluateParams(data="dataset-d1", model="a", cost_prompts=1, max_rows=3), job).metrics
    assert metrics["size_bytes"] == 7 + base.size_bytes
    sizes = [each.stat().st_size for each in (*base.path.glob("*.safetensors"), *folder.glob("*.safetensors"))]
    assert metrics["weights_bytes"] == sum(sizes) and len(sizes) == 2


@pytest.mark.ml
def test_calls_are_compared_as_the_model_writes_them(tmp_path: Path) -> None:
    folder = build_tiny_model(tmp_path / "model")
    (folder / "chat_template.jinja").write_text(TOOLS.replace("<|", "<|im_"), "utf-8")
    data = tmp_path / "data"
    data.mkdir()
    write_template(data, Template())
    for split in ("train", "test"):
        write_split(data, split, [ASKED, ANSWERED])
    model = model_view(folder)
    metrics, made = evaluated(tmp_path, data, model, model=model.id)
    lines = [json.loads(line) for line in (made / "answers.jsonl").read_text().splitlines()]
    assert [line["expected"] for line in lines] == [
        '<call>{"name": "weather", "arguments": {"place": "León"}}</call>',
        "Yes.",
    ]
    encoder = Encoder(folder)
    asked = [encoder.gold_ids(Template(), row) for row in (ASKED, ANSWERED)]
    assert metrics["loss_tokens"] == sum(map(len, asked)) and metrics["n"] == 2


@pytest.mark.ml
def test_torch_and_onnx_agree_on_open_answers(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    made = converted(tmp_path_factory)
    data = text_dataset(tmp_path / "data")
    before, _ = evaluated(tmp_path / "a", data, made.torch, model=made.torch.id)
    after, folder = evaluated(tmp_path / "b", data, made.onnx, model=made.onnx.id)
    for metrics in (before, after):
        assert metrics.keys() >= {*COST, *WEIGHT, "exact_match", "token_f1", "rouge_l", "loss", "perplexity", "n"}
        assert metrics["perplexity"] == pytest.approx(math.exp(metrics["loss"]))
    assert after["loss"] == pytest.approx(before["loss"], rel=0.02)
    # A random model over 1,024 tokens knows nothing: its loss is near that of guessing.
    assert before["loss"] == pytest.approx(math.log(1024), rel=0.2)
    assert after["size_bytes"] == made.onnx.size_bytes and after["decode_tokens_per_s"] > before["decode_tokens_per_s"]
    assert not (folder / "confusion.json").exists()
    shops = [json.loads(line)["fields"]["shop"] for line in (folder / "answers.jsonl").read_text().splitlines()]
    assert shops == ["s0", "s1", "s2", "s3"], "what travels with a row reaches its evaluation"


def test_an_endpoint_has_quality_and_times_but_no_weight(tmp_path: Path) -> None:
    with FakeEndpoint().running() as server:
        server.answer = lambda body: "red" if "green" in str(body["messages"][-1]) else body_colour(body)
        given: dict[str, Any] = {"endpoint_url": server.url, "endpoint_model": "big"}
        metrics, folder = evaluated(tmp_path, tiny_dataset(tmp_path / "data"), **given)
    assert metrics["accuracy"] == pytest.approx(2 / 3) and metrics["macro_f1"] == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert metrics.keys() >= COST and not metrics.keys() & WEIGHT
    wrong = [line for line in map(json.loads, (folder / "answers.jsonl").open()) if not line["correct"]]
    assert {line["expected"] for line in wrong} == {"green"}


def body_colour(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"].split()[0])


def test_the_training_answers_tell_the_task_and_a_parameter_overrides_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    write_template(data, Template(user="Repeat: {input}"))
    for split in ("train", "test"):
        rows = [Row(id=f"{split}{n}", input=f"item {n}", output=f'{{"item": {n}, "kind": "red"}}') for n in range(4)]
        write_split(data, split, rows)
    with FakeEndpoint().running() as server:
        server.answer = lambda body: '{"kind": "red", "item": 1.0}'
        given: dict[str, Any] = {"endpoint_url": server.url, "endpoint_model": "big"}
        metrics, folder = evaluated(tmp_path / "a", data, **given)
        other, _ = evaluated(tmp_path / "b", data, task="qa", **given)
    assert metrics["field_f1"] == (1 + 3 * 0.5) / 4 and metrics["json_valid"] == 1 and metrics["exact_match"] == 0
    assert json.loads((folder / "manifest.json").read_text())["facts"]["task"] == "extraction"
    found = beside(tmp_path / "a")
    assert found and metrics["baseline_field_f1"] == found.figures["field_f1"]
    assert "field_f1" not in other and other["token_f1"] == metrics["token_f1"]
    world = FakeWorld().add("d", Kind.DATASET, answer="label", rows={"test": 4})
    asked = EvaluateParams(data="d", task="maths", **given)
    assert "data.other_task" in {problem.code for problem in check(asked, world)}


def test_a_broken_endpoint_is_one_sentence(tmp_path: Path) -> None:
    with FakeEndpoint(lambda n: "404").running() as server:
        with pytest.raises(StudioError) as caught:
            evaluated(tmp_path, tiny_dataset(tmp_path / "data"), endpoint_url=server.url, endpoint_model="big")
    assert caught.value.code == "chat.endpoint_not_found"


def test_a_split_without_answers_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    data = tiny_dataset(tmp_path / "data")
    write_split(data, "test", [Row(id="1", input="x")])
    with pytest.raises(StudioError) as caught:
        evaluated(tmp_path, data, endpoint_url="http://127.0.0.1:9/v1", endpoint_model="m")
    assert caught.value.code == "chat.no_truth"


def test_problems_before_the_start() -> None:
    world = FakeWorld().add("d", Kind.DATASET, rows={"train": 5, "test": 0})
    codes = [problem.code for problem in check(EvaluateParams(data="d"), world)]
    assert codes == ["chat.one_teacher", "chat.no_rows"]


def test_a_model_for_another_device_is_refused_with_its_name() -> None:
    world = FakeWorld().add("d", Kind.DATASET, rows={"test": 5})
    world.add("far", Kind.ONNX, parameters=1000, target="directml", run=False).add("near", Kind.ONNX, parameters=1000)
    (problem,) = check(EvaluateParams(data="d", model="far"), world)
    assert problem.code == "quant.not_here" and "directml" in problem.text()
    assert check(EvaluateParams(data="d", model="near"), world) == []


def test_a_small_onnx_model_is_quoted_faster_than_the_torch_one_it_came_from() -> None:
    world = FakeWorld().add("d", Kind.DATASET, rows={"test": 300}, prompt_chars=90, answer_chars=12)
    facts = {"parameters": 134_515_008}
    world.add("t", Kind.MODEL, **facts, format="torch").add("o", Kind.ONNX, **facts, format="onnx", precision="int4")
    torch, onnx = (quote(EvaluateParams(data="d", model=ref), world) for ref in ("t", "o"))
    assert onnx.seconds < torch.seconds and onnx.memory_bytes < torch.memory_bytes


def test_the_example_is_valid() -> None:
    assert STAGE.parse(STAGE.example)


@pytest.mark.ml
def test_constrained_answers_are_labels_and_say_so(tmp_path: Path) -> None:
    """A random model names no label by itself."""
    model = model_view(build_tiny_model(tmp_path / "model"))
    metrics, folder = evaluated(tmp_path, tiny_dataset(tmp_path / "data"), model, model=model.id, constrained="labels")
    assert metrics["invalid_rate"] == metrics["cut_off"] == 0
    lines = [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]
    assert {line["answer"] for line in lines} <= {"red", "green", "blue"}
    (manifest,) = (tmp_path / "job").rglob("manifest.json")
    assert json.loads(manifest.read_text())["facts"]["constrained"] == "labels"


def test_forms_that_can_not_be_kept_to_are_refused(tmp_path: Path) -> None:
    world = FakeWorld(dataset_view(text_dataset(tmp_path / "data"))).add("m", Kind.MODEL, context=512)
    asked: dict[str, Any] = {"data": "dataset-d1", "model": "m"}

    def codes(**params: Any) -> list[str]:
        return [problem.code for problem in check(EvaluateParams(**{**asked, **params}), world) if problem.blocking]

    assert codes(constrained="labels") == ["constraint.no_labels"]
    assert codes(constrained="json_schema", json_schema="{") == ["constraint.no_json"]
    assert codes(constrained="json_schema", json_schema='{"type": "object"}') == []
    endpoint = {"endpoint_url": "http://h/v1", "endpoint_model": "x", "model": None}
    assert "constraint.endpoint" in codes(constrained="labels", **endpoint)
