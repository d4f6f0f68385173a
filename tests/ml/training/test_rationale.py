"""Steps beside the answers: both tasks weigh what they should, and both are learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from backend.core.schemas import Kind
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder, Row, Template, write_split
from backend.data.encoding import IGNORE_INDEX, EncodedExamples, encode_rationales, encode_rows
from backend.jobs.context import MemoryContext
from backend.ml.inference.load import load_model, tokenizer_of
from backend.ml.training.batches import as_dataset
from backend.ml.training.rationale import rationale_trainer
from backend.ml.training.trainer import _config
from backend.stages import distill, finetune
from backend.training.rationale import RationaleParams
from tests.helpers import dataset_view, model_view, tiny_dataset, view
from tests.stages.test_finetune import made

pytestmark = pytest.mark.ml
LABELS = {"red": "warm", "green": "leaf", "blue": "cold"}


def explained(folder: Path) -> Path:
    """The colours with steps that a model can learn."""
    rows = list(DataFolder(tiny_dataset(folder)).rows("train"))
    about = {row.id: f"the item is {LABELS[row.output or 'red']}" for row in rows}
    write_split(folder, "train", [row.model_copy(update={"rationale": about[row.id]}) for row in rows])
    return folder


def two_tasks(folder: Path) -> EncodedExamples:
    """Three rows of answers of two tokens, two of steps of more."""
    encoder, template = Encoder(folder), Template()
    rows = [Row(id=str(at), input=f"item {at}", output="red", rationale="item thing item thing") for at in range(3)]
    answers, steps = encode_rows(encoder, template, rows, 256), encode_rationales(encoder, template, rows[:2], 256)
    for task, examples in enumerate((answers, steps)):
        for item in examples.items:
            item["rationale"] = task  # type: ignore[assignment]
    return EncodedExamples(answers.items + steps.items)


@pytest.mark.parametrize("picked", [[0, 1, 2], [3, 4], [0, 3], [0, 1, 2, 3, 4]])
def test_a_row_of_steps_weighs_what_was_asked_however_long_it_is(
    picked: list[int], tiny_model: Path, ctx: MemoryContext
) -> None:
    examples, model = two_tasks(tiny_model), load_model(model_view(tiny_model), ctx.input)
    asked = distill.DistillParams(student="m", data="d", rationale="multitask", rationale_weight=0.5)
    make = rationale_trainer(asked, examples)
    assert make
    params = RationaleParams(epochs=1, batch_size=8, learning_rate=1e-3)
    trainer = make(
        model=model,
        args=_config(params, 0, ctx.dir, 5, False),
        train_dataset=as_dataset(examples),
        processing_class=tokenizer_of(tiny_model),
    )
    trainer.accelerator.native_amp = False
    batch = trainer.data_collator([examples.items[at] for at in picked])
    count = trainer._get_num_items_in_batch([batch], torch.device("cpu"))
    mine = trainer.compute_loss(model, dict(batch), num_items_in_batch=count)
    each = [(1.0, 0.5)[examples.items[at]["rationale"] == 1] * loss(model, examples.items[at]) for at in picked]
    assert mine.item() == pytest.approx(sum(each) / len(each), abs=2e-2)


def loss(model: Any, item: dict[str, Any]) -> float:
    """Mean over the tokens of one row's answer."""
    ids, labels = torch.tensor([item["input_ids"]]), torch.tensor(item["labels"])[1:]
    with torch.inference_mode():
        logits = model(input_ids=ids).logits[0, :-1]
    return float(functional.cross_entropy(logits[labels != IGNORE_INDEX], labels[labels != IGNORE_INDEX]))


def test_both_tasks_are_learned_and_the_answer_comes_at_once(tiny_model: Path, tmp_path: Path) -> None:
    inputs = [model_view(tiny_model), dataset_view(explained(tmp_path / "data"))]
    data, encoder = DataFolder(inputs[1].path), Encoder(tiny_model)
    rows = list(data.rows("train"))[:6]
    tasks = [encode_rows(encoder, data.template, rows, 256), encode_rationales(encoder, data.template, rows, 256)]
    ctx = MemoryContext(tmp_path / "job", inputs)
    given = {"student": inputs[0].id, "data": inputs[1].id, "rationale": "multitask", "evaluate_rows": 6}
    given |= {"epochs": 12, "batch_size": 8, "learning_rate": 0.01, "train_embeddings": "always"}
    distill.STAGE.run(distill.STAGE.parse(given), ctx)
    path, manifest = made(ctx)
    student = view(path, Kind.MODEL, "s", **manifest["facts"])
    before, after = (load_model(each, ctx.input) for each in (inputs[0], student))
    for task in tasks:
        assert sum(loss(before, item) for item in task.items) / 6 > 5
        assert sum(loss(after, item) for item in task.items) / 6 < 1.5
    assert manifest["facts"]["template"]["user"] == "{input}"


def test_an_adapter_learns_them_too(tiny_model: Path, tmp_path: Path) -> None:
    inputs = [model_view(tiny_model), dataset_view(explained(tmp_path / "data"))]
    ctx = MemoryContext(tmp_path / "job", inputs)
    given = {"model": inputs[0].id, "data": inputs[1].id, "rationale": "multitask", "accumulation": 2}
    finetune.STAGE.run(finetune.STAGE.parse({**given, "max_steps": 8, "batch_size": 8, "learning_rate": 0.02}), ctx)
    said = [event["text"] for event in ctx.events if event["event"] == "log"]
    assert any("30 of 30 rows have steps" in text for text in said)
    losses = [e["value"] for e in ctx.events if e["event"] == "metric" and e["name"] == "loss"]
    assert sum(losses[-3:]) < sum(losses[:3])
