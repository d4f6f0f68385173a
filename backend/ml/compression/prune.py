"""A smaller student from a model: some of its layers and of its tokens, with their weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from backend.core.errors import StudioError


def prune_layers(model: Any, keep: list[int]) -> Any:
    """Keep the decoder layers `keep`, in that order; everything else stays. Changes `model` and returns it. Raises
    StudioError for a model that keeps its layers elsewhere."""
    layers = decoder_layers(model)
    model.base_model.layers = nn.ModuleList(layers[index] for index in keep)
    for position, layer in enumerate(model.base_model.layers):
        attention = getattr(layer, "self_attn", None)
        if attention is not None and hasattr(attention, "layer_idx"):
            attention.layer_idx = position  # the key in the KV cache
    model.config.num_hidden_layers = len(keep)
    kinds = getattr(model.config, "layer_types", None)
    if kinds:
        model.config.layer_types = [kinds[index] for index in keep]
    return model


def decoder_layers(model: Any) -> nn.ModuleList:
    """The decoder layers. Raises StudioError for a model that keeps them elsewhere."""
    layers = getattr(model.base_model, "layers", None)
    if not isinstance(layers, nn.ModuleList):
        raise StudioError("cut.layers", field="keep_layers", architecture=model.config.model_type)
    return layers


def prune_vocabulary(model: Any, kept: list[int]) -> Any:
    """Keep the rows `kept` of the token table and of the output head, in that order, and renumber the special tokens in
    the configs. Changes `model` and returns it."""
    rows = torch.tensor(kept)
    weights = {id(p): p for module in _embedding_modules(model) for p in module.parameters()}  # a tied one once
    with torch.no_grad():
        for weight in weights.values():
            weight[: len(kept)] = weight[rows].clone()
    model.resize_token_embeddings(len(kept))
    new = {old: place for place, old in enumerate(kept)}
    for config in (model.config, model.generation_config):
        for name, ids in _special_token_ids(config):
            value = [new[id_] for id_ in ids if id_ in new]
            setattr(config, name, value if isinstance(getattr(config, name), list) else next(iter(value), None))
    return model


def special_ids(model: Any) -> set[int]:
    """The ids that a model's config and its generation config name: beginning and end of text, padding."""
    return {
        id_
        for config in (model.config, model.generation_config)
        for _, ids in _special_token_ids(config)
        for id_ in ids
    }


def freeze_embeddings(model: Any) -> None:
    """Stop training the token table and the output head: most of a small student's weights, and little of its skill."""
    for module in _embedding_modules(model):
        module.requires_grad_(False)


def _embedding_modules(model: Any) -> list[nn.Module]:
    both = (model.get_input_embeddings(), model.get_output_embeddings())
    return [module for module in both if module is not None]


def _special_token_ids(config: Any) -> list[tuple[str, list[int]]]:
    """`eos_token_id` and the like, each with its ids; what is not set is left out."""
    named = [(name, value) for name, value in config.to_dict().items() if name.endswith("_token_id")]
    return [(name, value if isinstance(value, list) else [value]) for name, value in named if value is not None]
