"""States of a cut student against those of its teacher: which are compared, how far they are apart, and that it learns."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from backend.core.schemas import ArtifactView
from backend.jobs.context import MemoryContext
from backend.ml.compression.prune import prune_layers
from backend.ml.distillation.hidden_states import HiddenStatesTrainer, distance, teacher_layers
from backend.ml.distillation.online import Teacher, collate
from backend.ml.inference.load import load_model, tokenizer_of
from backend.ml.training.trainer import train
from backend.training.methods import MethodParams
from backend.training.rationale import RationaleParams
from tests.helpers import build_tiny_model, dataset_view, model_view, tiny_dataset
from tests.ml.distillation.test_online import SAME, built, examples_of

pytestmark = pytest.mark.ml
PARAMS = MethodParams(method="hidden_states", teacher="t", kl_weight=1.0)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[ArtifactView]:
    folder = tmp_path_factory.mktemp("in")
    return [model_view(build_tiny_model(folder / "t", layers=4)), dataset_view(tiny_dataset(folder / "data"))]


def cut(inputs: list[ArtifactView], kept: list[int]) -> tuple[Any, Any]:
    """(student of these layers, teacher)"""
    student, teacher = (load_model(inputs[0], None) for _ in range(2))  # type: ignore[arg-type]
    return prune_layers(student, kept), teacher


def trainer_of(inputs: list[ArtifactView], kept: list[int], folder: Path, rows: int = 6) -> tuple[Any, Any, Any]:
    student, teacher = cut(inputs, kept)
    examples = examples_of(inputs[0].path, inputs[1])

    def make(**options: Any) -> HiddenStatesTrainer:
        return HiddenStatesTrainer(Teacher(teacher, SAME), kept, PARAMS, **{**options, "model": student})

    trainer = built(make, inputs[0].path, examples, folder)
    return trainer, teacher, trainer.data_collator(examples.items[:rows])


def test_each_layer_learns_what_was_cut_behind_it() -> None:
    assert teacher_layers([0, 1, 4], 6) == [0, 3, 5]
    assert teacher_layers([0, 1, 2], 3) == [0, 1, 2]
    assert teacher_layers([2], 5) == [4]


def test_the_distance_is_relative_and_only_of_real_positions() -> None:
    mine, theirs = torch.tensor([[[1.0, 0.0], [9.0, 9.0]]]), torch.tensor([[[3.0, 4.0], [0.0, 0.0]]])
    real = torch.tensor([[True, False]])
    assert float(distance([mine], [theirs], real)) == pytest.approx((4 + 16) / 25)
    assert float(distance([mine, theirs], [theirs, theirs], real)) == pytest.approx((4 + 16) / 25 / 2)


def test_a_student_with_all_layers_is_not_apart(inputs: list[ArtifactView], tmp_path: Path) -> None:
    trainer, _, batch = trainer_of(inputs, [0, 1, 2, 3], tmp_path)
    assert float(trainer.compute_loss(trainer.model, dict(batch)).detach()) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_the_loss_is_that_of_plain_passes_and_reaches_the_student_alone(
    checkpointing: bool, inputs: list[ArtifactView], tmp_path: Path
) -> None:
    """One row, so that nothing is shared: against the states that transformers reports."""
    kept = [0, 2]
    trainer, teacher, batch = trainer_of(inputs, kept, tmp_path, rows=1)
    if checkpointing:
        trainer.model.gradient_checkpointing_enable()
    loss = trainer.compute_loss(trainer.model, dict(batch))
    answers = int((batch["labels"] != -100).sum())
    reference = 0.0
    student, _ = cut(inputs, kept)
    with torch.no_grad():
        mine, theirs = (
            [*model(batch["input_ids"], output_hidden_states=True).hidden_states] for model in (student, teacher)
        )
    for model, states in ((student, mine), (teacher, theirs)):  # the last one was normalised
        last: list[Any] = []
        handle = model.model.layers[-1].register_forward_hook(partial(_keep, last))
        with torch.no_grad():
            model(batch["input_ids"])
        handle.remove()
        states[-1] = last[-1]
    for layer, target in enumerate(teacher_layers(kept, 4)):
        one, other = mine[layer + 1][0], theirs[target + 1][0]
        reference += float(((one - other).square().sum(-1) / other.square().sum(-1)).mean()) / len(kept)
    assert float(loss.detach()) == pytest.approx(reference, rel=1e-4) and answers > 0
    loss.backward()
    grads = {name: weight.grad for name, weight in trainer.model.named_parameters()}
    assert all(grad is not None and grad.abs().sum() > 0 for name, grad in grads.items() if ".layers." in name)
    assert all(weight.grad is None for weight in teacher.parameters())


def _keep(found: list[Any], _module: Any, _given: Any, made: Any) -> None:
    found.append(made[0] if isinstance(made, tuple) else made)


def test_training_brings_the_states_together(inputs: list[ArtifactView], tmp_path: Path) -> None:
    kept = [0, 2]
    student, teacher = cut(inputs, kept)
    examples = examples_of(inputs[0].path, inputs[1])
    params = RationaleParams(epochs=20, batch_size=8, learning_rate=5e-3, warmup_ratio=0.0)
    ctx = MemoryContext(tmp_path / "job")
    make = partial(HiddenStatesTrainer, Teacher(teacher, SAME), kept, PARAMS)
    train(student, tokenizer_of(inputs[0].path), examples, type(examples)(), params, ctx, make)
    losses = [event["value"] for event in ctx.events if event["event"] == "metric" and event["name"] == "loss"]
    assert losses[-1] < losses[0] / 2


def test_rows_of_other_lengths_are_compared_at_their_own_positions(inputs: list[ArtifactView], tmp_path: Path) -> None:
    """A batch with padding and a shared beginning has the mean of what stands behind that beginning."""
    kept = [0, 2]
    trainer, _, _ = trainer_of(inputs, kept, tmp_path)
    rows = [[1, 7, 8, 9, 10, 11, 30, 2], [1, 7, 8, 9, 10, 12, 40, 50, 60, 2]]
    loss = trainer.compute_loss(trainer.model, collate(rows, [6, 6], "cpu"))
    teacher_distance = []
    for row in rows:
        alone = trainer.compute_loss(trainer.model, collate([row], [6], "cpu")).detach()
        lone = [each[:, 5:] for each in trainer.mine.outputs], [each[:, 5:] for each in trainer.theirs.outputs]
        teacher_distance.append((float(distance(*lone, torch.ones(1, len(row) - 5, dtype=torch.bool))), len(row) - 5))
        assert float(alone) > 0
    mean = sum(each * count for each, count in teacher_distance) / sum(count for _, count in teacher_distance)
    assert float(loss.detach()) == pytest.approx(mean, rel=1e-4)
