"""Several processes that train one model (DDP): each computes a part of every batch, gradients are averaged, and the first one
reports, keeps checkpoints and makes the result. transformers' Trainer and accelerate do the work by torchrun's variables; here
is what they leave to us.
"""

from __future__ import annotations

import os
from typing import Any

import torch.distributed as dist
from accelerate.utils import broadcast_object_list

from backend.core.errors import RankDone, StudioError
from backend.training.params import TrainingParams


def world_size() -> int:
    """Processes of this training."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    return int(os.environ.get("RANK", "0")) == 0


def shared_config(params: TrainingParams, on_cpu: bool) -> dict[str, Any]:
    """Settings of the trainer: the batch size is that of all processes together, so that curves do not depend on their number.
    Raises StudioError where it can't be shared."""
    ranks = world_size()
    if ranks == 1:
        return {}
    if params.batch_size % ranks:
        raise StudioError("train.processes_batch", field="batch_size", batch=params.batch_size, ranks=ranks)
    return {"accelerator_config": {"split_batches": True}, "ddp_backend": "gloo" if on_cpu else "nccl"}


def of_first(value: bool) -> bool:
    """What the first process says: clocks differ, and all have to do the same."""
    if world_size() == 1:
        return value
    said = [value]
    broadcast_object_list(said)
    return said[0]


def leave_to_first(trainer: Any) -> None:
    """The training is over: the first process goes on alone. Raises RankDone in the others."""
    if world_size() == 1:
        return
    trainer.trained_tokens = int(trainer.accelerator.reduce(trainer.own_tokens()))
    trainer.accelerator.wait_for_everyone()
    dist.destroy_process_group()
    if not is_first():
        raise RankDone
