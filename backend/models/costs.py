"""What loading and training a model costs, from its facts. Bytes, and seconds on the reference machine (2 Zen 4 cores).

The constants come from SmolLM2-135M on short labelled rows (LoRA in batches of 8 and 16, full training of its 6-layer
student in batches of 16), measured on one core and taken 1.8 times as fast on two.
"""

from __future__ import annotations

from typing import Any

_LIBRARIES = 900_000_000  # resident after importing torch, transformers, peft and trl
_INT4_LIBRARIES = 250_000_000  # onnxruntime-genai alone
_FLOPS_FROZEN = 190e9  # useful operations per second with an adapter on a frozen body, bf16 products
_FLOPS_FULL = 235e9  # the same when all weights are trained
_STEP_SECONDS = 3e-9  # per parameter of the body and step: reading, converting and updating weights
_START_SECONDS = 10.0  # imports, loading and saving a model of 135 M parameters
_CHARS_PER_TOKEN = 3.6
_TEMPLATE_TOKENS = 13  # role marks of system, user and assistant
_SHARED_TOKENS = 11  # of a prompt: the beginning that all rows share is computed once per batch
_ACTIVATIONS = 16  # float values kept per token, layer and unit of hidden size


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


def answer_tokens(data: dict[str, Any]) -> float:
    """Mean tokens of an answer with its end of turn."""
    return float(data["answer_chars"]) / _CHARS_PER_TOKEN + 1


def row_tokens(data: dict[str, Any], max_length: int) -> float:
    """Mean tokens of a row: prompt, marks of the template, answer."""
    return min(max_length, float(data["prompt_chars"]) / _CHARS_PER_TOKEN + _TEMPLATE_TOKENS + answer_tokens(data))


def training_seconds(
    facts: dict[str, Any], *, rows: float, steps: float, tokens: float, answers: float, frozen: bool
) -> float:
    """Seconds to train on `rows` rows (epochs counted) of `tokens` tokens, of which `answers` are asked for, in `steps`
    steps; `frozen`: the body's own weights are not trained (LoRA), which saves a third of the work."""
    body = body_size(facts)
    per_row = (tokens - _SHARED_TOKENS) * body * (4 if frozen else 6) + 4 * answers * embedding_size(facts)
    return rows * per_row / (_FLOPS_FROZEN if frozen else _FLOPS_FULL) + steps * body * _STEP_SECONDS


def start_seconds(facts: dict[str, Any]) -> float:
    """Seconds to import the libraries, load the model and save the result."""
    return _START_SECONDS * (0.6 + 0.4 * int(facts["parameters"]) / 135e6)


def training_bytes(facts: dict[str, Any], *, trained: int, batch_tokens: float, base_bytes: float = 4.0) -> int:
    """Peak memory: libraries, weights at `base_bytes` each, gradient and two moments of what is trained, activations."""
    weights = int(facts["parameters"]) * base_bytes + trained * 12
    activations = batch_tokens * int(facts["layers"]) * int(facts["hidden_size"]) * _ACTIVATIONS * 4
    return round(_LIBRARIES + weights + activations)


def inference_bytes(facts: dict[str, Any]) -> int:
    """Peak memory to answer one prompt in float32."""
    return round(_LIBRARIES + int(facts["parameters"]) * 4.4)


def int4_bytes(facts: dict[str, Any]) -> int:
    """Peak memory to answer one prompt from an INT4 ONNX folder."""
    return round(_INT4_LIBRARIES + int(facts["parameters"]) * 1.2)
