"""Asks a bounded child whether a folder holds the weights that its architecture expects."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from backend.core.artifacts import write_json
from backend.core.errors import Problem, StudioError
from backend.core.limits import EXIT_MEMORY
from backend.core.programs import Programs, command
from backend.core.schemas import ArtifactView
from backend.core.units import human_bytes
from backend.process.environment import bare_environment
from backend.process.program import Program

MEMORY_BYTES = 24_000_000_000
"""Of the child's address space: what torch maps, and the largest tensor."""
_SECONDS_PER_GB, _LEAST_SECONDS = 60, 300


def check_weights(
    folder: Path, base: ArtifactView | None = None, work: Path | None = None
) -> tuple[dict[str, Any], list[Problem]]:
    """What the model answered when it was tried (see `backend.ml.inference.trial`), and what was settled. Seconds; each
    tensor is read once. `folder`: its files were looked at by `inspect_folder`, or those
    of an adapter by `adapters`; then `base` is the model it belongs to. `work`: where
    the child's files go, by default beside the folder.

    Raises StudioError when weights are missing, of another shape, unknown to the architecture or no numbers, when a table that
    is said to be shared is there twice, or when no file names the end of turn."""
    return _asked(folder, base, work or folder.parent, True)


def try_model(folder: Path, base: ArtifactView | None, work: Path) -> tuple[dict[str, Any], list[Problem]]:
    """As `check_weights`, of a model whose weights were checked: it is only tried."""
    return _asked(folder, base, work, False)


def _asked(folder: Path, base: ArtifactView | None, work: Path, weights: bool) -> tuple[dict[str, Any], list[Problem]]:
    places = [folder, base.path] if base else [folder]
    size = sum(file.stat().st_size for place in places for file in place.glob("*.safetensors"))
    seconds = _LEAST_SECONDS + _SECONDS_PER_GB * size // 10**9
    asked, answer = work / "question.json", work / "answer.json"
    answer.unlink(missing_ok=True)
    limits = {"memory": MEMORY_BYTES + size, "cpu_seconds": seconds, "written": 10_000_000}
    of_base = {"base": str(base.path) if base else "", "base_name": base.name if base else ""}
    write_json(asked, {"folder": str(folder), "weights": weights, "limits": limits, **of_base})
    until = time.monotonic() + seconds
    env = bare_environment(HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1", HF_HOME=str(work / "hf"))
    with Program(command(Programs.WEIGHTS, asked, answer), work / "check.log", env=env) as running:
        try:
            status = running.wait(lambda: _in_time(until))
        except TimeoutError:
            raise StudioError("models.check_time", model=folder.name, seconds=seconds) from None
        if not answer.is_file():
            if status == EXIT_MEMORY:
                raise StudioError("models.check_memory", model=folder.name, limit=human_bytes(limits["memory"]))
            raise StudioError("models.check_stopped", model=folder.name, reason=running.reason(), status=status)
    content = json.loads(answer.read_text("utf-8"))
    found = [Problem.model_validate(each) for each in content["problems"]]
    return content["trial"], settled(found)


def settled(found: list[Problem]) -> list[Problem]:
    """Those that are only to be told. Raises StudioError when one is not."""
    if wrong := [each for each in found if each.blocking]:
        raise StudioError.of(wrong)
    return found


def _in_time(until: float) -> None:
    if time.monotonic() > until:
        raise TimeoutError
