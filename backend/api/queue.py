"""The queue as pages show it: what this machine serves, and in which order waiting jobs will start."""

from __future__ import annotations

from backend.jobs.queue import served_queues
from backend.jobs.scheduling import neighbour, start_order

__all__ = ["neighbour", "served_queues", "start_order"]
