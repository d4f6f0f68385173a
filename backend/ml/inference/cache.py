"""What a model keeps of the tokens that it has read: keys and values, or the states of layers without attention."""

from __future__ import annotations

import inspect
from typing import Any

from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

_STATE = "cache_params"
"""What models without any attention (Mamba) call their cache."""


def new_cache(model: Any) -> DynamicCache:
    """An empty one. Layers with attention keep everything, so that rows can be copied and leave; the mask has the window."""
    return DynamicCache() if attends(model) else DynamicCache(config=model.config)


def attends(model: Any) -> bool:
    """Whether all layers keep keys and values. The state of others can't be copied to the rows of a batch, nor be read on
    from in parts."""
    plain = (DynamicLayer, DynamicSlidingWindowLayer)
    return all(type(layer) in plain for layer in DynamicCache(config=model.config).layers)


def cache_name(model: Any) -> str:
    """The argument of the model's `forward` that takes it."""
    return _STATE if _STATE in inspect.signature(model.forward).parameters else "past_key_values"
