"""The loss of running text, where every token counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from backend.core.stage import Context
from backend.ml.inference.device import bf16_pays
from backend.ml.training.shared_prefix import answer_hidden_states, head_loss


def text_loss(model: Any, blocks: Sequence[dict[str, list[int]]], batch_size: int, ctx: Context) -> float:
    """Mean negative log-likelihood of a token of blocks of one length (nats), as the model is; 0 without blocks."""
    model.eval()
    losses = []
    for at in range(0, len(blocks), batch_size):
        ctx.raise_if_cancelled()
        ctx.progress(at, len(blocks), "evaluating")
        ids = torch.tensor([block["input_ids"] for block in blocks[at : at + batch_size]], device=model.device)
        with torch.inference_mode(), torch.autocast(ids.device.type, torch.bfloat16, enabled=bf16_pays()):
            hidden, labels = answer_hidden_states(
                model, {"input_ids": ids, "attention_mask": ids.new_ones(ids.shape), "labels": ids}
            )
            losses.append(head_loss(model, hidden, labels))
    return float(sum(losses)) / max(1, sum(len(block["input_ids"]) - 1 for block in blocks))
