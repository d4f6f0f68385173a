"""Which modules of a model learn, and how many parameters: the rule that training and forms share. No torch."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from backend.core.errors import Problem, StudioError
from backend.core.schemas import Kind, Learning
from backend.core.stage import World
from backend.models import costs
from backend.models.matrices import Modules, modules_of
from backend.training.lora import LoraParams

_ATTENTION = re.compile(r"(^|[._])(self_?)?att(n|ention)[._]")
"""In the path of a module that lies in an attention block, whatever the architecture calls it."""


def choose_targets(paths: Iterable[str], asked: str | list[str]) -> list[str]:
    """What of the adaptable modules at `paths` `asked` means: all-linear, attention, or a list of names and regular expressions
    of whole paths. Names where these say it, else paths. Raises StudioError for one that fits nothing."""
    paths = list(paths)
    known = sorted({_last(path) for path in paths})
    if asked == "all-linear":
        return known
    if asked == "attention":
        return [path for path in paths if _ATTENTION.search(path)] or known
    found: dict[str, None] = {}
    for target in asked:
        meant = [target] if target in known else [path for path in paths if _fits(target, path)]
        if not meant:
            raise StudioError("train.targets", field="targets", target=target, known=", ".join(known))
        found |= dict.fromkeys(meant)
    return list(found)


def choose_saved(paths: Iterable[str], asked: list[str]) -> list[str]:
    """The paths, of modules that no adapter changes, that these names or paths mean. Raises StudioError for one that fits
    nothing."""
    paths = list(paths)
    found: dict[str, None] = {}
    for name in asked:
        meant = [path for path in paths if path == name or path.endswith(f".{name}")]
        if not meant:
            known = ", ".join(sorted({_last(path) for path in paths}))
            raise StudioError("train.modules_to_save", field="modules_to_save", target=name, known=known)
        found |= dict.fromkeys(meant)
    return list(found)


def adapted(params: LoraParams, ref: str, world: World) -> Learning:
    """Of the model behind `ref`, which is known. Raises StudioError for modules that it does not have."""
    model = world.describe(ref)
    assert model
    parameters, modules = int(model.facts["parameters"]), _modules(ref, world)
    if modules is None:
        size = costs.lora_size(model.facts, params.rank, params.targets)
        return Learning(trained=size, total=parameters + size, estimated=True)
    chosen = set(choose_targets(modules.matrices, params.targets))
    paths = [path for path in modules.matrices if path in chosen or _last(path) in chosen]
    size = sum(params.rank * sum(modules.matrices[path]) for path in paths)
    if params.variant == "dora":
        size += sum(modules.matrices[path][0] for path in paths)
    whole = choose_saved(modules.others, params.modules_to_save)
    tied = [path for path in whole if path in modules.tied]
    size += sum(modules.others[path] for path in {*whole} - {*tied[1:]})
    counts = Counter(_last(path) for path in [*paths, *whole])
    return Learning(trained=size, total=parameters + size, modules=dict(counts))


def whole(facts: dict[str, Any], trained: int | None = None) -> Learning:
    """Of a training without an adapter, of a model with these facts; `trained`: where not all of its weights learn."""
    parameters = int(facts["parameters"])
    return Learning(trained=parameters if trained is None else trained, total=parameters)


def check_modules(params: LoraParams, ref: str, world: World) -> list[Problem]:
    """Whether the model has the modules that are asked for, as far as its weights are there."""
    try:
        adapted(params, ref, world)
    except StudioError as error:
        return error.problems
    return []


def _modules(ref: str, world: World) -> Modules | None:
    model = world.describe(ref)
    while model and model.kind is Kind.ADAPTER and model.facts.get("base"):
        model = world.describe(str(model.facts["base"]))
    return modules_of(Path(model.path), model.facts) if model and model.path and not model.pending else None


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _fits(pattern: str, path: str) -> bool:
    try:
        return re.fullmatch(pattern, path) is not None
    except re.error:
        return False
