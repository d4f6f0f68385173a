"""What is asked of an adapter (LoRA), alike where it is the result and where it is merged at the end. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from backend.core.errors import Problem
from backend.core.fields import Labels
from backend.core.stage import Params

FULL = "full"
"""The method of fine-tuning that has no adapter."""
DORA_COST = 1.4
"""Time of a step with DoRA over one with LoRA: four layers of SmolLM2's shape, rank 16, 0.58 and 0.41 CPU seconds."""

DORA_BYTES = 8
"""Memory of DoRA for each weight of the layers: every matrix with its change added, and what its norm needs, in float32. On
SmolLM2 0.8 to 0.9 GB over LoRA at 130 to 400 tokens a batch, more at longer ones."""


class UseAdapterParams(Params):
    """Whether a student learns by an adapter. Before `LoraParams` in a form."""

    adapter: bool = Field(
        default=False,
        title="Train an adapter (LoRA)",
        description="Trains a small adapter and merges it at the end: much less memory for large students. "
        "Small ones learn more without it.",
    )


class LoraParams(Params):
    """The shape of an adapter; backend.ml.training.lora makes it."""

    rank: int = Field(
        default=16,
        ge=1,
        le=256,
        title="Rank",
        description="Capacity of the adapter. More suits harder tasks but uses more memory and disk; 8 to 32 is usual.",
    )
    alpha: int = Field(
        default=32,
        ge=1,
        le=1024,
        title="Alpha",
        description="Strength of the adapter: its output is scaled by alpha / rank. Twice the rank is a good start.",
    )
    dropout: float = Field(
        default=0.0,
        ge=0,
        le=0.9,
        title="Dropout",
        description="Share of the adapter's input dropped at random in training. 0.05 to 0.1 can help "
        "with few examples.",
    )
    targets: Annotated[
        Literal["all-linear", "attention"] | list[str],
        Labels({"all-linear": "All linear layers", "attention": "Attention layers"}),
    ] = Field(
        default="all-linear",
        title="Adapted modules",
        description="Modules that get an adapter: `all-linear` learns best; `attention`, names such as `q_proj, v_proj` or a "
        "regular expression use less memory.",
    )
    top_share: float = Field(
        default=1.0,
        gt=0,
        le=1,
        title="Share of layers",
        description="Adapts the last layers only, this share of all: less time and memory. Most methods compute those below "
        "once for all epochs. With 0.5 a rank of 64 does well.",
    )
    modules_to_save: list[str] = Field(
        default=[],
        title="Modules trained whole",
        description="Modules that also learn, with all their weights, such as `lm_head` or `embed_tokens`: for new words and "
        "formats. The adapter grows by their size.",
    )
    initialization: Annotated[
        Literal["default", "gaussian", "orthogonal"],
        Labels({"default": "Default", "gaussian": "Gaussian", "orthogonal": "Orthogonal"}),
    ] = Field(
        default="default",
        title="Initialization",
        description="How the adapter begins. Default suits nearly always; orthogonal needs an even rank.",
    )

    @property
    def variant(self) -> str:
        """lora, dora or rslora."""
        return "lora"


def inactive_lora(values: Mapping[str, Any]) -> set[str]:
    """The fields of adapters and of what they replace that have no effect beside these values."""
    if "adapter" in values:
        return {"train_embeddings"} if values["adapter"] else set(LoraParams.model_fields)
    if values.get("method") == FULL:
        return {*LoraParams.model_fields, "qlora", "qlora_bits"}
    return set() if values.get("qlora") else {"qlora_bits"}


def check_lora(params: LoraParams) -> list[Problem]:
    """What can be seen of the values alone."""
    if params.initialization == "orthogonal" and params.rank % 2:
        return [Problem(code="train.odd_rank", args={"rank": params.rank}, field="rank")]
    return []
