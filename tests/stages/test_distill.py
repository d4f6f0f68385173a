"""The distillation stage: what of the student is trained, its folder and facts, an adapter as its source."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core.schemas import ArtifactView, Kind
from backend.jobs.context import MemoryContext
from backend.models import costs
from backend.stages.distill import STAGE, DistillParams, trains_embeddings
from tests.helpers import build_tiny_model, dataset_view, model_view, tiny_dataset, view
from tests.stages.test_finetune import ROWS, SMOL, World, made, smol_world, tune


@pytest.mark.parametrize(
    ("asked", "vocabulary", "trains"),
    [("auto", 4096, True), ("auto", 49152, False), ("always", 49152, True), ("never", 4096, False)],
)
def test_a_small_table_is_trained_and_a_large_one_only_when_asked(asked: str, vocabulary: int, trains: bool) -> None:
    six = costs.with_vocabulary(costs.with_layers(SMOL, 6), vocabulary)
    params = DistillParams(student="m", data="d", train_embeddings=asked)
    assert trains_embeddings(params, six) == trains
    world = World(view(Path("m"), Kind.MODEL, "m", **six), view(Path("d"), Kind.DATASET, "d", **ROWS))
    other = params.model_copy(update={"train_embeddings": "never"})
    assert (STAGE.quote(params, world).memory_bytes > STAGE.quote(other, world).memory_bytes) == trains


def test_check_names_every_problem() -> None:
    problems = STAGE.check(DistillParams(student="m", data="d", max_length=9000), smol_world(rows={"train": 0}))
    assert [problem.code for problem in problems] == ["train.no_rows", "train.context"]


@pytest.mark.ml
def test_student_of_a_model(tmp_path: Path) -> None:
    from backend.ml.inference.load import load_model

    inputs = [model_view(build_tiny_model(tmp_path / "m", layers=2)), dataset_view(tiny_dataset(tmp_path / "data"))]
    ctx = MemoryContext(tmp_path / "job", inputs)
    params = {"student": inputs[0].id, "data": inputs[1].id, "learning_rate": 0.01, "batch_size": 8}
    result = STAGE.run(STAGE.parse({**params, "train_embeddings": "always", "epochs": 6}), ctx)
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

    from backend.ml.inference.load import load_model

    inputs: list[ArtifactView] = [model_view(tiny_model), dataset_view(tiny_dataset(tmp_path / "data"))]
    _, tuned = tune(tmp_path, inputs)
    path, manifest = made(tuned)
    adapter = view(path, Kind.ADAPTER, "adapter-a1", **manifest["facts"])
    ctx = MemoryContext(tmp_path / "distil", [*inputs, adapter])
    params = {
        "student": adapter.id,
        "data": inputs[1].id,
        "train_embeddings": "never",
        "max_steps": 2,
        "learning_rate": 1e-12,
    }
    STAGE.run(STAGE.parse({**params, "evaluate_rows": 0}), ctx)
    out, facts = made(ctx)[0], made(ctx)[1]["facts"]
    student = load_model(view(out, Kind.MODEL, "s", **facts), ctx.input)
    teacher = load_model(adapter, ctx.input, merged=True)
    assert torch.equal(student.model.embed_tokens.weight, teacher.model.embed_tokens.weight)
    for name, weight in student.model.layers.state_dict().items():
        torch.testing.assert_close(weight, teacher.model.layers.state_dict()[name], atol=1e-6, rtol=0)
