"""The registry: the only list of stages. A stage is one module of this folder that defines `STAGE`, or an entry point of the
group `slmops.stages` in an installed package that names one (`[project.entry-points."slmops.stages"] toy = "toy:STAGE"`).
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from backend.core.renames import stage_name
from backend.core.stage import AnyStage

BUILT_IN = (
    *("download_data", "dataset", "check_data", "clean_data", "edit_data", "baseline"),
    *("audition", "generate", "teacher", "judge", "curate", "review"),
    "download",
    *("prune", "distill", "capture", "finetune", "preference", "pretrain", "from_checkpoint", "diagnose"),
    *("quantize", "search", "attach"),
    *("parity", "evaluate", "load_test", "checklist", "prove", "package", "push"),
)


def names() -> tuple[str, ...]:
    """All stages, in the order of the chain; those of other packages come last."""
    return (*BUILT_IN, *_plugins())


def stages() -> dict[str, AnyStage]:
    """All stages by name. Cheap: no stage imports torch at module level."""
    return {name: stage(name) for name in names()}


def stage(name: str) -> AnyStage:
    """One stage, also by its name in an earlier version. Raises KeyError for an unknown name."""
    name = stage_name(name)
    if name in BUILT_IN:
        found: AnyStage = import_module(f"backend.stages.{name}").STAGE
        return found
    loaded: AnyStage = _plugins()[name].load()
    if loaded.name != name:
        raise RuntimeError(f"the entry point {name!r} names the stage {loaded.name!r}")
    return loaded


@cache
def _plugins() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group="slmops.stages"):
        if point.name in BUILT_IN or point.name in found:
            raise RuntimeError(f"the stage {point.name!r} is defined twice")
        found[point.name] = point
    return found
