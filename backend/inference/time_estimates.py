"""How long answering takes, for quotes. The constants were measured on the reference (2 cores, float32) with SmolLM2-135M and
its cut of 6 layers, in seconds per weight and token: times of a transformer on one machine grow with both."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from backend.models import costs

UNKNOWN_ANSWER = 64

TORCH_BATCH = 2.9e-11
"""64 rows at once: 70 GFLOP/s, 2 operations a weight."""
OWN_SHARE = 0.4
"""The part of a prompt that a batch does not share with its neighbours."""
PREFILL_SECONDS = {"torch": 3.0e-11, "fp32": 1.3e-11, "int4": 1.0e-11}
DECODE_SECONDS = {"torch": 4.5e-10, "fp32": 1.2e-10, "int4": 2.9e-11}
LOAD_SECONDS = {"torch": 9.0, "fp32": 2.5, "int4": 2.0}
ENDPOINT_SECONDS = 1.0
ENDPOINT_TOKENS_PER_SECOND = 50.0
PLAIN_MEMORY = 200_000_000
COST_DECODE_TOKENS = 5 * 32


class Load(BaseModel):
    """`rows` prompts of `prompt` tokens, `answer` tokens each, and the bytes that the answered rows take."""

    rows: int
    prompt: float
    answer: float
    data_bytes: float

    @classmethod
    def of(cls, data: dict[str, Any], rows: int, max_new_tokens: int, extra_chars: int = 0) -> Load:
        """From the facts of a dataset."""
        prompt_chars, answer_chars = data.get("prompt_chars", 200.0) + extra_chars, data.get("answer_chars", 0.0)
        answer = costs.answer_tokens(data) if answer_chars else UNKNOWN_ANSWER
        return cls(
            rows=rows,
            prompt=costs.prompt_tokens(prompt_chars),
            answer=min(answer, max_new_tokens) if max_new_tokens else answer,
            data_bytes=(prompt_chars + answer_chars + 100) * sum(data.get("rows", {}).values()),
        )

    @property
    def tokens(self) -> float:
        return self.rows * (self.prompt + self.answer)


def answer_seconds(model: dict[str, Any], load: Load) -> float:
    """Loading the model and answering all rows, as the engines do it: torch in batches, ONNX one by one."""
    weights, way = _of(model)
    if way == "torch":
        return LOAD_SECONDS[way] + load.rows * weights * TORCH_BATCH * (OWN_SHARE * load.prompt + load.answer)
    return LOAD_SECONDS[way] + load.rows * one_seconds(model, load)


def single_seconds(model: dict[str, Any], load: Load) -> float:
    """Asking the rows of `load` one by one and timing some decodes of fixed length."""
    return load.rows * one_seconds(model, load) + COST_DECODE_TOKENS * token_seconds(model)


def endpoint_seconds(load: Load, concurrency: int) -> float:
    """An endpoint of ordinary speed: a second and 50 tokens a second. Real ones differ tenfold."""
    return load.rows * (ENDPOINT_SECONDS + load.answer / ENDPOINT_TOKENS_PER_SECOND) / concurrency


def one_seconds(model: dict[str, Any], load: Load) -> float:
    """One prompt of `load` and its answer, asked alone."""
    return first_token_seconds(model, load) + load.answer * token_seconds(model)


def first_token_seconds(model: dict[str, Any], load: Load) -> float:
    """The prefill of one prompt of `load`."""
    weights, way = _of(model)
    return weights * load.prompt * PREFILL_SECONDS[way]


def token_seconds(model: dict[str, Any]) -> float:
    """The decoding of one token of an answer."""
    weights, way = _of(model)
    return weights * DECODE_SECONDS[way]


def _of(model: dict[str, Any]) -> tuple[float, str]:
    return float(model.get("parameters", 0)), costs.runtime_of(model)
