"""The distillation stage: which layers a student keeps, its folder and facts, an adapter as its source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.jobs.context import MemoryContext
from backend.schemas import ArtifactView, Kind
from backend.stages.distill import STAGE, DistillParams, kept_layers
from tests.helpers import build_tiny_model, dataset_view, model_view, tiny_dataset, view
from tests.stages.test_finetune import made, smol_world, tune


def test_kept_layers() -> None:
    assert kept_layers(6, 30) == [0, 1, 2, 11, 20, 29]
    for layers in range(1, 40):
        for keep in range(1, layers + 1):
            kept = kept_layers(keep, layers)
            assert kept == sorted(set(kept)) and len(kept) == keep and kept[0] == 0
            assert kept[-1] == layers - 1 or keep == 1


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"keep_layers": 31}, "train.keep_layers"),
        ({"layers": [0, 30]}, "train.layers"),
        ({"layers": [1, 1]}, "train.layers"),
        ({"layers": [1], "keep_layers": 1}, "train.layers_twice"),
    ],
)
def test_check(params: dict[str, Any], code: str) -> None:
    problems = STAGE.check(DistillParams(student="m", data="d", **params), smol_world())
    assert [problem.code for problem in problems] == [code]
    assert problems[0].text()


def test_quote_forecasts_the_cut_student() -> None:
    quote = STAGE.quote(DistillParams(student="m", data="d", keep_layers=6), smol_world())
    assert quote.forecast["layers"] == 6
    assert quote.forecast["parameters"] == pytest.approx(49_552_704, rel=0.01)
    assert quote.seconds < STAGE.quote(DistillParams(student="m", data="d"), smol_world()).seconds


@pytest.mark.ml
def test_student_of_a_model(tmp_path: Path) -> None:
    from backend.ml.load import load_model

    inputs = [model_view(build_tiny_model(tmp_path / "m", layers=4)), dataset_view(tiny_dataset(tmp_path / "data"))]
    ctx = MemoryContext(tmp_path / "job", inputs)
    params = {"student": inputs[0].id, "data": inputs[1].id, "keep_layers": 2, "learning_rate": 0.01, "batch_size": 8}
    result = STAGE.run(STAGE.parse({**params, "train_embeddings": True, "epochs": 6}), ctx)
    losses = [e["value"] for e in ctx.events if e["event"] == "metric" and e["name"] == "loss"]
    assert losses[-1] < losses[0] - 2
    path, manifest = made(ctx)
    assert manifest["facts"]["layers"] == 2 and manifest["facts"]["data"] == inputs[1].id
    assert result.metrics["parameters"] == manifest["facts"]["parameters"]
    assert {file.name for file in path.iterdir()} >= {"model.safetensors", "tokenizer.json", "template.json"}
    student = load_model(view(path, Kind.MODEL, "s", **manifest["facts"]), ctx.input)
    assert sum(weight.numel() for weight in student.parameters()) == manifest["facts"]["parameters"]


@pytest.mark.ml
def test_student_of_an_adapter_starts_merged_and_frozen_embeddings_stay(tiny_model: Path, tmp_path: Path) -> None:
    import torch

    from backend.ml.load import load_model

    inputs: list[ArtifactView] = [model_view(tiny_model), dataset_view(tiny_dataset(tmp_path / "data"))]
    _, tuned = tune(tmp_path, inputs)
    path, manifest = made(tuned)
    adapter = view(path, Kind.ADAPTER, "adapter-a1", **manifest["facts"])
    ctx = MemoryContext(tmp_path / "distil", [*inputs, adapter])
    params = {"student": adapter.id, "data": inputs[1].id, "layers": [1], "max_steps": 2, "learning_rate": 1e-12}
    STAGE.run(STAGE.parse({**params, "evaluate_rows": 0}), ctx)
    out, facts = made(ctx)[0], made(ctx)[1]["facts"]
    student = load_model(view(out, Kind.MODEL, "s", **facts), ctx.input)
    teacher = load_model(adapter, ctx.input, merged=True)
    assert torch.equal(student.model.embed_tokens.weight, teacher.model.embed_tokens.weight)
    for name, weight in student.model.layers[0].state_dict().items():
        torch.testing.assert_close(weight, teacher.model.layers[1].state_dict()[name], atol=1e-6, rtol=0)
