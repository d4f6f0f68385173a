"""A tiny model in ONNX with room for adapters, and LoRA adapters of it."""

from __future__ import annotations

from pathlib import Path

from backend.data.dataset import DataFolder, write_template
from backend.ml.compression.adapter_slots import add_slots
from tests.helpers import tiny_dataset
from tests.onnx_models import SCALE, build_lively_model


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
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    write_template(folder, DataFolder(base.parent / "data").template)
    return folder
