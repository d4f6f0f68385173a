"""Which modules of a model learn, and how many parameters: the rule that training and forms share. No torch."""

from __future__ import annotations

import math
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
from backend.training.params import TrainingParams

_ATTENTION = re.compile(r"(^|[._])(self_?)?att(n|ention)[._]")
"""In the path of a module that lies in an attention block, whatever the architecture calls it."""


def choose_targets(paths: Iterable[str], asked: str | list[str], top_share: float = 1.0) -> list[str]:
    """What of the adaptable modules at `paths` `asked` means: all-linear, attention, or a list of names and regular expressions
    of whole paths. Names where these say it, else paths; of the share `top_share` of the layers, the last ones. Raises
    StudioError for one that fits nothing."""
    paths = list(paths)
    if top_share < 1:
        layers = 1 + max((_layer(path) for path in paths), default=0)
        chosen = set(choose_targets(paths, asked))
        upper = [path for path in paths if _layer(path) >= layers - math.ceil(top_share * layers)]
        taken = [path for path in upper if chosen & {path, _last(path)}]
        if not taken:
            named, there = (", ".join(sorted(names)) for names in (chosen, {_last(path) for path in upper}))
            raise StudioError("train.targets", field="targets", target=named, known=there)
        return taken
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


def learning(params: TrainingParams, adapter: LoraParams | None, ref: str, world: World, whole: int) -> Learning:
    """What learns of the model behind `ref`, which is known, and how fast: an adapter, else `whole` of its parameters. Raises
    StudioError for modules that the model does not have."""
    model = world.describe(ref)
    assert model
    parameters, usual = int(model.facts["parameters"]), params.usual_rate(model.facts)
    rates: Any = {"learning_rate": params.learning_rate or usual.usual, "usual_rates": (usual.low, usual.high)}
    if adapter is None:
        return Learning(trained=whole, total=parameters, **rates)
    modules = _modules(ref, world)
    if modules is None:
        size = costs.lora_size(model.facts, adapter.rank, adapter.targets)
        size = round(size * adapter.top_share)
        return Learning(trained=size, total=parameters + size, estimated=True, **rates)
    paths, saved = _chosen(adapter, modules)
    size = sum(adapter.rank * sum(modules.matrices[path]) for path in paths)
    if adapter.variant == "dora":
        size += sum(modules.matrices[path][0] for path in paths)
    twice = [path for path in saved if path in modules.tied][1:]
    size += sum(modules.others[path] for path in saved if path not in twice)
    counts = Counter(_last(path) for path in [*paths, *saved])
    return Learning(trained=size, total=parameters + size, modules=dict(counts), **rates)


def _chosen(params: LoraParams, modules: Modules) -> tuple[list[str], list[str]]:
    """The paths of the adapted modules and of those that are trained whole."""
    chosen = set(choose_targets(modules.matrices, params.targets, params.top_share))
    paths = [path for path in modules.matrices if path in chosen or _last(path) in chosen]
    return paths, choose_saved(modules.others, params.modules_to_save)


def check_modules(params: LoraParams, ref: str, world: World) -> list[Problem]:
    """Whether the model has the modules that are asked for, as far as its weights are there."""
    modules = _modules(ref, world)
    try:
        if modules:
            _chosen(params, modules)
    except StudioError as error:
        return error.problems
    return []


def _modules(ref: str, world: World) -> Modules | None:
    model = world.describe(ref)
    while model and model.kind is Kind.ADAPTER and model.facts.get("base"):
        model = world.describe(str(model.facts["base"]))
    return modules_of(Path(model.path), model.facts) if model and model.path and not model.pending else None


def _layer(path: str) -> int:
    """The number of the layer in which a module lies; -1 outside of all."""
    number = re.search(r"\.(\d+)\.", path)
    return int(number[1]) if number else -1


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _fits(pattern: str, path: str) -> bool:
    try:
        return re.fullmatch(pattern, path) is not None
    except re.error:
        return False
