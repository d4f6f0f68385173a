"""The registry: the only list of stages. A stage is one module of this folder that defines `STAGE`."""

from __future__ import annotations

from importlib import import_module

from backend.core.stage import AnyStage

NAMES = (
    *("dataset", "audition", "generate", "teacher", "judge", "curate", "review"),
    *("cut", "capture", "distill", "finetune", "quantize", "search", "attach"),
    *("parity", "evaluate", "checklist", "prove", "package"),
)


def stages() -> dict[str, AnyStage]:
    """All stages by name, in the order of the chain. Cheap: no stage imports torch at module level."""
    return {name: import_module(f"backend.stages.{name}").STAGE for name in NAMES}


def stage(name: str) -> AnyStage:
    """One stage. Raises KeyError for an unknown name."""
    if name not in NAMES:
        raise KeyError(name)
    found: AnyStage = import_module(f"backend.stages.{name}").STAGE
    return found
