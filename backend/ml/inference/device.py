"""What this machine computes on."""

from __future__ import annotations

import torch


def device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def bf16_pays() -> bool:
    """Whether this machine multiplies in bfloat16 faster: every CUDA card here, and CPUs with AVX512-BF16 or AMX
    (SmolLM2-135M, LoRA, 2 Zen 4 cores: 374 tokens/s instead of 265). Weights stay in float32."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def fp16_pays() -> bool:
    """Whether float16 is what this machine multiplies fast: cards without bfloat16 (before Ampere). Gradients are scaled."""
    return torch.cuda.is_available() and not bf16_pays()


def frozen_dtype() -> torch.dtype:
    """In which a model that does not learn is held below an adapter: 16 bits on a card. On a CPU float32, for the matrices that
    pay are rounded one by one."""
    if not torch.cuda.is_available():
        return torch.float32
    return torch.bfloat16 if bf16_pays() else torch.float16
