"""The NVIDIA cards of this machine: what NVML tells, by its own library (`nvidia-ml-py`) or by `nvidia-smi`. No torch.

Only cards that CUDA_VISIBLE_DEVICES leaves visible count, and only where PyTorch was built for CUDA can anything run on them.
"""

from __future__ import annotations

import csv
import importlib
import os
import re
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""What CUDA reads: the cards that a process may use. We name them by their UUID, which is the same in every order of cards."""
_KEEP_SECONDS = 2.0
_TIMEOUT = 5.0
"""A driver that hangs must not hang us."""
_FIELDS = ("uuid", "name", "memory.total", "memory.free", "driver_version", "utilization.gpu", "power.draw")
_MEBIBYTE = 2**20


@dataclass(frozen=True)
class Card:
    """One card, now. `load`: share of the last moments in which it computed, 0 to 1; `watts`: what it draws. None where the
    driver does not tell."""

    id: str
    name: str
    total_bytes: int
    free_bytes: int
    driver: str
    load: float | None = None
    watts: float | None = None


_known: tuple[float, str | None, list[Card]] | None = None


def cards() -> list[Card]:
    """All that this process may see, as CUDA would number them; asked at most every two seconds."""
    global _known
    now, visible = time.monotonic(), os.environ.get(VISIBLE)
    if _known is None or _known[1] != visible or now - _known[0] > _KEEP_SECONDS:
        _known = (now, visible, _visible(_probe(), visible))
    return _known[2]


def usable_cards() -> list[Card]:
    """Those that training can use: none where PyTorch has no CUDA."""
    return cards() if torch_has_cuda() else []


def torch_has_cuda() -> bool:
    """Whether the installed PyTorch was built for CUDA, by its own file of versions; torch is not imported."""
    found = find_spec("torch")
    file = Path(found.origin).with_name("version.py") if found and found.origin else None
    text = file.read_text("utf-8") if file and file.is_file() else ""
    return re.search(r"^cuda\b[^=\n]*=\s*['\"]", text, re.MULTILINE) is not None


def _visible(found: list[Card], visible: str | None) -> list[Card]:
    """Those that CUDA would let a process see, in the order that the variable gives: numbers or beginnings of UUIDs, up to
    the first that names none."""
    if visible is None:
        return found
    named: list[Card] = []
    for name in (part.strip() for part in visible.split(",")):
        if name.isdecimal():
            match = found[int(name) : int(name) + 1]
        else:
            match = [card for card in found if name and card.id.startswith(name)]
        if len(match) != 1:
            break
        named += match
    return named


def _probe() -> list[Card]:
    with suppress(Exception):  # not installed, or no driver for it: its errors are of its own kind
        return _by_library(importlib.import_module("pynvml"))
    return _by_program()


def _by_library(nvml: Any) -> list[Card]:
    nvml.nvmlInit()
    try:
        driver = nvml.nvmlSystemGetDriverVersion()
        handles = [nvml.nvmlDeviceGetHandleByIndex(at) for at in range(nvml.nvmlDeviceGetCount())]
        return [_card(nvml, handle, driver) for handle in handles]
    finally:
        nvml.nvmlShutdown()


def _card(nvml: Any, handle: Any, driver: str) -> Card:
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    load = watts = None
    with suppress(nvml.NVMLError):  # not every card tells
        load = nvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100
    with suppress(nvml.NVMLError):
        watts = nvml.nvmlDeviceGetPowerUsage(handle) / 1000
    uuid, name = nvml.nvmlDeviceGetUUID(handle), nvml.nvmlDeviceGetName(handle)
    return Card(uuid, name, int(memory.total), int(memory.free), driver, load, watts)


def _by_program() -> list[Card]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    asked = [program, f"--query-gpu={','.join(_FIELDS)}", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=_TIMEOUT, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    rows = csv.reader(told.splitlines(), skipinitialspace=True)
    return [_of_row(row) for row in rows if len(row) == len(_FIELDS) and _number(row[2]) is not None]


def _of_row(row: list[str]) -> Card:
    uuid, name, total, free, driver, load, watts = (each.strip() for each in row)
    busy = _number(load)
    whole, left = (int((_number(size) or 0) * _MEBIBYTE) for size in (total, free))
    return Card(uuid, name, whole, left, driver, None if busy is None else busy / 100, _number(watts))


def _number(text: str) -> float | None:
    """None for `[N/A]` and the like."""
    try:
        return float(text)
    except ValueError:
        return None
