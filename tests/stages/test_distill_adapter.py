"""A student that learns by an adapter: every way to learn, a full model at the end, checks and quote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.core.schemas import ArtifactView
from backend.models import costs
from backend.stages.distill import STAGE, DistillParams
from tests.stages.test_distill_methods import curve, lab, learn, taught, weights
from tests.stages.test_finetune import SMOL, made, smol_world

__all__ = ["lab"]
LORA: dict[str, Any] = {"adapter": True, "rank": 4, "alpha": 8, "train_embeddings": "auto", "learning_rate": 0.02}


def asked(**params: Any) -> DistillParams:
    return DistillParams.model_validate({"student": "m", "data": "d", **params})


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"rank": 8}, "rank"),
        ({"targets": ["q_proj"]}, "targets"),
        ({"adapter": True, "train_embeddings": "always"}, "train_embeddings"),
    ],
)
def test_a_value_without_effect_is_refused(params: dict[str, Any], field: str) -> None:
    problems = STAGE.check(asked(**params), smol_world())
    assert [(problem.code, problem.field) for problem in problems] == [("train.unread", field)]
    assert STAGE.check(asked(adapter=True, rank=8, targets=["q_proj"]), smol_world()) == []


def test_the_quote_has_less_to_train_and_promises_a_full_model() -> None:
    whole, small = (STAGE.quote(asked(adapter=each), smol_world()) for each in (False, True))
    adapter = costs.lora_size(SMOL, 16, "all-linear")
    assert whole.memory_bytes - small.memory_bytes == 12 * (SMOL["parameters"] - adapter)
    assert small.memory_bytes < STAGE.quote(asked(adapter=True, rank=64), smol_world()).memory_bytes
    assert small.forecast == whole.forecast and small.disk_bytes == whole.disk_bytes
    assert small.seconds != whole.seconds


@pytest.mark.parametrize(("method", "kept"), [("sequence", True), ("hidden_states", False)])
def test_frozen_layers_count_once_unless_the_method_reads_them(method: str, kept: bool) -> None:
    half, whole = (
        STAGE.quote(asked(adapter=True, method=method, top_share=top, epochs=4), smol_world()) for top in (0.5, 1.0)
    )
    assert (half.disk_bytes > whole.disk_bytes) is kept


@pytest.mark.ml
@pytest.mark.parametrize("method", ["sequence", "on_policy", "hidden_states"])
def test_the_student_learns_and_is_whole(method: str, lab: dict[str, ArtifactView], tmp_path: Path) -> None:
    given: dict[str, Any] = taught(method) if method != "sequence" else {"student": "student"}
    ctx = learn(tmp_path / "job", lab, max_steps=48, **given, **LORA)
    losses, held_out = curve(ctx, "loss"), curve(ctx, "eval_loss")
    assert sum(losses[-3:]) < 0.97 * sum(losses[:3]) and held_out[-1] < held_out[0]
    path, manifest = made(ctx)
    new, old = weights(path), weights(lab["student"].path)
    assert new.keys() == old.keys() and manifest["facts"]["parameters"] == lab["student"].facts["parameters"]
    changed = {name for name in new if (new[name] != old[name]).any()}
    assert changed and all("_proj" in name for name in changed)


@pytest.mark.ml
def test_what_is_not_learned_keeps_every_bit(lab: dict[str, ArtifactView], tmp_path: Path) -> None:
    """Where bfloat16 pays, the weights below an adapter are rounded while it learns; the result must not be."""
    ctx = learn(tmp_path / "job", lab, student="student", max_steps=1, **{**LORA, "learning_rate": 1e-30})
    new, old = weights(made(ctx)[0]), weights(lab["student"].path)
    assert all(new[name].dtype == old[name].dtype and (new[name] == old[name]).all() for name in old)


@pytest.mark.ml
def test_the_student_is_not_in_memory_twice_while_it_is_merged(
    lab: dict[str, ArtifactView], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import weakref

    from backend.ml.inference import load
    from backend.ml.training import lora

    trained: list[Any] = []
    there: list[Any] = []
    state, again = lora.adapter_state, load.load_model

    def seen(model: Any) -> Any:
        trained.append(weakref.ref(model))
        return state(model)

    def loaded(*args: Any, **how: Any) -> Any:
        there.extend(each() is not None for each in trained)
        return again(*args, **how)

    monkeypatch.setattr(lora, "adapter_state", seen)
    monkeypatch.setattr(load, "load_model", loaded)
    learn(tmp_path / "job", lab, student="student", max_steps=1, **LORA)
    assert there == [False]


@pytest.mark.ml
def test_the_model_that_is_kept_is_the_one_that_was_measured(lab: dict[str, ArtifactView], tmp_path: Path) -> None:
    import torch
    from torch.nn import functional

    from backend.core.schemas import Kind
    from backend.data.chat_template import Encoder
    from backend.data.dataset import DataFolder
    from backend.data.encoding import IGNORE_INDEX, encode_rows
    from backend.ml.inference.load import load_model
    from tests.helpers import view

    ctx = learn(tmp_path / "job", lab, student="student", epochs=6, **LORA)
    path, manifest = made(ctx)
    model = load_model(view(path, Kind.MODEL, "s", **manifest["facts"]), ctx.input)
    data, total, count = DataFolder(lab["data"].path), 0.0, 0
    for item in encode_rows(Encoder(path), data.template, list(data.rows("validation"))[:6], 512).items:
        labels = torch.tensor(item["labels"])[1:]
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([item["input_ids"]])).logits[0, :-1]
        total += float(
            functional.cross_entropy(logits[labels != IGNORE_INDEX], labels[labels != IGNORE_INDEX], reduction="sum")
        )
        count += int((labels != IGNORE_INDEX).sum())
    assert total / count == pytest.approx(curve(ctx, "eval_loss")[-1], abs=0.05)
