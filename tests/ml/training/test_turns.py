"""A sequence with several answers teaches what these answers teach one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from backend.core.schemas import ArtifactView
from backend.data.chat_template import Encoder
from backend.data.dataset import Row, Template, write_split, write_template
from backend.data.encoding import IGNORE_INDEX, EncodedExamples, encode_rows
from backend.jobs.context import MemoryContext
from backend.ml.distillation.online import OnlineLogitTrainer, Teacher
from backend.ml.inference.load import load_model, tokenizer_of
from backend.ml.training.batches import as_dataset
from backend.ml.training.trainer import AnswerTrainer, _config
from backend.stages import finetune
from backend.training.methods import MethodParams
from backend.training.params import TrainingParams
from tests.data.test_encoding import conversation
from tests.helpers import build_tiny_model, dataset_view, model_view

pytestmark = pytest.mark.ml
TEMPLATE = Template(system="Name it.")
ROWS = [*conversation("a"), *conversation("b", [("red item", "red"), ("green item", "green")])]


def built(kind: Any, model: Path, examples: EncodedExamples, folder: Path) -> Any:
    trainer = kind(
        model=load_model(model_view(model), None),  # type: ignore[arg-type]
        args=_config(TrainingParams(learning_rate=1e-3), 5, folder, len(examples.items), False),
        train_dataset=as_dataset(examples),
        processing_class=tokenizer_of(model),
    )
    trainer.accelerator.native_amp = False
    trainer.model.train()
    return trainer


def loss_and_gradient(trainer: Any, examples: EncodedExamples) -> tuple[float, torch.Tensor]:
    trainer.model.zero_grad()
    positions = sum(label != IGNORE_INDEX for item in examples.items for label in item["labels"])
    batch = trainer.data_collator(examples.items)
    loss = trainer.compute_loss(trainer.model, batch, num_items_in_batch=positions)
    loss.backward()
    return float(loss), torch.cat([each.grad.flatten() for each in trainer.model.parameters() if each.grad is not None])


@pytest.mark.parametrize("online", [False, True])
def test_loss_and_gradient_are_those_of_the_answers_alone(tiny_model: Path, tmp_path: Path, online: bool) -> None:
    encoder = Encoder(tiny_model)
    together = encode_rows(encoder, TEMPLATE, ROWS, 512, merge=True)
    alone = encode_rows(encoder, TEMPLATE, ROWS, 512)
    assert (len(together.items), len(alone.items)) == (2, 5)

    def kind(**options: Any) -> AnswerTrainer:
        if not online:
            return AnswerTrainer(**options)
        view = model_view(build_tiny_model(tmp_path / "teacher", hidden=48), "model-teacher")
        teacher = Teacher(load_model(view, None), torch.arange(1024).numpy())  # type: ignore[arg-type]
        return OnlineLogitTrainer(teacher, MethodParams(method="online_logit", teacher="t"), **options)

    trainer = built(kind, tiny_model, together, tmp_path)
    loss, gradient = loss_and_gradient(trainer, together)
    expected, expected_gradient = loss_and_gradient(trainer, alone)
    assert loss == pytest.approx(expected, rel=1e-5)
    assert torch.allclose(gradient, expected_gradient, atol=1e-6)


def test_a_fine_tuning_learns_conversations_in_fewer_sequences(tiny_model: Path, tmp_path: Path) -> None:
    rows = [row for number in range(8) for row in conversation(f"c{number}")]
    data = _dataset(tmp_path / "d", rows)
    ctx = MemoryContext(tmp_path / "job", [model_view(tiny_model), data])
    params = finetune.FinetuneParams(model="model-m1", data=data.id, epochs=1, batch_size=4)
    made = finetune.STAGE.run(params, ctx)
    assert made.metrics["steps"] == 2
    said = [str(event.get("message", event.get("text", ""))) for event in ctx.events if event["event"] == "log"]
    assert any("16 answers are learned within the sequence of a later turn" in line for line in said)


def _dataset(folder: Path, rows: list[Row]) -> ArtifactView:
    folder.mkdir()
    write_template(folder, TEMPLATE)
    write_split(folder, "train", rows)
    write_split(folder, "validation", rows[:6])
    return dataset_view(folder)
