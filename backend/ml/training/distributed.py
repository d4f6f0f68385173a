"""Several processes that train one model (DDP): each computes its rows of every batch, gradients are averaged, and the first
one reports, keeps checkpoints and makes the result. transformers' Trainer and accelerate do the work, by the variables that
torchrun sets; here is what they leave to us: batches and losses are those of one process, whatever their number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from accelerate.data_loader import prepare_data_loader
from torch.utils.data import DataLoader
from transformers import Trainer
from trl.models.utils import _ForwardRedirection

from backend.core.errors import RankDone, StudioError
from backend.data.encoding import IGNORE_INDEX
from backend.ml.inference.device import device
from backend.training.params import TrainingParams
from backend.training.processes import MEETING, batch_problem, rank, world_size


def join(params: TrainingParams, folder: Path) -> None:
    """Meet the others by a file in `folder`, so that no port is open. Raises StudioError for a batch that can't be shared."""
    if world_size() == 1:
        return
    if problem := batch_problem(params.batch_size, world_size()):
        raise StudioError.of([problem])
    backend = "nccl" if device() == "cuda" else "gloo"
    meeting = f"file://{(folder / MEETING).absolute()}"
    dist.init_process_group(backend, init_method=meeting, rank=rank(), world_size=world_size())


def of_first(value: bool) -> bool:
    """What the first process says: clocks differ, and all have to do the same."""
    if world_size() == 1:
        return value
    said = torch.tensor(int(value), device=device())
    dist.broadcast(said, src=0)
    return bool(said)


def mine(rows: Sequence[Any]) -> Sequence[Any]:
    """Those of `rows` that this process takes: every n-th, so that lengths are alike."""
    return rows[rank() :: world_size()]


def leave_to_first(trainer: Any) -> None:
    """The training is over: the first process goes on alone. Raises RankDone in the others."""
    if world_size() == 1:
        return
    tokens = torch.tensor(trainer.trained_tokens, device=trainer.accelerator.device)
    trainer.trained_tokens = int(trainer.accelerator.reduce(tokens))
    dist.barrier()
    dist.destroy_process_group()
    if rank():
        raise RankDone


class SharedTrainer(Trainer):
    """A trainer whose batches are shared by the processes."""

    def _get_dataloader(self, *given: Any, **named: Any) -> Any:
        """accelerate would give each process other batches, and repeat rows where they do not come out even."""
        if world_size() == 1:
            return super()._get_dataloader(*given, **named)
        named["batch_size"] *= world_size()
        theirs: Any = super()._get_dataloader(*given, **named)
        whole = theirs.batch_sampler.batch_sampler
        collate = partial(_collate_mine, theirs.collate_fn)
        loader = DataLoader(theirs.dataset, batch_sampler=whole, collate_fn=collate, pin_memory=theirs.pin_memory)
        return prepare_data_loader(
            loader, self.accelerator.device, num_processes=1, process_index=0, put_on_device=True
        )

    def by_wrapper(self, model: Any, method: Callable[..., Any], *given: Any) -> Any:
        """`method(*given)`, which computes with `self.model`, by way of what wraps that, so that gradients are averaged."""
        own: Any = self.model
        return method(*given) if model is own else _ForwardRedirection()(model, own, method, *given)


def _collate_mine(collate: Callable[[list[Any]], Any], rows: list[dict[str, Any]]) -> Any:
    """Where the last batch has fewer rows than there are processes, one token without a label stands in."""
    blank = {**rows[0], "input_ids": rows[0]["input_ids"][:1], "labels": [IGNORE_INDEX]}
    return collate([*mine(rows)] or [blank])
