"""What the checks of weights and adapters share: whether numbers are numbers, and how a finding is put into arguments."""

from __future__ import annotations

from typing import Any

import torch

_NAMED = 3
"""Tensors that a sentence names."""


def named(names: list[str]) -> dict[str, Any]:
    """How many, and the first of them, as arguments of a sentence."""
    return {"count": len(names), "names": ", ".join(names[:_NAMED])}


def reason_of(error: Exception) -> str:
    """The first line of what a library says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def finite(tensor: Any) -> bool:
    """Whether all its values are numbers. The sum tells nearly always, without a second table; it may overflow by itself."""
    return bool(torch.isfinite(tensor.sum(dtype=torch.float32))) or bool(torch.isfinite(tensor).all())
