"""The learning rate that is usual by what learns and by the size of the model: the one table of it. No torch.

Adapters take about ten times the rate of full training (J. Schulman, Thinking Machines, "LoRA Without Regret", 2025), 2e-4 for
billions of parameters (Unsloth's hyperparameter guide; TRL: 2e-4 beside SFTConfig's 2e-5); smaller and narrower models take
more. 1e-3 for small ones is what this program's own figures on SmolLM2-135M were made with. A student that was pruned relearns
what it lost and takes more than a whole model. Preferences take far less than answers: 5e-6 for billions with LoRA (TRL's
example of DPO), 5e-5 for 135 million (Hugging Face's smol course). Continued pre-training takes what fine-tuning takes: runs of
billions of tokens used 3e-4 in full for 405 million weights (Ibrahim et al., "Simple and Scalable Strategies to Continually
Pre-train Large Language Models", 2024), and LoRA wants more than full there, too (Biderman et al., "LoRA Learns Less and
Forgets Less", 2024). Rates scale with the root of the batch for Adam (Malladi et al., 2022).
"""

from __future__ import annotations

from math import inf
from typing import Literal, NamedTuple

Learner = Literal["adapter", "full", "student", "preference"]
"""An adapter; all weights of a whole model; those of a student of distillation; an adapter by preferences."""


class Rate(NamedTuple):
    """The default, and between which rates are usual."""

    usual: float
    low: float
    high: float


_RATES: tuple[tuple[float, dict[Learner, Rate]], ...] = (
    (
        0.5e9,
        {
            "adapter": Rate(1e-3, 2e-4, 5e-3),
            "full": Rate(1e-4, 2e-5, 5e-4),
            "student": Rate(1e-3, 2e-4, 5e-3),
            "preference": Rate(5e-5, 1e-5, 5e-4),
        },
    ),
    (
        1e9,
        {
            "adapter": Rate(5e-4, 1e-4, 2e-3),
            "full": Rate(5e-5, 1e-5, 2e-4),
            "student": Rate(2e-4, 5e-5, 1e-3),
            "preference": Rate(2e-5, 5e-6, 2e-4),
        },
    ),
    (
        inf,
        {
            "adapter": Rate(2e-4, 5e-5, 5e-4),
            "full": Rate(2e-5, 5e-6, 5e-5),
            "student": Rate(1e-4, 2e-5, 5e-4),
            "preference": Rate(5e-6, 1e-6, 5e-5),
        },
    ),
)
"""Below so many parameters -> rates."""


def usual_rate(learner: Learner, parameters: int) -> Rate:
    """For a model of so many parameters."""
    return next(rates[learner] for below, rates in _RATES if parameters < below)
