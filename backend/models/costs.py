"""What loading and training a model costs, from its facts. Bytes, and seconds on the reference machine (2 Zen 4 cores).

The constants come from SmolLM2-135M on the demo's rows: LoRA in batches of 8 learns 241 tokens a second, full training of
its 6-layer student in batches of 16 1,250; answering takes 1.38 GB in batches.
"""

from __future__ import annotations

import re
from typing import Any

_LIBRARIES = (
    900_000_000  # torch, transformers, peft, trl; over weights, activations and logits 0.7 to 0.9 GB were measured
)
_CUDA_LIBRARIES = 2_000_000_000  # code of cuBLAS and the like that torch maps; not measured here
_FLOPS_FROZEN = 122e9  # useful operations per second with an adapter on a frozen body, bf16 products
_FLOPS_FULL = 167e9  # the same when all weights are trained
_OPTIMIZER_STEP_SECONDS = 4.3e-9  # per parameter of the body and step: reading, converting and updating weights
_FLOPS_FORWARD = 120e9  # of a forward pass in float32; 3,173 rows of the demo: 717 tokens a second, prompts counted
_TOP_K_SECONDS = 6e-9  # per position and token of the vocabulary: ranking, normaliser and tail of two temperatures
_DIVERGENCE_SECONDS = 20e-9  # the same when a student learns from a capture: 7 % more CPU seconds than without
_SAMPLE_SECONDS = 1e-9  # per parameter and token of a batch of 16 that a student answers
_START_SECONDS = 10.0  # imports, loading and saving a model of 135 M parameters
_CHARS_PER_TOKEN = 3.6
_TEMPLATE_TOKENS = 15  # role marks of system, user and assistant
_SHARED_TOKENS = 11  # of a prompt: the beginning that all rows share is computed once per batch
LOGIT_TABLES = 4
"""Of a position, in float32, at the peak: logits as they come and in float32, their logarithms, gradient."""
_ACTIVATIONS = 25  # float values kept per token, layer and unit of hidden size: norms, attention, three inner widths


_ANSWERING = {"torch": (0.75e9, 4.8), "fp32": (0.3e9, 6.0), "int4": (0.3e9, 1.4)}
"""Bytes of a process that answers: (with libraries and a batch, more per weight)."""
_LINEAR = {"q_proj": (1, 1, 0), "k_proj": (1, 1 / 3, 0), "v_proj": (1, 1 / 3, 0), "o_proj": (1, 1, 0)}
_ATTENTION = tuple(_LINEAR)
_LINEAR |= {"gate_proj": (1, 0, 1), "up_proj": (1, 0, 1), "down_proj": (1, 0, 1)}
"""Sides of a layer's matrices: two in hidden sizes (keys and values of grouped heads are a third), one in inner sizes."""
_INNER = 8 / 3
"""Inner size of a layer in hidden sizes, where it is not known: all matrices together have 17.7 hidden sizes of sides."""


def embedding_size(facts: dict[str, Any]) -> int:
    """Parameters of the token table."""
    return int(facts["vocabulary"]) * int(facts["hidden_size"])


def body_size(facts: dict[str, Any]) -> int:
    """Parameters that every token passes: all but the token table and the output head."""
    tables = embedding_size(facts) * (1 if facts.get("tied") else 2)
    return max(0, int(facts["parameters"]) - tables)


def with_layers(facts: dict[str, Any], layers: int) -> dict[str, Any]:
    """The facts of the same model with only `layers` of its layers."""
    dropped = body_size(facts) * (1 - layers / int(facts["layers"]))
    return {**facts, "layers": layers, "parameters": round(facts["parameters"] - dropped)}


def with_vocabulary(facts: dict[str, Any], vocabulary: int) -> dict[str, Any]:
    """The facts of the same model with a token table of `vocabulary` rows."""
    tables = 1 if facts.get("tied") else 2
    dropped = tables * (int(facts["vocabulary"]) - vocabulary) * int(facts["hidden_size"])
    return {**facts, "vocabulary": vocabulary, "parameters": int(facts["parameters"]) - dropped}


def distinct_tokens(data: dict[str, Any]) -> float:
    """How many different tokens a dataset's texts need, with what these are merged from: 300 for the bytes and marks,
    and 15 n^0.55 for n tokens (Heaps' law; measured: 12 n^0.55 on English prose, a quarter of it on the demo's sentences)."""
    rows = sum(int(count) for count in data["rows"].values())
    tokens = rows * (float(data["prompt_chars"]) + float(data["answer_chars"])) / _CHARS_PER_TOKEN
    return 300 + 15 * float(tokens**0.55)


