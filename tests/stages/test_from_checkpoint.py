"""Checkpoints that stay after a training, and the models made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.artifacts import verify
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.core.stage import AnyStage
from backend.files.checkpoints import Checkpoint, list_checkpoints, superfluous
from backend.files.disk import remove_all
from backend.jobs.context import MemoryContext
from backend.stages import distill, finetune, preference, pretrain
from backend.stages.from_checkpoint import STAGE, FromCheckpointParams
from tests.helpers import dataset_view, model_view, tiny_dataset, view
from tests.stages.test_finetune import smol_world

GIVEN: dict[str, Any] = {"job": "j1", "step": 4, "model": "m", "data": "d"}
PLAIN = {"batch_size": 8, "learning_rate": 0.02, "schedule": "constant", "evaluate_steps": 4}


def test_check_names_what_is_wrong() -> None:
    def codes(**more: Any) -> list[tuple[str, str | None]]:
        found = STAGE.check(FromCheckpointParams(**{**GIVEN, **more}), smol_world())
        return [(problem.code, problem.field) for problem in found]

    assert codes() == [] == codes(settings=["rank=8", 'targets=["q_proj"]'])
    assert codes(model="nope", settings=["x=1"]) == [
        ("core.artifact_unknown", "model"),
        ("search.unknown", "settings.0"),
    ]
    assert STAGE.makes(FromCheckpointParams(**GIVEN)) is Kind.ADAPTER
    assert STAGE.makes(FromCheckpointParams(**GIVEN, settings=["method=full"])) is Kind.MODEL


def test_it_is_quoted_as_loading_and_writing() -> None:
    world, params = smol_world(), FromCheckpointParams(**GIVEN)
    quoted, trained = STAGE.quote(params, world), finetune.STAGE.quote(params.trained(), world)
    assert quoted.seconds < 60 and quoted.disk_bytes == trained.disk_bytes and quoted.forecast == trained.forecast


@pytest.fixture
def inputs(tiny_model: Path, tmp_path: Path) -> list[ArtifactView]:
    return [model_view(tiny_model), dataset_view(tiny_dataset(tmp_path / "data"))]


def learn(
    home: Path, inputs: list[ArtifactView], stage: AnyStage = finetune.STAGE, **params: Any
) -> tuple[Any, MemoryContext]:
    ctx = MemoryContext(home, inputs)
    ctx.dir = home / "jobs" / "j1"
    ctx.dir.mkdir(parents=True)
    given = {"student" if stage is distill.STAGE else "model": inputs[0].id, "data": inputs[1].id}
    return stage.run(stage.parse({**PLAIN, **given, **params}), ctx), ctx


def promote(home: Path, inputs: list[ArtifactView], step: int, **params: Any) -> tuple[Any, Path, dict[str, Any]]:
    ctx = MemoryContext(home, inputs, job_id="j2")
    given = {"job": "j1", "step": step, "model": inputs[0].id, "data": inputs[1].id, **params}
    result = STAGE.run(STAGE.parse(given), ctx)
    event = next(event for event in ctx.events if event["event"] == "artifact")
    return result, Path(event["path"]), event["manifest"]


def end(ctx: MemoryContext, result: Any) -> list[Checkpoint]:
    """What the worker does once the job has succeeded."""
    remove_all(superfluous(ctx.dir))
    return list_checkpoints(ctx.dir, result.metrics["kept_step"])


@pytest.mark.ml
def test_without_the_wish_nothing_stays(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    result, ctx = learn(tmp_path, inputs, keep="best", max_steps=8)
    assert end(ctx, result) == [] and not ctx.dir.exists()


CASES: list[tuple[AnyStage, dict[str, Any]]] = [
    (finetune.STAGE, {"rank": 4}),
    (finetune.STAGE, {"rank": 8, "method": "dora", "targets": ["q_proj", "v_proj"], "modules_to_save": ["lm_head"]}),
    (finetune.STAGE, {"method": "full"}),
    (distill.STAGE, {"adapter": True, "rank": 4}),
    (preference.STAGE, {"rank": 4}),
    (pretrain.STAGE, {"adapter": True, "rank": 4, "max_length": 16}),
]


@pytest.mark.ml
@pytest.mark.parametrize(("stage", "extra"), CASES)
def test_its_weights_and_logits_are_those_of_the_checkpoint(
    tmp_path: Path, inputs: list[ArtifactView], stage: AnyStage, extra: dict[str, Any]
) -> None:
    """Compared with a training that ended at this step: that made the model of what the checkpoint holds."""
    import torch
    from safetensors.torch import load_file

    from backend.ml.inference.load import load_model
    from tests.ml.training.test_preference import preference_data
    from tests.stages.test_pretrain import text_data

    if stage is preference.STAGE:
        inputs = [inputs[0], preference_data(tmp_path / "pairs")]
    if stage is pretrain.STAGE:
        inputs = [inputs[0], text_data(tmp_path / "text")]
    asked = {"evaluate_steps": 3, "evaluate_rows": 8, **extra}
    result, ctx = learn(tmp_path, inputs, stage, **asked, max_steps=6, checkpoints_kept=2)
    assert [each.step for each in end(ctx, result)] == [3, 6]
    settings = [f"{name}={json.dumps(value)}" for name, value in {**PLAIN, **asked}.items()]
    about = {"training": stage.name, "settings": settings}
    told, path, manifest = promote(tmp_path, inputs, 3, **about)
    verify(path)
    ended, short = learn(tmp_path / "short", inputs, stage, **asked, max_steps=3)
    expected = Path(next(event for event in short.events if event["event"] == "artifact")["path"])
    assert {file.name for file in path.iterdir()} == {file.name for file in expected.iterdir()}
    (weights,), (others,) = path.glob("*.safetensors"), expected.glob("*.safetensors")
    made, wanted = load_file(weights), load_file(others)
    assert made.keys() == wanted.keys()
    for name, tensor in made.items():
        torch.testing.assert_close(tensor, wanted[name], atol=1e-6, rtol=1e-5)
    kept = next((ctx.dir / "checkpoints" / "checkpoint-3").glob("*.safetensors"))
    if "adapter" not in extra:  # that is merged
        held = load_file(kept)
        assert made.keys() <= held.keys() and all(torch.equal(made[name], held[name]) for name in made)
    kind = Kind(manifest["kind"])
    ids = torch.tensor([[5, 9, 40, 77]])
    models = [load_model(view(each, kind, "x", **manifest["facts"]), ctx.input) for each in (path, expected)]
    torch.testing.assert_close(models[0](ids).logits, models[1](ids).logits, atol=1e-5, rtol=1e-4)
    assert manifest["parents"] == sorted(each.id for each in inputs)
    assert manifest["facts"]["checkpoint"] == {"job": "j1", "step": 3} and manifest["name"] == "dataset-d1-step-3"
    assert manifest["facts"]["training"]["kept_step"] == 3
    assert told.metrics["eval_loss"] == list_checkpoints(ctx.dir)[0].scores["eval_loss"]
    assert told.metrics["eval_loss"] == pytest.approx(ended.metrics["eval_loss"], rel=1e-5)
    assert "tokens_per_s" not in told.metrics and (tmp_path / "jobs/j1/checkpoints/checkpoint-3").is_dir()


@pytest.mark.ml
def test_a_checkpoint_that_is_gone_or_half_written_is_named(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    _result, ctx = learn(tmp_path, inputs, rank=4, max_steps=4, checkpoints_kept=1)
    with pytest.raises(StudioError, match="no checkpoint of step 2"):
        promote(tmp_path, inputs, 2, settings=["rank=4"])
    with next((ctx.dir / "checkpoints/checkpoint-4").glob("*.safetensors")).open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(StudioError, match="no checkpoint of step 4"):
        promote(tmp_path, inputs, 4, settings=["rank=4"])
