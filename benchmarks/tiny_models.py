"""Tiny random models, one per architecture, and rows that they can learn: what goes through the chain.

Only the shape of a config is made up; the classes are transformers' own. A variant (YaRN, LongRoPE, text inside an image
model) is a row of its own where the code that it meets is another.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.core.schemas import ArtifactView, Kind
from backend.data.dataset import Row, Template, write_split, write_template
from backend.data.facts import data_facts

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LABELS = ("red", "green", "blue")
VOCABULARY, HIDDEN, CONTEXT = 640, 64, 512
_COMMON: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": HIDDEN,
    "intermediate_size": 2 * HIDDEN,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": CONTEXT,
    "initializer_range": 0.08,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 2,
}
_HEAD = {"head_dim": 16}
_MOE = {"num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": HIDDEN}
_NO_GQA = {"num_key_value_heads": 4}
_TWO_HEADS = {"num_attention_heads": 2, "num_key_value_heads": 2}
"""Of 32 values: the kernel turns 16 or a multiple of them, and these types turn a part only."""
_MLA = {"q_lora_rank": 32, "kv_lora_rank": 32, "qk_nope_head_dim": 16, "qk_rope_head_dim": 16, "v_head_dim": 16}
_FREQUENCIES = [1.0 + 0.1 * at for at in range(8)]
"""For the half of a head of 32 that is turned."""
_MAMBA = {"mamba_n_heads": 4, "mamba_d_head": 16, "mamba_d_state": 16, "mamba_chunk_size": 16, "mamba_n_groups": 1}
_SSM = {"chunk_size": 16, "num_heads": 4, "head_dim": 32, "state_size": 16, "n_groups": 1}


@dataclass(frozen=True)
class Tiny:
    """`type`: transformers' model_type; `config`: what differs from the common shape; `inside`: the type of the whole model
    when this is the text part of it."""

    type: str
    title: str
    config: dict[str, Any] = field(default_factory=dict)
    inside: str = ""


def _yarn(**more: Any) -> dict[str, Any]:
    scaling = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 128, "rope_theta": 10000.0}
    return {"rope_parameters": {**scaling, **more}}


_LLAMA3: dict[str, Any] = {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
_LLAMA3 |= {"original_max_position_embeddings": 128, "rope_theta": 10000.0}
_STRETCHED: dict[str, Any] = {
    "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0},
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
}
_WINDOWS = _HEAD | {"query_pre_attn_scalar": 16, "sliding_window": 16}
_TYPES = {"layer_types": ["sliding_attention", "full_attention"]}
_LONG: dict[str, Any] = {
    "rope_type": "longrope",
    "type": "longrope",
    "short_factor": _FREQUENCIES,
    "long_factor": _FREQUENCIES,
}
_LONG |= {"rope_theta": 10000.0, "original_max_position_embeddings": 256, "partial_rotary_factor": 0.5}
ROWS: dict[str, Tiny] = {
    "llama": Tiny("llama", "Llama 2, TinyLlama, SmolLM2"),
    "llama3": Tiny("llama", "Llama 3.1, 3.2", {"rope_parameters": _LLAMA3}),
    "llama-yarn": Tiny("llama", "Llama with YaRN", _yarn()),
    "mistral": Tiny("mistral", "Mistral 7B", _HEAD | {"sliding_window": None}),
    "mistral-window": Tiny("mistral", "Mistral with a sliding window", _HEAD | {"sliding_window": 16}),
    "ministral": Tiny("ministral", "Ministral 8B", _HEAD | {"sliding_window": 16}),
    "qwen2": Tiny("qwen2", "Qwen 2, Qwen 2.5, DeepSeek-R1-Distill-Qwen"),
    "qwen3": Tiny("qwen3", "Qwen 3", _HEAD),
    "qwen3_5_text": Tiny("qwen3_5_text", "Qwen 3.5", _HEAD | {"layer_types": ["linear_attention", "full_attention"]}),
    "qwen2_moe": Tiny("qwen2_moe", "Qwen 1.5 MoE", _MOE | {"shared_expert_intermediate_size": HIDDEN}),
    "qwen3_moe": Tiny("qwen3_moe", "Qwen 3 MoE", _MOE | _HEAD),
    "gemma": Tiny("gemma", "Gemma 1, CodeGemma", _HEAD),
    "gemma2": Tiny("gemma2", "Gemma 2", _WINDOWS),
    "gemma3_text": Tiny("gemma3_text", "Gemma 3 1B", _WINDOWS | _TYPES),
    "gemma3": Tiny(
        "gemma3_text",
        "Gemma 3 4B and larger",
        _WINDOWS | _TYPES | {"rope_parameters": _STRETCHED},
        "gemma3",
    ),
    "phi": Tiny("phi", "Phi-1, Phi-1.5, Phi-2", _TWO_HEADS),
    "phi3": Tiny("phi3", "Phi-3 mini 4k, Phi-4 14B", {"original_max_position_embeddings": CONTEXT}),
    "phi3-long": Tiny(
        "phi3",
        "Phi-3 mini 128k, Phi-4-mini",
        _TWO_HEADS | {"rope_parameters": _LONG, "original_max_position_embeddings": 256},
    ),
    "phimoe": Tiny("phimoe", "Phi-3.5-MoE", _MOE),
    "smollm3": Tiny("smollm3", "SmolLM3", {"no_rope_layers": [1, 0]}),
    "granite": Tiny("granite", "Granite 3, Granite 4 dense", {"embedding_multiplier": 2.0, "logits_scaling": 2.0}),
    "granitemoehybrid": Tiny(
        "granitemoehybrid",
        "Granite 4 hybrid",
        {"layer_types": ["mamba", "attention"], "mamba_expand": 1, **_MAMBA, **_MOE},
    ),
    "olmo": Tiny("olmo", "OLMo 1", {"clip_qkv": 1.0}),
    "olmo2": Tiny("olmo2", "OLMo 2"),
    "olmo3": Tiny("olmo3", "OLMo 3", {"sliding_window": 16}),
    "nemotron": Tiny("nemotron", "Nemotron-4, Minitron", {"head_dim": 32}),
    "ernie4_5": Tiny("ernie4_5", "ERNIE 4.5 dense", _HEAD),
    "lfm2": Tiny("lfm2", "LFM2", {"layer_types": ["conv", "full_attention"], "block_auto_adjust_ff_dim": False}),
    "hunyuan_v1_dense": Tiny("hunyuan_v1_dense", "Hunyuan dense", _HEAD),
    "gpt_oss": Tiny("gpt_oss", "gpt-oss", _MOE | _HEAD | {"sliding_window": 16}),
    "mixtral": Tiny("mixtral", "Mixtral", _MOE | _HEAD),
    "gpt2": Tiny("gpt2", "GPT-2, DistilGPT2, DialoGPT"),
    "gpt_bigcode": Tiny("gpt_bigcode", "StarCoder 1, SantaCoder"),
    "gpt_neo": Tiny("gpt_neo", "GPT-Neo, TinyStories", {"attention_types": [[["global", "local"], 1]]}),
    "gpt_neox": Tiny("gpt_neox", "GPT-NeoX, Pythia", {"rotary_pct": 0.25}),
    "gptj": Tiny("gptj", "GPT-J", {"rotary_dim": 8}),
    "opt": Tiny("opt", "OPT", {"ffn_dim": 2 * HIDDEN, "word_embed_proj_dim": HIDDEN}),
    "bloom": Tiny("bloom", "BLOOM, BLOOMZ"),
    "falcon": Tiny("falcon", "Falcon 7B"),
    "falcon_h1": Tiny("falcon_h1", "Falcon-H1", {"mamba_d_ssm": 64, **_MAMBA}),
    "mpt": Tiny("mpt", "MPT", {"d_model": HIDDEN, "n_heads": 4, "n_layers": 2, "max_seq_len": CONTEXT}),
    "stablelm": Tiny("stablelm", "StableLM 2, StableLM Zephyr"),
    "starcoder2": Tiny("starcoder2", "StarCoder 2"),
    "cohere": Tiny("cohere", "Command R", {"logit_scale": 1.0}),
    "cohere2": Tiny("cohere2", "Command R7B", _HEAD | {"logit_scale": 1.0} | {"sliding_window": 16}),
    "glm4": Tiny("glm4", "GLM-4 0414", _HEAD),
    "exaone4": Tiny("exaone4", "EXAONE 4", {"sliding_window": 16, "sliding_window_pattern": 2}),
    "deepseek_v3": Tiny("deepseek_v3", "DeepSeek V3, R1", _MLA | _NO_GQA | {"n_routed_experts": 4, **_MOE}),
    "mamba": Tiny("mamba", "Mamba 1", {"state_size": 8}),
    "mamba2": Tiny("mamba2", "Mamba 2", _SSM),
}
"""The rows of the table in its order: families whose exporter exists first."""


def build(row: Tiny, folder: Path) -> Path:
    """A Hugging Face folder of `row` with random weights and a tokenizer of 640 tokens."""
    import torch
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    fast: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=_tokenizer(), bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|im_end|>"
    )
    fast.chat_template = CHATML
    torch.manual_seed(0)
    auto: Any = AutoModelForCausalLM
    model = auto.from_config(_config(row), attn_implementation="eager")
    with torch.no_grad():  # a frozen head with small weights could not name a token with any certainty
        model.get_output_embeddings().weight.normal_(0, 0.5)
    model.generation_config.pad_token_id = 2
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    if row.inside:
        _put_inside(row.inside, folder)
    return folder


def _config(row: Tiny) -> Any:
    from transformers import AutoConfig

    return AutoConfig.for_model(row.type, **_COMMON | row.config)


def _put_inside(whole: str, folder: Path) -> None:
    """Make the text model in `folder` the text part of an image model, as its makers save it: a nested config, weights under
    `model.language_model.`, and some of another part."""
    import torch
    from safetensors.torch import load_file, save_file

    text = json.loads((folder / "config.json").read_text("utf-8"))
    nested = {"architectures": [], "model_type": whole, "text_config": text, "vision_config": {"hidden_size": 32}}
    (folder / "config.json").write_text(json.dumps(nested), encoding="utf-8")
    weights = load_file(folder / "model.safetensors")
    renamed = {name.replace("model.", "model.language_model.", 1): value for name, value in weights.items()}
    renamed["model.vision_tower.patches.weight"] = torch.zeros(32, 3)
    save_file(renamed, folder / "model.safetensors", {"format": "pt"})


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    words = [*LABELS, "item", "thing", "colour", "system", "user", "assistant"]
    tokenizer.train_from_iterator([f"{a} {b} Name the {c}." for a in words for b in words for c in words], trainer)
    return tokenizer


def build_data(folder: Path, rows: int = 96) -> ArtifactView:
    """A dataset: which colour a sentence begins with."""
    from datetime import UTC, datetime

    folder.mkdir(parents=True)
    made = [Row(id=str(n), input=f"{LABELS[n % 3]} item {n}", output=LABELS[n % 3]) for n in range(rows)]
    write_template(folder, Template(system="Name the colour.", answer="label", labels=list(LABELS)))
    for split, part in (("train", made[:60]), ("validation", made[60:78]), ("test", made[78:])):
        write_split(folder, split, part)
    return ArtifactView(
        id="dataset-colours",
        kind=Kind.DATASET,
        name="colours",
        project="p",
        path=folder,
        facts=data_facts(folder),
        parents=[],
        size_bytes=1,
        license=None,
        digest="colours",
        job_id=None,
        created=datetime.now(UTC),
    )
