"""Loads models and adapters of the store, from local safetensors only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
from transformers.utils import logging

from backend.core.schemas import ArtifactView, Kind
from backend.ml.inference.device import frozen_dtype
from backend.ml.inference.weight_check import refuse_random

logging.disable_progress_bar()  # a job log is no terminal

Lookup = Callable[[str], ArtifactView]


def load_model(
    view: ArtifactView,
    lookup: Lookup,
    *,
    merged: bool = False,
    dtype: torch.dtype = torch.float32,
    bits: int = 32,
    frozen: bool = False,
) -> Any:
    """The torch model behind an artifact of kind model or adapter, in evaluation mode.

    An adapter comes on its base, which `lookup` finds by id; with `merged` its weights are added to the base's and a
    plain model comes back, all of it trainable. `bits`: 4 (nf4) or 8 for a quantized base, which can't be merged. `frozen`: it
    is to lie below an adapter and does not learn, so that a card may hold it in 16 bits.
    """
    dtype = frozen_dtype() if frozen else dtype
    if view.kind is Kind.MODEL:
        return _plain(view.path, dtype, bits)
    base = load_model(lookup(view.facts["base"]), lookup, merged=True, dtype=dtype, bits=bits)
    from peft import PeftModel  # slow to import, and a plain model does without

    model = PeftModel.from_pretrained(base, str(view.path), local_files_only=True)
    if not merged:
        return model.eval()
    if bits < 32:
        raise ValueError("an adapter on a quantized base can't be merged")
    plain = model.merge_and_unload()
    plain.requires_grad_(True)  # a merged model comes back frozen
    return plain.eval()


def tokenizer_of(folder: Path) -> Any:
    """The transformers tokenizer of a model-like folder; the studio's own ids come from backend.data.chat_template."""
    return AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)


def _plain(folder: Path, dtype: torch.dtype, bits: int) -> Any:
    four_bit = {"bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True, "bnb_4bit_compute_dtype": dtype}
    how: Any = {4: {"load_in_4bit": True, **four_bit}, 8: {"load_in_8bit": True}}.get(bits)
    loaded: Any = AutoModelForCausalLM.from_pretrained(
        str(folder),
        output_loading_info=True,
        dtype=dtype,
        quantization_config=BitsAndBytesConfig(**how) if how else None,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
    )
    model, info = loaded
    refuse_random(info, folder.name)
    _keep_gradients(model)
    return model.eval()


def _keep_gradients(model: Any) -> None:
    """On CPUs with bfloat16 instructions an evaluation would repack 4-bit weights for a kernel without backward
    (`gemv_4bit`), and the training after it would lose its gradients."""
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
