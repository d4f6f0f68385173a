"""A student learns a teacher's rationales and its answers: two tasks, told apart by the prompt.

After "Distilling Step-by-Step!", Hsieh et al. 2023, arXiv 2305.02301: loss = L(answer) + weight x L(steps), each the mean over
its own tokens. What the student is asked later is the first task alone, so it answers as fast as without.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.nn import functional

from backend.data.encoding import IGNORE_INDEX, EncodedExamples
from backend.ml.training.trainer import ExtraColumnTrainer


class RationaleTrainer(ExtraColumnTrainer):
    """A trainer whose rows carry `rationale`: 1 where the target is the rationale, 0 where it is the answer.

    Batches hold rows of similar length, so most are of one task. Each is divided by its rows, not by its tokens: every row
    of answers then weighs 1 on average and every row of steps `weight`, whatever stands together and however long it is.
    """

    extra_column = "rationale"

    def __init__(self, weight: float, lengths: tuple[float, float], **options: Any) -> None:
        """`lengths`: mean tokens that are learned of a row of answers and of a row of steps."""
        super().__init__(**options)
        self.usual = lengths[0]
        self.scale = weight * lengths[0] / lengths[1]

    def total_loss(self, logits: Any, labels: Any, inputs: dict[str, Any]) -> Any:
        """Sum of the negative log-likelihood, that of steps times weight x (mean length of answers / of steps)."""
        if "rationale" not in inputs:
            return super().total_loss(logits, labels, inputs)
        sizes = (inputs["labels"] != IGNORE_INDEX).sum(dim=1)
        each = torch.where(inputs["rationale"] == 1, self.scale, 1.0).repeat_interleave(sizes)
        return (functional.cross_entropy(logits, labels, reduction="none") * each).sum()

    def _get_num_items_in_batch(self, batch_samples: list[Any], device: torch.device) -> Any:
        """What the sum is divided by, over all batches of a step: as many tokens as their rows have on average."""
        if not batch_samples or "rationale" not in batch_samples[0]:
            return super()._get_num_items_in_batch(batch_samples, device)
        rows = torch.tensor(sum(len(batch["rationale"]) for batch in batch_samples), device=device)
        return self.usual * self.accelerator.reduce(rows)


def rationale_trainer(params: Any, examples: EncodedExamples) -> Callable[..., RationaleTrainer] | None:
    """What makes the trainer for `rationale` and `rationale_weight` of `params`; None where the steps are left out. `examples`
    have their `steps` (backend.training.params.load_examples)."""
    if params.rationale == "ignore":
        return None
    learned = [[sum(label != IGNORE_INDEX for label in item["labels"]) for item in part] for part in _tasks(examples)]
    lengths = [sum(counts) / len(counts) for counts in learned]
    return partial(RationaleTrainer, params.rationale_weight, (lengths[0], lengths[1]))


def _tasks(examples: EncodedExamples) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The items that answer, and those that give steps; neither is empty."""
    items: list[dict[str, Any]] = [*examples.items]
    return [item for item in items if not item["rationale"]], [item for item in items if item["rationale"]]