def merged(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts of a full model that an adapter on its base becomes."""
    return {key: value for key, value in facts.items() if key not in ("base", "adapter_parameters")}


def lora_size(facts: dict[str, Any], rank: int, targets: str | list[str]) -> int:
    """Parameters of an adapter: rank x (inputs + outputs) of each adapted matrix (SmolLM2, all-linear: 10,176 a layer and
    rank). A module of another name counts as the mean, `attention` as its four, a regular expression as what it fits."""
    hidden = int(facts["hidden_size"])
    inner = facts.get("intermediate_size") or _INNER * hidden
    sides = {name: hidden * (first + second) + inner * third for name, (first, second, third) in _LINEAR.items()}
    mean = sum(sides.values()) / len(sides)
    if isinstance(targets, str):
        names = list(_ATTENTION) if targets == "attention" else list(sides)
    else:
        names = list(dict.fromkeys(name for target in targets for name in _meant(target)))
    return round(rank * int(facts["layers"]) * sum(sides.get(name, mean) for name in names))


def _meant(target: str) -> list[str]:
    """The matrices of a layer that a name or a regular expression of whole paths means; itself where that can't be told."""
    paths = {name: f"model.layers.0.{'self_attn' if name in _ATTENTION else 'mlp'}.{name}" for name in _LINEAR}
    try:
        found = [name for name, path in paths.items() if re.fullmatch(target, path)]
    except re.error:
        found = []
    return found or [target]


def prompt_tokens(chars: float) -> float:
    """Mean tokens of a prompt of so many characters, with the marks of the template."""
    return chars / _CHARS_PER_TOKEN + _TEMPLATE_TOKENS


def answer_tokens(data: dict[str, Any]) -> float:
    """Mean tokens of an answer with its end of turn."""
    return float(data["answer_chars"]) / _CHARS_PER_TOKEN + 1


def row_tokens(data: dict[str, Any], max_length: int) -> float:
    """Mean tokens of a row: prompt, marks of the template, answer."""
    return min(max_length, prompt_tokens(float(data["prompt_chars"])) + answer_tokens(data))


def training_seconds(
    facts: dict[str, Any],
    *,
    rows: float,
    steps: float,
    tokens: float,
    answers: float,
    frozen: bool,
    top: float = 1.0,
    passes: float = 1.0,
) -> float:
    """Seconds to train on `rows` rows (epochs counted) of `tokens` tokens, of which `answers` are asked for, in `steps`
    steps; `frozen`: the body's own weights are not trained (LoRA), which saves a third of the work. `top`: share of the layers
    that learn where the others are computed once in `passes` epochs."""
    body = body_size(facts)
    work = 4 * top + 2 * (1 - top) / max(1.0, passes) if frozen else 6
    per_row = (tokens - _SHARED_TOKENS) * body * work + 4 * answers * embedding_size(facts)
    return rows * per_row / (_FLOPS_FROZEN if frozen else _FLOPS_FULL) + steps * body * _OPTIMIZER_STEP_SECONDS


def capture_seconds(facts: dict[str, Any], rows: float, tokens: float, answers: float) -> float:
    """Seconds in which a teacher reads `rows` rows of `tokens` tokens and scores the `answers` tokens of each."""
    per_row = (tokens - _SHARED_TOKENS) * body_size(facts) * 2 + answers * embedding_size(facts) * 2
    return rows * (per_row / _FLOPS_FORWARD + answers * int(facts["vocabulary"]) * _TOP_K_SECONDS)


def divergence_seconds(facts: dict[str, Any], positions: float) -> float:
    """Seconds that the divergence from a capture adds to the training on `positions` tokens of answers."""
    return positions * int(facts["vocabulary"]) * _DIVERGENCE_SECONDS


def teacher_forward_seconds(facts: dict[str, Any], rows: float, tokens: float, answers: float) -> float:
    """Seconds in which a teacher with these facts reads `rows` rows of `tokens` tokens beside its student and scores the
    `answers` tokens of each."""
    per_row = (tokens - _SHARED_TOKENS) * body_size(facts) * 2 + answers * embedding_size(facts) * 2
    return rows * per_row / _FLOPS_FORWARD


def sampling_seconds(facts: dict[str, Any], batches: float, tokens: float) -> float:
    """Seconds in which a student answers `batches` batches with up to `tokens` tokens each: every token reads its weights
    once."""
    return batches * tokens * _SAMPLE_SECONDS * (body_size(facts) + embedding_size(facts))


def teacher_in_memory_bytes(facts: dict[str, Any], scores: float) -> int:
    """Memory of a teacher beside its student: its weights, and five tables of `scores` values."""
    return round(int(facts["parameters"]) * 4 + scores * 4 * 5)


def capture_peak_bytes(facts: dict[str, Any]) -> int:
    """Peak memory of a teacher that reads answers: as if it answered, and the logits of some positions with their copies."""
    return answer_bytes({**facts, "format": "torch"}) + 300_000_000


def start_seconds(facts: dict[str, Any]) -> float:
    """Seconds to import the libraries, load the model and save the result."""
    return _START_SECONDS * (0.6 + 0.4 * int(facts["parameters"]) / 135e6)


def training_bytes(
    facts: dict[str, Any],
    *,
    trained: int,
    batch_tokens: float,
    base_bytes: float = 4.0,
    state_bytes: int = 12,
    top: float = 1.0,
) -> int:
    """Peak memory: libraries, weights at `base_bytes` each, gradient and two moments of what is trained (`state_bytes` each),
    activations of the share `top` of the layers."""
    weights = int(facts["parameters"]) * base_bytes + trained * state_bytes
    return round(_LIBRARIES + weights + activation_bytes(facts, batch_tokens * top, 4))


def activation_bytes(facts: dict[str, Any], batch_tokens: float, value_bytes: int) -> float:
    """What a forward pass of so many tokens keeps for the backward one, in values of so many bytes."""
    return batch_tokens * int(facts["layers"]) * int(facts["hidden_size"]) * _ACTIVATIONS * value_bytes


def host_bytes(facts: dict[str, Any], base_bytes: float) -> int:
    """Peak memory of the process whose model trains on a card: libraries, and the weights until they are there."""
    return round(_LIBRARIES + _CUDA_LIBRARIES + int(facts["parameters"]) * base_bytes)


def runtime_of(facts: dict[str, Any]) -> str:
    """How a model answers: `torch` (in batches), or `fp32` or `int4` by ONNX Runtime (other precisions count as int4)."""
    if facts.get("format") != "onnx":
        return "torch"
    return "fp32" if facts.get("precision") == "fp32" else "int4"


def answer_bytes(facts: dict[str, Any]) -> int:
    """Peak memory to answer rows, in batches where the model can."""
    base, each = _ANSWERING[runtime_of(facts)]
    return round(base + each * float(facts.get("parameters", 0)))
