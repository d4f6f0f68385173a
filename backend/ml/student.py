"""A smaller student from a model: some of its layers, with their weights, and the same tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from backend.ml.checkpoints import disk_full_told


def cut_layers(model: Any, keep: list[int]) -> Any:
    """Keep the decoder layers `keep`, in that order; everything else stays. Changes `model` and returns it."""
    core = model.base_model
    layers = core.layers
    core.layers = nn.ModuleList(layers[index] for index in keep)
    for position, layer in enumerate(core.layers):
        attention = getattr(layer, "self_attn", None)
        if attention is not None and hasattr(attention, "layer_idx"):
            attention.layer_idx = position  # the key in the KV cache
    model.config.num_hidden_layers = len(keep)
    kinds = getattr(model.config, "layer_types", None)
    if kinds:
        model.config.layer_types = [kinds[index] for index in keep]
    return model


def freeze_embeddings(model: Any) -> None:
    """Stop training the token table and the output head: most of a small student's weights, and little of its skill."""
    for module in (model.get_input_embeddings(), model.get_output_embeddings()):
        if module is not None:
            module.requires_grad_(False)


def save_student(model: Any, out: Path) -> None:
    """Write config and safetensors. Raises StudioError when the disk is full."""
    with disk_full_told(out):
        model.save_pretrained(out)
