"""Turns a GGUF file into a plain Hugging Face folder: `python -m backend.ml.inference.gguf FILE FOLDER`.

The tokenizer's end of turn is set as end of sequence everywhere, and traces of where the file came from are removed.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, GgufConfig

from backend.ml.inference.weight_check import refuse_random

_LOCAL_KEYS = ("is_local", "local_files_only", "name_or_path", "_name_or_path", "_model_name_or_path", "gguf_file")


def convert(file: Path, folder: Path) -> None:
    """Write config, float32 safetensors, tokenizer, chat template and generation config of `file` into `folder`."""
    place: dict[str, str] = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    tokenizer = AutoTokenizer.from_pretrained(**place, local_files_only=True, trust_remote_code=False)
    loaded: Any = AutoModelForCausalLM.from_pretrained(
        **place,
        output_loading_info=True,
        dtype=torch.float32,
        quantization_config=GgufConfig(dequantize=True),
        local_files_only=True,
        trust_remote_code=False,
    )
    model, info = loaded
    refuse_random(info, file.name)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    tokenizer.model_max_length = model.config.max_position_embeddings
    ends = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    model.config.update(ends)
    model.generation_config = GenerationConfig(**ends)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for name in ("config.json", "tokenizer_config.json", "generation_config.json"):
        _drop_local(folder / name)
    for notice in file.parent.parent.glob(f"{file.parent.name}-*.dist-info/LICENSE"):
        shutil.copyfile(notice, folder / "LICENSE")


def _drop_local(file: Path) -> None:
    content = {key: value for key, value in json.loads(file.read_text("utf-8")).items() if key not in _LOCAL_KEYS}
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
