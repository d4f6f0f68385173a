"""The registry: the only list of stages. A stage is one module of this folder that defines `STAGE`."""

from __future__ import annotations

from importlib import import_module

from backend.core.renames import stage_name
from backend.core.stage import AnyStage

NAMES = (
    *("dataset", "audition", "generate", "teacher", "judge", "curate", "review"),
    *("prune", "capture", "distill", "finetune", "quantize", "scheme_search", "attach"),
    *("parity", "evaluate", "checklist", "prove", "package"),
)


def stages() -> dict[str, AnyStage]:
    """All stages by name, in the order of the chain. Cheap: no stage imports torch at module level."""
    return {name: import_module(f"backend.stages.{name}").STAGE for name in NAMES}


def stage(name: str) -> AnyStage:
    """One stage. Raises KeyError for an unknown name."""
    name = stage_name(name)
    if name not in NAMES:
        raise KeyError(name)
    found: AnyStage = import_module(f"backend.stages.{name}").STAGE
    return found
