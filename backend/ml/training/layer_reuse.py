"""Where only the last layers learn, what the frozen ones below give for a row is the same in every epoch: it is computed once,
kept in a file and read again.

Exact but for the rounding of float32: nothing below the first layer that learns changes or drops out.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers.cache_utils import Cache

from backend.core.stage import Context


class LayerReuse:
    """Outputs of the layers below `first`, for at most `tokens` tokens of different rows.

    Raises OSError where the disk has no room for them.
    """

    def __init__(self, layers: torch.nn.ModuleList, first: int, hidden: int, tokens: int, folder: Path) -> None:
        self._kept = _on_disk(folder, tokens, hidden)
        self._places: dict[bytes, int] = {}
        self._used = 0
        self._given: torch.Tensor | None = None  # (rows, length, hidden) of the batch at work
        self._at = 0
        self._seen: list[torch.Tensor] | None = None
        self._tuples = False
        for index in range(first):
            layer = layers[index]
            layer.forward = partial(self._lower, layer.forward, index)
        layers[first].register_forward_pre_hook(self._enter, with_kwargs=True)

    @contextmanager
    def batch(self, ids: torch.Tensor, mask: torch.Tensor) -> Iterator[None]:
        """Around one pass of these rows (rows, length), whose padding is on the right; a shared beginning may go first."""
        lengths = mask.sum(dim=1).tolist()
        keys = [row[:length].cpu().numpy().tobytes() for row, length in zip(ids, lengths, strict=True)]
        if all(key in self._places for key in keys):
            rows = [
                self._kept[self._places[key] : self._places[key] + length]
                for key, length in zip(keys, lengths, strict=True)
            ]
            self._given, self._at = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True).to(ids.device), 0
        else:
            self._seen = []
        try:
            yield
            if self._seen:
                self._keep(keys, lengths)
        finally:
            self._given = self._seen = None

    def _keep(self, keys: list[bytes], lengths: list[int]) -> None:
        assert self._seen
        parts = [part.expand(len(keys), -1, -1) for part in self._seen]
        for index, (key, length) in enumerate(zip(keys, lengths, strict=True)):
            if key in self._places or self._used + length > len(self._kept):
                continue
            self._kept[self._used : self._used + length] = torch.cat([part[index] for part in parts])[:length]
            self._places[key] = self._used
            self._used += length

    def _lower(self, forward: Any, index: int, hidden: torch.Tensor, *given: Any, **named: Any) -> Any:
        """In place of a layer below the first that learns."""
        if self._given is None:
            out = forward(hidden, *given, **named)
            self._tuples = isinstance(out, tuple)
            return out
        for cache in [each for each in (*given, *named.values()) if isinstance(each, Cache)][:1]:
            nothing = hidden.new_zeros(len(hidden), 1, hidden.shape[1], 1)  # so that it counts these positions
            cache.update(nothing, nothing, index)
        return (hidden,) if self._tuples else hidden

    def _enter(self, _layer: Any, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Before the first layer that learns."""
        hidden = given[0] if given else named["hidden_states"]
        if self._seen is not None:
            self._seen.append(hidden.detach())
        if self._given is None:
            return None
        rows, length, _hidden = hidden.shape
        stored = self._given[:rows, self._at : self._at + length].to(hidden.dtype)
        self._at += length
        return ((stored, *given[1:]), named) if given else ((), {**named, "hidden_states": stored})


def first_learning_layer(model: Any, layers: torch.nn.ModuleList) -> int:
    """Index of the first layer that learns; 0 where something before the layers learns, or drops out."""
    learning = [index for index, layer in enumerate(layers) if any(p.requires_grad for p in layer.parameters())]
    if not learning:
        return 0
    upper = {id(each) for layer in list(layers)[learning[0] :] for each in layer.modules()}
    upper |= {id(each) for each in model.get_output_embeddings().modules()}
    for module in model.modules():
        if id(module) in upper:
            continue
        own = any(p.requires_grad for p in module.parameters(recurse=False))
        if own or (isinstance(module, torch.nn.Dropout) and module.p > 0):
            return 0
    dropped = (getattr(model.config, name, 0.0) or 0.0 for name in ("attention_dropout", "attn_pdrop"))
    return 0 if any(dropped) else learning[0]


def layers_of(core: Any) -> torch.nn.ModuleList | None:
    """The decoder layers of a model without head, in their order, whatever it calls them."""
    lists = (module for module in core.children() if isinstance(module, torch.nn.ModuleList))
    return next((found for found in lists if len(found) == core.config.num_hidden_layers), None)


def _on_disk(folder: Path, tokens: int, hidden: int) -> torch.Tensor:
    """(tokens, hidden) in float32, in a file that has its room at once and that ends with the process."""
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".layers") as file:
        os.posix_fallocate(file.fileno(), 0, tokens * hidden * 4)
        kept = torch.from_file(file.name, shared=True, size=tokens * hidden, dtype=torch.float32)
    return kept.view(tokens, hidden)


def layer_reuse(model: Any, rows: Sequence[list[int]], passes: float, ctx: Context) -> LayerReuse | None:
    """For a training on these rows (token ids) in `passes` epochs; None where nothing would be read again, or where the disk
    has no room. `model` is the one below an adapter."""
    layers = layers_of(model.base_model)
    first = first_learning_layer(model, layers) if layers is not None else 0
    if layers is None or not first or passes <= 1 or model.is_gradient_checkpointing:
        return None
    try:
        return LayerReuse(layers, first, model.config.hidden_size, sum(map(len, rows)), ctx.dir)
    except OSError:
        ctx.log(
            "No room on the disk for the outputs of the frozen layers: they are computed in every epoch.", "warning"
        )
        return None
