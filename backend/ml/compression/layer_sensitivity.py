"""How much each layer of a model suffers when its weights are rounded: one layer after the other, on a dataset's answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from backend.ml.compression.prune import decoder_layers

_BATCH = 8
PromptAndAnswer = tuple[Sequence[int], Sequence[int]]
"""Ids of a prompt and of its right answer."""


@torch.inference_mode()
def layer_sensitivities(
    model: Any, examples: Sequence[PromptAndAnswer], bits: int, block: int, tick: Callable[[], None]
) -> list[float]:
    """For each layer the forward KL divergence (nats a token) of the model with this layer alone rounded to `bits` in blocks
    of `block` weights from the model as it is, mean over the tokens of the answers of `examples`. `tick` is called once per
    batch. The weights are the same afterwards."""
    batches = [_batch(examples[at : at + _BATCH]) for at in range(0, len(examples), _BATCH)]
    before = [_log_probs(model, batch) for batch in batches]
    found = []
    for layer in decoder_layers(model):
        kept = {linear: linear.weight.data for linear in _linears(layer)}
        for linear, weight in kept.items():
            linear.weight.data = fake_quantize(weight, bits, block)
        try:
            total, count = 0.0, 0
            for batch, real in zip(batches, before, strict=True):
                tick()
                total += float(functional.kl_div(_log_probs(model, batch), real, reduction="sum", log_target=True))
                count += len(real)
            found.append(total / count)
        finally:
            for linear, weight in kept.items():
                linear.weight.data = weight
    return found


def module_names(model: Any, layers: Sequence[int]) -> tuple[str, ...]:
    """Full names of the linear modules in these layers, as Olive's overrides want them."""
    chosen = {id(linear) for at in layers for linear in _linears(decoder_layers(model)[at])}
    return tuple(name for name, module in model.named_modules() if id(module) in chosen)


def fake_quantize(weight: Any, bits: int, block: int) -> Any:
    """`weight` [rows, columns] after rounding to the nearest of 2^bits even steps between the least and the greatest value
    of each block of a row, 0 among them (asymmetric round to nearest, as Olive's Rtn does it)."""
    blocks = weight.reshape(weight.shape[0], -1, block)
    low, high = blocks.amin(dim=-1, keepdim=True).clamp(max=0), blocks.amax(dim=-1, keepdim=True).clamp(min=0)
    most = 2**bits - 1
    scale = ((high - low) / most).clamp(min=1e-9)
    zero = (-low / scale).round()
    return (((blocks / scale).round() + zero).clamp(0, most) - zero).mul(scale).reshape(weight.shape)


def _linears(layer: nn.Module) -> list[nn.Linear]:
    return [module for module in layer.modules() if isinstance(module, nn.Linear)]


def _batch(examples: Sequence[PromptAndAnswer]) -> tuple[Any, Any, Any]:
    """Ids and mask [rows, length], padded on the right, and where the logits of an answer's tokens are."""
    texts = [[*prompt, *answer] for prompt, answer in examples]
    width = max(map(len, texts))
    ids = torch.tensor([text + [0] * (width - len(text)) for text in texts])
    mask = torch.tensor([[at < len(text) for at in range(width)] for text in texts])
    asked = torch.tensor(
        [
            [len(prompt) - 1 <= at < len(text) - 1 for at in range(width)]
            for (prompt, _), text in zip(examples, texts, strict=True)
        ]
    )
    return ids, mask, asked


def _log_probs(model: Any, batch: tuple[Any, Any, Any]) -> Any:
    """Log-probabilities at the answers' tokens, [tokens, vocabulary]; the head works on these positions alone."""
    ids, mask, asked = (part.to(model.device) for part in batch)
    states = model.base_model(input_ids=ids, attention_mask=mask.long(), use_cache=False).last_hidden_state[asked]
    return model.get_output_embeddings()(states).float().log_softmax(dim=-1)
