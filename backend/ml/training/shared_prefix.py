"""The beginning that all rows of a batch share (system prompt, role marks) is computed once, with its gradient.

Exact: causal attention sees the same keys and values. On short labelled rows a third of all tokens are shared.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint
from transformers.cache_utils import DynamicCache, DynamicLayer

from backend.data.encoding import IGNORE_INDEX
from backend.ml.training.layer_reuse import LayerReuse
from backend.training.params import HEAD_POSITIONS

_MIN_SHARED_TOKENS = 4  # tokens


def answer_hidden_states(
    causal: Any, inputs: dict[str, Any], reuse: LayerReuse | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """The hidden states (positions, hidden) that predict the answers' tokens, and these tokens (positions), row by row."""
    labels = inputs["labels"]
    first_answer = int((labels != IGNORE_INDEX).any(dim=0).long().argmax())
    with reuse.batch(inputs["input_ids"], inputs["attention_mask"]) if reuse else nullcontext():
        hidden, skipped = hidden_states(causal, inputs, first_answer)
    labels = labels[:, skipped + 1 :]
    asked = labels != IGNORE_INDEX
    return hidden[:, :-1][asked], labels[asked]


def head_logits(causal: Any, hidden: torch.Tensor) -> torch.Tensor:
    """The logits (positions, vocabulary) of last hidden states, with what some architectures do after the head: Granite
    divides, Cohere multiplies, Gemma caps."""
    logits, config = causal.get_output_embeddings()(hidden), causal.config
    if scaling := getattr(config, "logits_scaling", None):
        logits = logits / scaling
    if scale := getattr(config, "logit_scale", None):
        logits = logits * scale
    if cap := getattr(config, "final_logit_softcapping", None):
        logits = cap * torch.tanh(logits / cap)
    return logits


def head_loss(causal: Any, hidden: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Sum of the negative log-likelihood (nats) of `labels` (positions) by last hidden states (positions, hidden size).

    The logits of all positions of a batch of long answers would be its largest tables by far (4,096 tokens and a vocabulary of
    49,152: 0.8 GB each, and several of them), so the head runs on HEAD_POSITIONS at a time, and again in the backward pass.
    """
    if len(labels) <= HEAD_POSITIONS:
        return _nll(causal, hidden, labels)
    parts = zip(hidden.split(HEAD_POSITIONS), labels.split(HEAD_POSITIONS), strict=True)
    return torch.stack([checkpoint(_nll, causal, *part, use_reentrant=False) for part in parts]).sum()


def _nll(causal: Any, hidden: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return cross_entropy(head_logits(causal, hidden).float(), labels, reduction="sum")


def hidden_states(causal: Any, inputs: dict[str, Any], first_answer: int) -> tuple[torch.Tensor, int]:
    """Last hidden states (rows, length - skipped, hidden) of the batch, and the number of leading positions `skipped`.

    `first_answer` is the first position with a label: the states that predict labels are never skipped.
    """
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    core = causal.base_model
    shared = _shared_prefix_length(ids, first_answer) if _cacheable(causal, ids) else 0
    if shared < _MIN_SHARED_TOKENS:
        return core(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state, 0
    cache = core(
        input_ids=ids[:1, :shared], attention_mask=mask[:1, :shared], past_key_values=DynamicCache(), use_cache=True
    ).past_key_values
    cache.batch_repeat_interleave(ids.shape[0])
    states = core(
        input_ids=ids[:, shared:], attention_mask=mask, past_key_values=cache, use_cache=True
    ).last_hidden_state
    return states, shared


def _shared_prefix_length(ids: torch.Tensor, first_answer: int) -> int:
    same = (ids == ids[:1]).all(dim=0)
    return min(int(same.long().cumprod(0).sum()), first_answer - 1)


def _cacheable(causal: Any, ids: torch.Tensor) -> bool:
    """Plain full attention only: sliding windows and state-space layers keep other caches."""
    if ids.shape[0] < 2 or causal.is_gradient_checkpointing:
        return False
    layers = DynamicCache(config=causal.config).layers
    return bool(layers) and all(type(layer) is DynamicLayer for layer in layers)
