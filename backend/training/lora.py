"""What is asked of an adapter (LoRA), alike where it is the result and where it is merged at the end. No torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from backend.core.fields import Labels
from backend.core.stage import Params


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
    targets: Annotated[Literal["all-linear"] | list[str], Labels({"all-linear": "All linear layers"})] = Field(
        default="all-linear",
        title="Adapted modules",
        description="Modules that get an adapter. All linear layers learn best; a few, such as `q_proj, "
        "v_proj`, use less memory.",
    )
