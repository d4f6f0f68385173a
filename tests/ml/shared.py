"""A tiny model in ONNX with room for adapters, LoRA adapters of it, and the exporter with the studio's patches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.data.dataset import DataFolder, write_template
from backend.ml.compression.adapter_slots import add_slots
from tests.helpers import tiny_dataset
from tests.onnx_models import SCALE, build_lively_model


@contextmanager
def patched_builder() -> Iterator[Any]:
    """The exporter's module with the patches, which are taken off again."""
    from onnxruntime_genai.models import builder

    from backend.ml.compression.builder_patches import patch_builder

    classes = [builder.Model, builder.SmolLM3Model, builder.HunyuanDenseV1Model]
    before = dict(vars(builder)), [dict(vars(each)) for each in classes]
    patch_builder(builder)
    try:
        yield builder
    finally:
        vars(builder).update(before[0])
        for each, attributes in zip(classes, before[1], strict=True):
            for name, value in vars(each).copy().items():
                if name not in attributes:
                    delattr(each, name)
                elif attributes[name] is not value:
                    setattr(each, name, attributes[name])


def build_base(folder: Path) -> Path:
    build_lively_model(folder, hidden=64, scale=SCALE)
    write_template(folder, DataFolder(tiny_dataset(folder.parent / "data")).template)
    return folder


def build_shared(base: Path, folder: Path, precision: str = "fp32", room: bool = True) -> Path:
    from onnxruntime_genai.models.builder import create_model

    options = {"hf_remote": "false", "hf_token": "false", "disable_qkv_fusion": True, "int4_block_size": 32}
    create_model(None, str(base), str(folder), precision, "cpu", str(folder.parent / "cache"), **options)
    if room:
        assert add_slots(folder) == 3 * 7
    return folder


def build_adapter(
    base: Path, folder: Path, rank: int = 4, seed: int = 1, targets: str | list[str] = "all-linear"
) -> Path:
    """An adapter that changes answers: its second matrices are not zero as at the beginning of a training."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(seed)
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=targets, task_type="CAUSAL_LM")
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), config)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "lora_B" in name:
                weights.normal_(0, 0.3)
    model.save_pretrained(str(folder))
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    write_template(folder, DataFolder(base.parent / "data").template)
    return folder
