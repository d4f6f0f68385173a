"""What a model takes on a graphics card, in bytes by what holds them. The same sums as `costs`, in the types that a card holds:
frozen weights, activations and autocast copies in bfloat16, all that is trained in float32.

Of torch's and AdamW's own arithmetic; no card has confirmed it yet (benchmarks.md says what has been measured).
"""

from __future__ import annotations

from typing import Any

from backend.models import costs

_CONTEXT = 800_000_000
"""CUDA's context, cuBLAS's workspaces, what the allocator holds back."""
_HALF = 2
_GRADIENT = 4
_QUANTIZED = {4: 0.55, 8: 1.05}
"""Bytes of a weight of the body by its bits, scales counted; the token table and the head stay in 16."""


def training(
    facts: dict[str, Any],
    *,
    trained: int,
    batch_tokens: float,
    positions: float,
    state_bytes: int = 12,
    bits: int = 32,
    frozen: bool = True,
) -> dict[str, int]:
    """Of a training on batches of `batch_tokens` tokens, `positions` of which are scored; `state_bytes`: gradient and
    moments of a parameter; `frozen`: under an adapter, in `bits` bits (32: none but the card's own 16)."""
    parameters = int(facts["parameters"])
    weights = weight_bytes(facts, bits) if frozen else parameters * 4 + trained * _HALF
    parts = {
        "context": _CONTEXT,
        "weights": weights + (trained * 4 if frozen else 0),
        "gradients": trained * _GRADIENT,
        "optimizer": trained * (state_bytes - _GRADIENT),
        "activations": costs.activation_bytes(facts, batch_tokens, _HALF),
        "logits": positions * int(facts["vocabulary"]) * 4 * costs.LOGIT_TABLES,
    }
    return {name: round(size) for name, size in parts.items()}


def reading(facts: dict[str, Any], tokens: float, positions: float) -> dict[str, int]:
    """Of a teacher, in float32, that reads batches of `tokens` tokens, with their keys and values, and scores `positions`."""
    keys = tokens * int(facts["layers"]) * int(facts["hidden_size"]) * 2 * 4
    logits = positions * int(facts["vocabulary"]) * 4 * costs.LOGIT_TABLES
    parts = {"context": _CONTEXT, "weights": int(facts["parameters"]) * 4, "cache": keys, "logits": logits}
    return {name: round(size) for name, size in parts.items()}


def weight_bytes(facts: dict[str, Any], bits: int = 32) -> float:
    """Of weights that do not learn."""
    body, whole = costs.body_size(facts), int(facts["parameters"])
    return body * _QUANTIZED.get(bits, float(_HALF)) + (whole - body) * _HALF
