"""Turns GGUF files into a plain Hugging Face folder: `python -m backend.ml.inference.gguf FOLDER FILE...`.

transformers reads whole files only, so the parts of a split model are joined first. The tokenizer's end of turn is set as end
of sequence everywhere, and traces of where the file came from are removed.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from gguf import GGUFReader, GGUFValueType, GGUFWriter, Keys
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, GgufConfig

from backend.core.errors import StudioError
from backend.ml.inference.weight_check import refuse_random

_BLOCK = re.compile(r"blk\.(\d+)\.")
_LOCAL_KEYS = ("is_local", "local_files_only", "name_or_path", "_name_or_path", "_model_name_or_path", "gguf_file")


def convert(file: Path, folder: Path) -> None:
    """Write config, float32 safetensors, tokenizer, chat template and generation config of `file` into `folder`. Raises
    StudioError for a file whose tensors can't be those of the model."""
    blocks = sound_blocks(file)
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
    if blocks > (
        layers := model.config.num_hidden_layers
    ):  # transformers leaves out what the metadata does not speak of
        raise StudioError("gguf.layers", file=file.name, blocks=blocks, layers=layers)
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


def sound_blocks(file: Path) -> int:
    """How many layers a file has tensors of. Raises StudioError where tensors overlap or end beyond the file."""
    try:
        tensors = GGUFReader(file).tensors
    except ValueError:  # it can't even cut them out
        raise StudioError("gguf.tensors", file=file.name) from None
    end = 0
    for each in sorted(tensors, key=lambda each: each.data_offset):
        if each.data_offset < end:
            raise StudioError("gguf.tensors", file=file.name)
        end = each.data_offset + each.n_bytes
    if end > file.stat().st_size:
        raise StudioError("gguf.tensors", file=file.name)
    return 1 + max((int(found[1]) for each in tensors if (found := _BLOCK.match(each.name))), default=-1)


def convert_parts(parts: Sequence[Path], folder: Path) -> None:
    """The same of a split model; its parts in order."""
    with TemporaryDirectory(dir=folder.parent, prefix="joined-") as place:
        whole = Path(place, parts[0].name)
        join(parts, whole)
        convert(whole, folder)


def join(parts: Sequence[Path], whole: Path) -> None:
    """Write one GGUF file with what the first part says and the tensors of all, their bytes as they are."""
    readers = [GGUFReader(part) for part in parts]
    said = readers[0].fields
    writer = GGUFWriter(whole, said[Keys.General.ARCHITECTURE].contents(), endianess=readers[0].endianess)
    writer.data_alignment = readers[0].alignment
    for name, field in said.items():
        content = field.contents()
        if not name.startswith(("GGUF.", "split.")) and name != Keys.General.ARCHITECTURE and content != []:
            kind = field.types[0]
            sub_type = field.types[-1] if kind == GGUFValueType.ARRAY else None
            writer.add_key_value(name, content, kind, sub_type=sub_type)
    tensors = [tensor for reader in readers for tensor in reader.tensors]
    for each in tensors:
        writer.add_tensor_info(each.name, each.data.shape, each.data.dtype, each.data.nbytes, each.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for each in tensors:
        writer.write_tensor_data(each.data)
    writer.close()


def _drop_local(file: Path) -> None:
    content = {key: value for key, value in json.loads(file.read_text("utf-8")).items() if key not in _LOCAL_KEYS}
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    target, *files = map(Path, sys.argv[1:])
    try:
        convert_parts(files, target) if files[1:] else convert(files[0], target)
    except StudioError as error:
        sys.exit(error.text())
