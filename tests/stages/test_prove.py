"""The proof in Foundry Local: both sides answer the same rows, and what differs is a check that failed."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.core.schemas import Kind
from backend.data.chat_template import Encoder
from backend.inference.protocol import Sampling
from backend.jobs.context import MemoryContext
from backend.ml.inference.open import open_engine
from backend.packaging import foundry
from backend.stages.prove import STAGE, ProveParams, check, quote, run
from tests.helpers import dataset_view
from tests.onnx_models import Converted, converted
from tests.stages.fake_world import FakeWorld


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Converted:
    return converted(tmp_path_factory)


class Runtime:
    """A stand-in that answers as ONNX Runtime GenAI does from the folder that it is given, and then `change`s it."""

    def __init__(self, made: Converted, **change: Any) -> None:
        self.made, self.change = made, change

    def __call__(self, folder: Path, model_id: str, prompts: list[Any], room: int, *_: Any) -> Iterator[dict[str, Any]]:
        if "stop" in self.change:
            raise StudioError("foundry.stopped", status=1, reason="Empty chat template.")
        yield {"load_seconds": 1.5, "sdk": "2.2.1"}
        engine = open_engine(self.made.onnx.model_copy(update={"path": folder}), lambda ref: self.made.torch)
        for messages in prompts:
            prompt = Encoder(folder).ids(Encoder(folder).render(messages))
            text = engine.answer(prompt, Sampling(max_new_tokens=room))
            answer = {"text": text, "prompt_tokens": len(prompt), "tokens": 3, "seconds": 0.5}
            yield answer | {key: value for key, value in self.change.items() if key in answer}
        yield {"peak_memory_bytes": 5_000_000}


def proven(
    made: Converted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int = 5, **change: Any
) -> tuple[Path, dict[str, Any], dict[str, float]]:
    monkeypatch.setattr(foundry, "ask_foundry", Runtime(made, **change))
    data = dataset_view(made.data)
    job = MemoryContext(tmp_path / "job", [made.onnx, data])
    result = run(ProveParams(model=made.onnx.id, data=data.id, rows=rows), job)
    sealed = next(event for event in job.events if event["event"] == "artifact")
    return Path(sealed["path"]), sealed["manifest"], result.metrics


@pytest.mark.ml
def test_equal_runtimes_pass(made: Converted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, manifest, metrics = proven(made, tmp_path, monkeypatch)
    facts = manifest["facts"]
    assert (facts["report"], facts["model"], facts["passed"], facts["failed"]) == ("foundry", made.onnx.id, True, [])
    assert manifest["parents"] == sorted([made.onnx.id, "dataset-d1"])
    assert (
        metrics["same_answers"] == metrics["same_prompts"] == 1 and metrics["n"] == 5 and not metrics["checks_failed"]
    )
    assert metrics["answer_tokens_per_s"] == 6 and metrics["latency_ms_p50"] == 500 and metrics["load_seconds"] == 1.5
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert [each["check"] for each in report["checks"]] == ["loads", "same prompt", "same answers", "accuracy kept"]
    lines = [json.loads(line) for line in (folder / "answers.jsonl").read_text("utf-8").splitlines()]
    assert len(lines) == 5 and all(line["here"]["text"] == line["foundry"]["text"] for line in lines)


@pytest.mark.ml
@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ({"text": "another answer"}, "same answers"),
        ({"prompt_tokens": 3}, "same prompt"),
        ({"stop": True}, "loads"),
    ],
)
def test_what_differs_is_named(
    made: Converted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], failed: str
) -> None:
    folder, manifest, metrics = proven(made, tmp_path, monkeypatch, **change)
    assert metrics["checks_failed"] == len(manifest["facts"]["failed"]) > 0
    assert manifest["facts"]["passed"] is False and failed in manifest["facts"]["failed"]
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert ("Empty chat template." in report.get("reason", "")) == (failed == "loads")


def test_a_lost_share_of_right_labels_is_noticed(tmp_path: Path) -> None:
    from backend.data.dataset import DataFolder
    from backend.stages.prove import _compare
    from tests.helpers import tiny_dataset

    data = DataFolder(tiny_dataset(tmp_path))
    rows = list(data.rows("validation"))[:10]

    def side(wrong: int) -> dict[str, Any]:
        said = [
            {"text": "x" if at < wrong else row.output, "prompt_tokens": 9, "tokens": 2, "seconds": 0.1}
            for at, row in enumerate(rows)
        ]
        return {"said": said, "load_seconds": 1.0, "peak_memory_bytes": 1, "sdk": "2"}

    params = ProveParams(model="o", data="d", min_agreement=0.5, max_drop=0.15)
    for wrong, kept in ((1, True), (2, False)):
        checks, numbers = _compare(params, data, rows, side(0), side(wrong))
        assert {each["check"]: each["passed"] for each in checks}["accuracy kept"] is kept
        assert numbers["accuracy"] == 1 - wrong / 10 and numbers["here_accuracy"] == 1


def test_what_is_missing_is_said_beforehand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    world = FakeWorld().add("o", Kind.ONNX, size_bytes=80_000_000, parameters=134e6, format="onnx", precision="int4")
    world.add("d", Kind.DATASET, rows={"validation": 200}, prompt_chars=80, answer_chars=10).add("m", Kind.MODEL)
    world.add("p", Kind.PACKAGE, model="o")
    monkeypatch.setenv(foundry.PYTHON_VARIABLE, str(tmp_path / "nowhere"))
    assert [p.code for p in check(ProveParams(model="o", data="d"), world)] == ["foundry.missing"]
    monkeypatch.setenv(foundry.PYTHON_VARIABLE, "/bin/sh")
    assert not check(ProveParams(model="o", data="d"), world) and not check(ProveParams(model="p", data="d"), world)
    codes = [p.code for p in check(ProveParams(model="m", data="d", split="test"), world)]
    assert codes == ["core.artifact_kind", "chat.no_rows"]
    few, many = (quote(ProveParams(model="p", data="d", rows=rows), world) for rows in (10, 200))
    assert 0 < few.seconds < many.seconds and few.memory_bytes > 350_000_000


@pytest.mark.ml
@pytest.mark.skipif(
    not os.environ.get(foundry.PYTHON_VARIABLE) and importlib.util.find_spec("foundry_local_sdk") is None,
    reason="foundry-local-sdk is not installed",
)
def test_the_real_runtime_answers_as_ours(made: Converted, tmp_path: Path) -> None:
    data = dataset_view(made.data)
    job = MemoryContext(tmp_path / "job", [made.onnx, data])
    metrics = run(ProveParams(model=made.onnx.id, data=data.id, rows=4), job).metrics
    assert metrics["same_prompts"] == 1 and metrics["load_seconds"] > 0 and metrics["peak_memory_bytes"] > 10_000_000


def test_the_example_is_valid() -> None:
    assert STAGE.parse(STAGE.example)
