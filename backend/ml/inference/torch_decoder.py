"""Several sequences at once on torch weights: their tokens in turn, each with a KV cache of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from backend.core.schemas import ArtifactView
from backend.inference.protocol import PREFILL_TOKENS, Lookup
from backend.ml.inference.cache import attends, cache_name, new_cache
from backend.ml.inference.load import load_model


class TorchPrefill:
    """A prompt while it is read."""

    def __init__(self, decoder: TorchDecoder, ids: Sequence[int]) -> None:
        self.length = 0
        self.cache = new_cache(decoder.model)
        self._decoder = decoder
        self._left = list(ids)

    def step(self) -> Any:
        most = PREFILL_TOKENS if self._decoder.in_parts else len(self._left)
        part, self._left = self._left[:most], self._left[most:]
        self.length += len(part)
        logits = self._decoder.forward(part, self.cache)
        return None if self._left else logits


class TorchDecoder:
    """`view`: an artifact of kind model or adapter; `lookup` finds the base of an adapter."""

    def __init__(self, view: ArtifactView, lookup: Lookup) -> None:
        self.model: Any = load_model(view, lookup, merged=True).eval()
        self.context = positions(self.model)
        self.in_parts = attends(self.model)
        self._bytes = _token_bytes(self.model)
        self._cache_name = cache_name(self.model)
        self._caches: list[Any] = []
        self.lengths: list[int] = []

    def bytes_for(self, lengths: Sequence[int]) -> int:
        return sum(lengths) * self._bytes

    def prefill(self, ids: Sequence[int], limit: int) -> TorchPrefill:
        return TorchPrefill(self, ids)

    def join(self, prefill: TorchPrefill) -> None:
        self._caches.append(prefill.cache)
        self.lengths.append(prefill.length)

    def step(self, tokens: Sequence[int]) -> Any:
        self.lengths = [length + 1 for length in self.lengths]
        return [self.forward([token], cache) for token, cache in zip(tokens, self._caches, strict=True)]

    def drop(self, at: int) -> None:
        for kept in (self._caches, self.lengths):
            kept[at] = kept[-1]
            kept.pop()

    @torch.inference_mode()
    def logits(self, ids: Sequence[int], last: int = 0) -> Any:
        """The head is computed for the `last` positions only."""
        read = torch.tensor([list(ids)], device=self.model.device)
        return self.model(input_ids=read, logits_to_keep=last, use_cache=False).logits[0].float().cpu().numpy()

    @torch.inference_mode()
    def forward(self, ids: Sequence[int], cache: Any) -> Any:
        """Logits after the last of `ids`; `cache` grows by them."""
        given = torch.tensor([list(ids)], device=self.model.device)
        out = self.model(input_ids=given, use_cache=True, logits_to_keep=1, **{self._cache_name: cache})
        return out.logits[0, -1].float().cpu().numpy()


def positions(model: Any) -> int:
    """That its embeddings or rotations were made for; 0 where nothing is said, as of a model with states in place of these."""
    return int(getattr(model.config.get_text_config(), "max_position_embeddings", 0) or 0)


def _token_bytes(model: Any) -> int:
    """Of keys and values; a layer without attention keeps none."""
    config = model.config.get_text_config()
    all_heads = getattr(config, "num_attention_heads", None)
    if not all_heads:
        return 0
    heads = getattr(config, "num_key_value_heads", None) or all_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // all_heads
    return int(2 * config.num_hidden_layers * heads * size * model.dtype.itemsize)
