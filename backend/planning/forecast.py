"""What a model will be like before there is one: size and speed, from the facts that it is going to have."""

from __future__ import annotations

from typing import Any

from backend.core.schemas import Kind, View
from backend.core.stage import ArtifactInfo
from backend.inference import time_estimates
from backend.models import costs
from backend.stages.quantize import QuantizeParams, quote


class ModelForecast(View):
    """`fp32_bytes`, `int4_bytes`: size on disk; the speeds are those of INT4 on this machine, for one prompt at a time;
    `fp32_answer_seconds` and `int4_answer_seconds`: one whole answer, in torch and in INT4."""

    parameters: int
    fp32_bytes: int
    int4_bytes: int
    first_token_seconds: float
    tokens_per_s: float
    fp32_answer_seconds: float
    int4_answer_seconds: float


class _SingleModelWorld:
    """A world that holds one model and nothing else."""

    memory_bytes = free_disk_bytes = card_bytes = 0
    processes = 1

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts

    def describe(self, ref: str) -> ArtifactInfo:
        return ArtifactInfo(Kind.MODEL, self.facts, pending=True)

    def endpoint(self, name: str) -> None:
        return None

    def auditions(self, data: str) -> list[dict[str, Any]]:
        return []

    def trashed(self) -> frozenset[str]:
        return frozenset()

    def speed(self) -> float:
        return 1.0


def forecast_model(facts: dict[str, Any], data: dict[str, Any], speed: float) -> ModelForecast:
    """Of a model with `facts` on prompts and answers like those of a dataset with the facts `data`; `speed` is this
    machine's, relative to the reference. An adapter counts as the model that it becomes."""
    plain = {**costs.merged(facts), "format": "torch"}
    int4 = quote(QuantizeParams.model_validate({"model": "it"}), _SingleModelWorld(plain))
    load = time_estimates.Load.of(data, 1, 0)
    return ModelForecast(
        parameters=int(plain["parameters"]),
        fp32_bytes=int(plain["parameters"]) * 4,
        int4_bytes=int4.disk_bytes,
        first_token_seconds=time_estimates.first_token_seconds(int4.forecast, load) / speed,
        tokens_per_s=speed / time_estimates.token_seconds(int4.forecast),
        fp32_answer_seconds=time_estimates.one_seconds(plain, load) / speed,
        int4_answer_seconds=time_estimates.one_seconds(int4.forecast, load) / speed,
    )
