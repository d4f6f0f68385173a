"""A cut student is its teacher's layers, and an adapter adds up with its base."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from backend.ml.compression.prune import freeze_embeddings, prune_layers
from backend.ml.inference.load import load_model
from tests.helpers import build_tiny_model, model_view

pytestmark = pytest.mark.ml


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("deep") / "m", layers=5)


def load(folder: Path) -> torch.nn.Module:
    return load_model(model_view(folder), lambda ref: model_view(folder))


def test_student_has_the_teachers_weights_and_survives_saving(deep: Path, tmp_path: Path) -> None:
    teacher, student = load(deep), prune_layers(load(deep), [0, 2, 4])
    for mine, theirs in ((0, 0), (1, 2), (2, 4)):
        for name, weight in student.model.layers[mine].state_dict().items():
            assert torch.equal(weight, teacher.model.layers[theirs].state_dict()[name])
    assert torch.equal(student.model.embed_tokens.weight, teacher.model.embed_tokens.weight)
    student.save_pretrained(tmp_path / "student")
    ids = torch.arange(12)[None]
    again = load(tmp_path / "student")
    assert again.config.num_hidden_layers == 3
    torch.testing.assert_close(again(ids).logits, student(ids).logits)
    cached = again.generate(ids, max_new_tokens=4, do_sample=False, use_cache=True)
    assert torch.equal(cached, again.generate(ids, max_new_tokens=4, do_sample=False, use_cache=False))


def test_frozen_embeddings_leave_the_layers_to_train(deep: Path) -> None:
    model = load(deep)
    freeze_embeddings(model)
    trained = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert trained and not any("embed" in name or "lm_head" in name for name in trained)
