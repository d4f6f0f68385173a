"""A student that was pruned from its teacher learns the hidden states of the layers that it lost.

Layer j of the student is layer kept[j] of the teacher, and hands its states to layer kept[j + 1] of the teacher, which used to
get those of layer kept[j + 1] - 1. So that is what the states after layer j are compared with; after the last one, those
after the teacher's last. After "TinyBERT", Jiao et al. 2020, arXiv 1909.10351, with the map that pruning leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch.nn import functional

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView
from backend.core.stage import Context
from backend.data.encoding import IGNORE_INDEX, EncodedExamples
from backend.ml.compression.prune import decoder_layers
from backend.ml.distillation.online import Teacher, load_teacher
from backend.ml.training.shared_prefix import hidden_states
from backend.ml.training.trainer import LogitsTrainer, base_model_of
from backend.training.methods import MethodParams, kept_layers_problem

Tensor = torch.Tensor
_MIN_SQUARED_NORM = 1e-6
"""The smallest squared length of a teacher's state that a distance is measured in."""


def teacher_layers(kept: Sequence[int], layers: int) -> list[int]:
    """For every layer of a student with the layers `kept` of a teacher with `layers`: the teacher's layer whose states it
    learns ([0, 1, 4] of 6 -> [0, 3, 5])."""
    return [following - 1 for following in [*kept[1:], layers]]


def distance(mine: Sequence[Tensor], theirs: Sequence[Tensor], real: Tensor) -> Tensor:
    """Squared distance of states in squared lengths of the teacher's, mean over layers and over the positions that `real`
    marks. `mine`, `theirs`: per layer (rows, length, hidden); `real`: (rows, length)."""
    teacher_distance = []
    for one, other in zip(mine, theirs, strict=True):
        one, other = one[real].float(), other[real].float()
        length = other.square().sum(dim=-1).clamp(min=_MIN_SQUARED_NORM)
        teacher_distance.append(((one - other).square().sum(dim=-1) / length).mean())
    return torch.stack(teacher_distance).mean()


class LayerOutputs:
    """Keeps what some layers of a model gave last. `outputs`: one tensor (rows, length, hidden) per layer."""

    def __init__(self, layers: Sequence[Any]) -> None:
        self.outputs: list[Tensor] = [torch.empty(0)] * len(layers)
        for place, layer in enumerate(layers):
            layer.register_forward_hook(partial(self._record, place))

    def _record(self, place: int, _module: Any, _given: Any, made: Any) -> None:
        self.outputs[place] = made[0] if isinstance(made, tuple) else made


class HiddenStatesTrainer(LogitsTrainer):
    """LogitsTrainer that draws the student's states to the teacher's. The beginning that all rows of a batch share is
    left out where it is computed apart; validation rows count by their answer."""

    reuses_layers = False

    def __init__(self, teacher: Teacher, kept: Sequence[int], params: MethodParams, **options: Any) -> None:
        super().__init__(**options)
        self.teacher = teacher
        self.params = params
        layers = decoder_layers(teacher.model)
        self.mine = LayerOutputs(list(decoder_layers(base_model_of(options["model"]))))
        self.theirs = LayerOutputs([layers[at] for at in teacher_layers(kept, len(layers))])

    def total_loss(self, logits: Any, labels: Any, inputs: dict[str, Any]) -> Any:
        """kl_weight x distance x positions + (1 - kl_weight) x negative log-likelihood."""
        if not torch.is_grad_enabled():
            return super().total_loss(logits, labels, inputs)
        weight = self.params.kl_weight
        answers = functional.cross_entropy(logits, labels, reduction="sum")
        return (1 - weight) * answers + weight * self.teacher_distance(inputs) * len(labels)

    def teacher_distance(self, inputs: dict[str, Any]) -> Tensor:
        """How far the states that the student has just had are from the teacher's."""
        first_answer = int((inputs["labels"] != IGNORE_INDEX).any(dim=0).long().argmax())
        with torch.no_grad():
            hidden_states(self.teacher.model, self.teacher.with_teacher_ids(inputs), first_answer)
        both = min(self.mine.outputs[0].shape[1], self.theirs.outputs[0].shape[1])
        mine, theirs = ([each[:, -both:] for each in layer.outputs] for layer in (self.mine, self.theirs))
        return distance(mine, theirs, inputs["attention_mask"][:, -both:].bool())


def make_trainer(
    params: MethodParams, student: ArtifactView, _data: ArtifactView, _examples: EncodedExamples, ctx: Context
) -> partial[HiddenStatesTrainer]:
    """Make the trainer of the method `hidden_states`. Raises StudioError for a student that was not pruned from this
    teacher."""
    view = ctx.input(params.teacher)
    if wrong := kept_layers_problem(student.facts, view.facts, view.name):
        raise StudioError.of([wrong])
    return partial(HiddenStatesTrainer, load_teacher(params, student, ctx), student.facts["kept_layers"], params)
