"""What the process of a job takes now: cores, memory and cards, read from the machine and shared by all sessions."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass, field, replace

import psutil
import streamlit as st

from backend.core.cards import VISIBLE, Card, cards
from backend.core.programs import Programs
from backend.core.schemas import JobView, WorkerView
from studio.ui.shared import api_cache


@dataclass(frozen=True)
class Usage:
    """`cores`: how many are busy for it (1.8 of 2); None at the first measure, which has nothing to compare with. `cards`:
    those that the worker gave it, as they are now."""

    memory_bytes: int
    cores: float | None
    cards: tuple[Card, ...] = ()


@dataclass
class _ProcessTree:
    """Processes of one job that were seen before: psutil tells a process's share of a core since the last question."""

    known: dict[int, psutil.Process] = field(default_factory=dict)

    def measure(self, pid: int) -> Usage | None:
        try:
            root = self.known.get(pid) or psutil.Process(pid)
            now = {process.pid: process for process in (root, *root.children(recursive=True))}
        except psutil.Error:
            return None
        fresh = pid not in self.known
        self.known = {each: self.known.get(each, process) for each, process in now.items()}
        memory, share = 0, 0.0
        for process in self.known.values():
            with suppress(psutil.Error):
                memory += process.memory_info().rss
                share += process.cpu_percent()
        return Usage(memory, None if fresh else share / 100) if memory else None


def usage(job: JobView) -> Usage | None:
    """None when its process is not one of this machine, has gone, or its number belongs to another program by now."""
    return None if job.pid is None else _usage(job.id, job.pid)


@st.cache_resource(ttl="2s", max_entries=16, show_spinner=False)
def _usage(job_id: str, pid: int) -> Usage | None:
    if not _is_child(pid, api_cache.workers()):
        return None
    now = _process_tree(job_id, pid).measure(pid)
    return replace(now, cards=_cards_of(pid)) if now else None


@st.cache_resource(max_entries=16, show_spinner=False)
def _process_tree(job_id: str, pid: int) -> _ProcessTree:
    return _ProcessTree()


def _cards_of(pid: int) -> tuple[Card, ...]:
    """The cards that a process was given, by their names in its environment."""
    here = cards()
    try:
        given = psutil.Process(pid).environ().get(VISIBLE, "") if here else ""
    except psutil.Error:
        return ()
    return tuple(card for card in here if card.id in given.split(","))


def _is_child(pid: int, workers: list[WorkerView]) -> bool:
    """Whether this is the process that a worker of this machine started for a job: it carries the worker's number."""
    here = {str(worker.pid) for worker in workers if worker.host == socket.gethostname()}
    try:
        command = psutil.Process(pid).cmdline()
    except psutil.Error:
        return False
    return Programs.STAGE in command and command[-1] in here
