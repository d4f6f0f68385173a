"""Several answers at once on torch weights: their tokens in turn, each with a cache of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache

from backend.core.schemas import ArtifactView
from backend.inference.protocol import Lookup
from backend.ml.inference.load import load_model

CHUNK = 128
"""Tokens of a prompt that are read at once: other answers go on in between."""


class Reading:
    """A prompt while it is read."""

    def __init__(self, rows: TorchRows, ids: Sequence[int]) -> None:
        self.length = 0
        self.cache = DynamicCache()
        self._rows = rows
        self._left = list(ids)

    def step(self) -> Any:
        """Read the next CHUNK tokens: the logits after the last one, [vocabulary], or None while there are more."""
        part, self._left = self._left[:CHUNK], self._left[CHUNK:]
        self.length += len(part)
        logits = self._rows.forward(part, self.cache)
        return None if self._left else logits


class TorchRows:
    """`view`: an artifact of kind model or adapter; `lookup` finds the base of an adapter."""

    def __init__(self, view: ArtifactView, lookup: Lookup) -> None:
        self._model: Any = load_model(view, lookup, merged=True).eval()
        config = self._model.config.get_text_config()
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self._bytes = 2 * config.num_hidden_layers * heads * size * self._model.dtype.itemsize
        self._caches: list[Any] = []
        self.lengths: list[int] = []

    def bytes_for(self, lengths: Sequence[int]) -> int:
        """Memory of keys and values for rows of these lengths."""
        return sum(lengths) * self._bytes

    def read(self, ids: Sequence[int]) -> Reading:
        return Reading(self, ids)

    def join(self, reading: Reading) -> None:
        """A prompt that was read becomes the last row."""
        self._caches.append(reading.cache)
        self.lengths.append(reading.length)

    def step(self, tokens: Sequence[int]) -> Any:
        """One more token for each row: the logits after it, [rows, vocabulary]."""
        self.lengths = [length + 1 for length in self.lengths]
        return [self.forward([token], cache) for token, cache in zip(tokens, self._caches, strict=True)]

    def drop(self, at: int) -> None:
        """The last row takes the place of row `at`."""
        for kept in (self._caches, self.lengths):
            kept[at] = kept[-1]
            kept.pop()

    @torch.inference_mode()
    def forward(self, ids: Sequence[int], cache: Any) -> Any:
        """Logits after the last of `ids`; `cache` grows by them."""
        given = torch.tensor([list(ids)], device=self._model.device)
        out = self._model(input_ids=given, past_key_values=cache, use_cache=True, logits_to_keep=1)
        return out.logits[0, -1].float().cpu().numpy()
