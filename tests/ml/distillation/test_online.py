"""A teacher in memory: its scores are those of a capture, only the student learns, from its own words where that is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from backend.core.schemas import ArtifactView
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder
from backend.data.encoding import IGNORE_INDEX, EncodedExamples, encode_rows
from backend.inference.sampler import Sampler
from backend.jobs.context import MemoryContext
from backend.ml.distillation import offline
from backend.ml.distillation.online import OnlineLogitTrainer, OnPolicyTrainer, Teacher, collate, sample_answers
from backend.ml.distillation.shards import Array
from backend.ml.inference.load import load_model, tokenizer_of
from backend.ml.training.batches import as_dataset
from backend.ml.training.trainer import _config
from backend.training.captures import LogitParams
from backend.training.methods import MethodParams
from backend.training.rationale import RationaleParams
from tests.helpers import build_tiny_model, dataset_view, model_view, tiny_dataset
from tests.stages.test_capture import take

pytestmark = pytest.mark.ml
PARAMS = RationaleParams(epochs=1, batch_size=6, learning_rate=1e-3, accumulation=2)
SAME = torch.arange(1024).numpy()


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[ArtifactView]:
    """A teacher and the rows."""
    folder = tmp_path_factory.mktemp("in")
    teacher = model_view(build_tiny_model(folder / "teacher", hidden=48), "model-teacher")
    return [teacher, dataset_view(tiny_dataset(folder / "data"))]


def examples_of(model: Path, data: ArtifactView) -> EncodedExamples:
    folder = DataFolder(data.path)
    return encode_rows(Encoder(model), folder.template, folder.rows("train"), 256)


def built(kind: Any, model: Path, examples: EncodedExamples, folder: Path) -> Any:
    trainer = kind(
        model=load_model(model_view(model), None),  # type: ignore[arg-type]
        args=_config(PARAMS, 5, folder, len(examples.items), False),
        train_dataset=as_dataset(examples),
        processing_class=tokenizer_of(model),
    )
    trainer.accelerator.native_amp = False
    trainer.model.train()
    return trainer


def teacher_of(inputs: list[ArtifactView], ids: Array = SAME) -> Teacher:
    return Teacher(load_model(inputs[0], None), ids)  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "temperature"), [("forward_kl", 2.0), ("reverse_kl", 1.0), ("jsd", 2.0)])
def test_its_loss_is_that_of_a_capture_of_every_token(
    kind: str, temperature: float, tiny_model: Path, inputs: list[ArtifactView], tmp_path: Path
) -> None:
    from functools import partial

    held, _ = take(tmp_path / "c", inputs, keep_all=True)
    examples, student = examples_of(tiny_model, inputs[1]), model_view(tiny_model)
    asked: dict[str, Any] = {"kl_weight": 0.7, "temperature": temperature, "divergence": kind}
    ctx = MemoryContext(tmp_path / "job", [*inputs, held])
    make = offline.make_trainer(LogitParams(capture=held.id, **asked), student, inputs[1], examples, ctx)
    captured = built(make, tiny_model, examples, tmp_path)
    params = MethodParams(method="online_logit", teacher=inputs[0].id, **asked)
    teacher = teacher_of(inputs)
    live = built(partial(OnlineLogitTrainer, teacher, params), tiny_model, examples, tmp_path)
    batch = captured.data_collator(examples.items[:6])
    one, other = (each.compute_loss(each.model, dict(batch)) for each in (captured, live))
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    one.backward()
    other.backward()
    for mine, theirs in zip(live.model.parameters(), captured.model.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, atol=1e-5, rtol=1e-4)
        assert mine.grad is not None and mine.grad.abs().sum() > 0
    assert all(weight.grad is None and not weight.requires_grad for weight in teacher.model.parameters())
    batch.pop("row")
    with torch.no_grad():  # validation: the answer alone, as on every method
        assert float(live.compute_loss(live.model, dict(batch))) == pytest.approx(
            float(captured.compute_loss(captured.model, dict(batch)))
        )


def test_what_it_says_is_drawn_by_its_own_probabilities(tiny_model: Path, inputs: list[ArtifactView]) -> None:
    """Against a plain pass over the whole text for every token."""
    model = load_model(model_view(tiny_model), None)  # type: ignore[arg-type]
    model.get_output_embeddings().weight.data *= 20  # sharper than chance
    encoder = Encoder(tiny_model)
    prompt = examples_of(tiny_model, inputs[1]).items[0]["input_ids"][:20]
    (said,) = sample_answers(model, encoder, [prompt], 12, seed=3)
    sampler, ids = Sampler(1.0, seed=[3, 0]), list(prompt)
    with torch.inference_mode():
        while len(ids) < len(prompt) + 12 and (len(ids) == len(prompt) or ids[-1] != 2):
            ids.append(sampler(model(torch.tensor([ids])).logits[0, -1].numpy()))
    assert said == ids[len(prompt) :]


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_batches_hold_the_students_own_answers_and_their_loss_is_the_teachers(
    share: float, tiny_model: Path, inputs: list[ArtifactView], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functools import partial

    examples = examples_of(tiny_model, inputs[1])
    asked = MethodParams(method="on_policy", teacher=inputs[0].id, own_share=share, own_tokens=7, kl_weight=0.4)
    make = partial(OnPolicyTrainer, Encoder(tiny_model), 512, teacher_of(inputs), asked)
    seen: list[dict[str, Any]] = []
    losses: list[tuple[float, float]] = []
    teacher_distance, step = OnPolicyTrainer.teacher_distance, OnPolicyTrainer.training_step

    def heard(self: Any, logits: Any, batch: dict[str, Any]) -> Any:
        seen.append({**batch, "own": self.own})
        found = teacher_distance(self, logits, batch)
        seen[-1]["apart"] = float(found) / len(logits)
        return found

    def stepped(self: Any, *given: Any) -> Any:
        loss = step(self, *given)
        losses.append((float(loss), seen[-1]["apart"]))
        return loss

    monkeypatch.setattr(OnPolicyTrainer, "teacher_distance", heard)
    monkeypatch.setattr(OnPolicyTrainer, "training_step", stepped)
    trainer = built(make, tiny_model, examples, tmp_path)
    trainer.train()
    gold = {tuple(item["input_ids"]) for item in examples.items}
    prompts = {tuple(item["input_ids"][: item["labels"].count(IGNORE_INDEX)]) for item in examples.items}
    assert {batch["own"] for batch in seen} == ({True} if share == 1 else {True, False})
    added_up = [2, 2, 2, 2, 1]  # five batches, of which the last stands alone
    for batch, (loss, divergence), share_of in zip(seen, losses, added_up, strict=True):
        for ids, labels, mask in zip(batch["input_ids"], batch["labels"], batch["attention_mask"], strict=True):
            row, asks = ids[mask == 1], labels[mask == 1] == IGNORE_INDEX
            assert tuple(row[asks].tolist()) in prompts
            if batch["own"]:
                assert 1 <= int((~asks).sum()) <= 7
            assert (tuple(row.tolist()) in gold) != batch["own"]
        assert (loss == pytest.approx(divergence / share_of, rel=1e-4)) == batch["own"]


def test_a_batch_is_padded_behind_its_rows() -> None:
    batch = collate([[5, 6, 7], [8, 9]], [2, 1], "cpu")
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 9, 0]]
    assert batch["labels"].tolist() == [[IGNORE_INDEX, IGNORE_INDEX, 7], [IGNORE_INDEX, 9, IGNORE_INDEX]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]
