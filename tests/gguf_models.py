"""Real GGUF files of the tiny Llama, whole or in parts, as llama.cpp's converter writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write_gguf(model: Path, file: Path, license: str = "mit", tensors_each: int = 0) -> list[Path]:
    """The Llama of the folder `model` as a GGUF file with float32 weights; in parts of `tensors_each` tensors. The files."""
    from gguf import GGUFWriter
    from safetensors.numpy import load_file
    from transformers import AutoConfig

    config: Any = AutoConfig.from_pretrained(model)
    writer = GGUFWriter(file, "llama", split_max_tensors=tensors_each)
    writer.add_name("Tiny")
    if license:
        writer.add_license(license)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    _add_tokenizer(writer, model)
    for name, tensor in load_file(model / "model.safetensors").items():
        heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
        turned = next((_permuted(tensor, count) for part, count in heads.items() if part in name), tensor)
        writer.add_tensor(_gguf_name(name), turned)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return sorted(file.parent.glob(f"{file.stem}*.gguf"))


def _add_tokenizer(writer: Any, model: Path) -> None:
    from gguf import TokenType
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(model)
    words = sorted(tokenizer.get_vocab().items(), key=lambda pair: pair[1])
    special = set(tokenizer.all_special_tokens) | {"<|endoftext|>"}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([word for word, _ in words])
    writer.add_token_types([TokenType.CONTROL if word in special else TokenType.NORMAL for word, _ in words])
    merges = json.loads((model / "tokenizer.json").read_text("utf-8"))["model"]["merges"]
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokenizer.chat_template)


def _permuted(weights: Any, heads: int) -> Any:
    """Rows of queries and keys in llama.cpp's order of rotary halves."""
    rows, columns = weights.shape
    return weights.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _gguf_name(name: str) -> str:
    short = {
        "model.embed_tokens": "token_embd",
        "model.norm": "output_norm",
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
        "post_attention_layernorm": "ffn_norm",
        "input_layernorm": "attn_norm",
        "model.layers": "blk",
    }
    for long, new in short.items():
        name = name.replace(long, new)
    return name
