"""How much each layer of a model does on a dataset's texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn import functional

from backend.ml.compression.prune import decoder_layers

_BATCH = 8


@torch.inference_mode()
def block_influence(model: Any, texts: Sequence[Sequence[int]], tick: Callable[[], None]) -> list[float]:
    """1 - cosine of the states before and after each layer, mean over all tokens of `texts`: 0 for a layer that changes
    nothing, and more the more it turns what it gets. After "ShortGPT: Layers in Large Language Models are More Redundant
    Than You Expect", Men et al. 2024, arXiv 2403.03853. `tick` is called once per batch of 8 texts."""
    layers = decoder_layers(model)
    totals, count, real = [0.0] * len(layers), 0, torch.tensor([])

    def make_hook(index: int) -> Callable[..., None]:
        def record(_module: Any, given: tuple[Any, ...], named: dict[str, Any], made: Any) -> None:
            before = given[0] if given else named["hidden_states"]
            after = made[0] if isinstance(made, tuple) else made
            totals[index] += float((1 - functional.cosine_similarity(before[real], after[real], dim=-1)).sum())

        return record

    hooks = [layer.register_forward_hook(make_hook(at), with_kwargs=True) for at, layer in enumerate(layers)]
    try:
        for start in range(0, len(texts), _BATCH):
            tick()
            ids, real = _padded(texts[start : start + _BATCH])
            model.base_model(
                input_ids=ids.to(model.device), attention_mask=real.long().to(model.device), use_cache=False
            )
            count += int(real.sum())
    finally:
        for hook in hooks:
            hook.remove()
    return [total / count for total in totals]


def _padded(texts: Sequence[Sequence[int]]) -> tuple[Any, Any]:
    """Ids and which of them are text, each [rows, length], padded on the right."""
    width = max(map(len, texts))
    ids = torch.tensor([[*text, *[0] * (width - len(text))] for text in texts])
    real = torch.tensor([[at < len(text) for at in range(width)] for text in texts])
    return ids, real
