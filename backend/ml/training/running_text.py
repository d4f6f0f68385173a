"""Training on blocks of running text, where every token is learned.

The logits of all positions of a batch would be its largest tables by far (8 blocks of 512 tokens and a vocabulary of 49,152:
0.8 GB each, and several of them), so the head runs on some positions at a time, and again in the backward pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

from backend.core.stage import Context
from backend.ml.inference.device import bf16_pays
from backend.ml.training.shared_prefix import answer_hidden_states, head_logits
from backend.ml.training.trainer import AnswerTrainer, base_model_of
from backend.training.texts import HEAD_POSITIONS


class TextTrainer(AnswerTrainer):
    """AnswerTrainer for `backend.data.encoding.pack`."""

    def summed_loss(self, inputs: dict[str, Any]) -> tuple[Any, int]:
        """Of the blocks' tokens."""
        causal = base_model_of(self.model)
        with self.accelerator.autocast():
            hidden, labels = answer_hidden_states(causal, inputs, self.reuse)
            parts = zip(hidden.split(HEAD_POSITIONS), labels.split(HEAD_POSITIONS), strict=True)
            losses = [checkpoint(self._part, causal, *part, use_reentrant=False) for part in parts]
        return torch.stack(losses).sum(), len(labels)

    def _part(self, causal: Any, hidden: Any, labels: Any) -> Any:
        return self.total_loss(head_logits(causal, hidden).float(), labels, {})


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
            parts = zip(hidden.split(HEAD_POSITIONS), labels.split(HEAD_POSITIONS), strict=True)
            losses += [
                cross_entropy(head_logits(model, part).float(), wanted, reduction="sum") for part, wanted in parts
            ]
    return float(sum(losses)) / max(1, sum(len(block["input_ids"]) - 1 for block in blocks))
