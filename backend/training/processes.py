"""Several processes that share one training (SLMOPS_PROCESSES), as forms and checks see them, and which of them this one is.
No torch."""

from __future__ import annotations

import os
from copy import copy

from backend.core.errors import Problem
from backend.core.stage import World

MEETING = "ranks"
"""The file in the folder of a job by which its processes find each other."""


RANK, WORLD_SIZE = "RANK", "WORLD_SIZE"
"""The variables of torchrun."""


def rank() -> int:
    """Of this process; 0 where there is no other."""
    return int(os.environ.get(RANK, "0"))


def world_size() -> int:
    """Processes of the training in which this one is."""
    return int(os.environ.get(WORLD_SIZE, "1"))


def sharing(world: World, shared: bool = True) -> int:
    """Processes that a training on this machine will have. `shared`: whether it can have several."""
    return world.processes if shared else 1


def alone(world: World) -> World:
    """The same to a training that always has one process."""
    one = copy(world)
    one.processes = 1
    return one


def batch_problem(batch_size: int, processes: int) -> Problem | None:
    """What stands against sharing a batch of so many rows."""
    if batch_size % processes == 0:
        return None
    return Problem(code="train.processes_batch", args={"batch": batch_size, "ranks": processes}, field="batch_size")


def check_processes(batch_size: int, world: World, shared: bool = True) -> list[Problem]:
    """What there is to say of the processes of a training before it starts."""
    if world.processes == 1:
        return []
    if not shared:
        return [Problem(code="train.one_process", blocking=False)]
    problem = batch_problem(batch_size, world.processes)
    note = Problem(code="train.shared", args={"ranks": world.processes}, blocking=False)
    return [problem] if problem else [note]
