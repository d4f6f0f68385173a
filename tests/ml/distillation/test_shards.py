"""Shards: nothing but the documented error is lost on the way to the disk and back; the label is always kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from backend.ml.distillation.capture import top_k_logits
from backend.ml.distillation.shards import TopKBlock, pack, read_shard, shard_metadata, unpack, write_shard
from backend.training.captures import Layout

pytestmark = pytest.mark.ml
V = 1000


def block(layout: Layout, labels: torch.Tensor | None = None) -> tuple[torch.Tensor, TopKBlock]:
    logits = 6 * torch.randn(40, V, generator=torch.Generator().manual_seed(0))
    asked = torch.arange(40) if labels is None else labels
    return logits, TopKBlock(*(part.numpy() for part in top_k_logits(logits, asked, layout)))


@pytest.mark.parametrize("width", [2, 3, 4])
@pytest.mark.parametrize("bits", [8, 16, 32])
def test_what_comes_back(width: int, bits: int) -> None:
    _, whole = block(Layout(20, width, bits, (1.0, 2.0)))
    packed = pack(whole, Layout(20, width, bits, (1.0, 2.0)))
    back = unpack(packed)
    assert (back.ids == whole.ids).all() and back.ids.dtype == np.int64
    wrong = np.abs(back.values - whole.values)
    if bits == 32:
        assert wrong.max() == 0
    elif bits == 16:
        assert (wrong <= 2**-11 * np.abs(whole.values) + 1e-6).all() and wrong.max() > 0
    else:
        reach = packed["reach"].astype(np.float64)
        share = np.sqrt(-whole.values / reach)
        assert (wrong <= reach * (2 * share + 1 / 510) / 510 + 1e-5).all() and wrong.max() > 0
    assert np.abs(back.log_norm - whole.log_norm).max() == 0
    assert np.abs(back.log_tail - whole.log_tail).max() < 0.01
    assert sum(array.nbytes for array in packed.values()) == 40 * Layout(20, width, bits, (1.0, 2.0)).token_bytes


def test_probabilities_are_the_teachers_own_at_every_temperature() -> None:
    """The kept ones are not scaled up to 1: with the tail they add up to it."""
    layout = Layout(20, 2, 32, (1.0, 2.0))
    logits, whole = block(layout)
    for at, temperature in enumerate(layout.temperatures):
        chances = (logits / temperature).softmax(dim=1)
        kept = np.exp(whole.values / temperature - whole.log_norm[:, at : at + 1])
        np.testing.assert_allclose(kept, chances.gather(1, torch.from_numpy(whole.ids)).numpy(), rtol=1e-4)
        np.testing.assert_allclose(kept.sum(axis=1) + np.exp(whole.log_tail[:, at]), 1, atol=1e-5)


def test_the_label_is_kept_however_unlikely() -> None:
    logits = 6 * torch.randn(40, V, generator=torch.Generator().manual_seed(0))
    _, whole = block(Layout(5, 2, 8, (1.0,)), logits.argmin(dim=1))
    assert (whole.ids == logits.argmin(dim=1)[:, None].numpy()).any(axis=1).all()
    assert (whole.ids[:, 0] == logits.argmax(dim=1).numpy()).all()


def test_a_token_that_the_teacher_rules_out_is_a_number() -> None:
    logits = torch.zeros(2, V)
    logits[:, 7] = -torch.inf
    layout = Layout(V, 2, 8, (1.0,))
    back = unpack(
        pack(TopKBlock(*(part.numpy() for part in top_k_logits(logits, torch.tensor([7, 7]), layout))), layout)
    )
    assert np.isfinite(back.values).all()


def test_a_shard_that_was_cut_off_counts_as_missing(tmp_path: Path) -> None:
    layout = Layout(5, 2, 8, (1.0,))
    file = tmp_path / "shard-00000.safetensors"
    assert shard_metadata(file) is None
    write_shard(file, pack(block(layout)[1], layout), {"tokens": "40"})
    assert shard_metadata(file) == {"tokens": "40"} and len(read_shard(file)["ids"]) == 40
    assert [each.name for each in tmp_path.iterdir()] == [file.name]
    file.write_bytes(file.read_bytes()[:-1])
    assert shard_metadata(file) is None
