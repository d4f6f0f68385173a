"""The ways to have Olive do what a job did."""

from __future__ import annotations

import json

from backend.core.schemas import JobView, Kind
from backend.db import Store
from backend.models.matrices import modules_of
from backend.planning.olive.finetune_ways import finetune_ways
from backend.planning.olive.quantize_ways import exact_modules, quantize_ways
from backend.planning.olive.way import OliveWay
from backend.planning.recipes import SEED
from backend.stages.finetune import FinetuneParams
from backend.stages.quantize import QuantizeParams, int8_layer_count, scheme_of
from backend.training.adapted import choose_targets
from backend.training.lora import FULL


def has_ways(job: JobView) -> bool:
    """Whether Olive does the like."""
    return job.stage == "quantize" or (job.stage == "finetune" and job.params.get("method") != FULL)


def ways_of(job: JobView, store: Store) -> list[OliveWay]:
    """A command of Olive where it has one, last its workflow; [] for what Olive does not do. Raises StudioError where the model
    is not there."""
    if not has_ways(job):
        return []
    return (_finetune if job.stage == "finetune" else _quantize)(job, store)


def _finetune(job: JobView, store: Store) -> list[OliveWay]:
    params = FinetuneParams.model_validate(job.params)
    model = store.artifact(params.model, (Kind.MODEL,))
    modules = modules_of(model.path, model.facts)
    targets = choose_targets(modules.matrices, params.targets, params.top_share) if modules else []
    return finetune_ways(params.resolved(model.facts), str(model.path), _seed(job, store), targets)


def _seed(job: JobView, store: Store) -> int:
    recipe = store.recipe(job.run_id)
    own = next((each.get("seed") for each in recipe.get("stages", []) if each.get("id") == job.stage_id), None)
    return int(recipe.get("seed", SEED) if own is None else own)


def _quantize(job: JobView, store: Store) -> list[OliveWay]:
    params = QuantizeParams.model_validate(job.params)
    view = store.artifact(params.model, (Kind.MODEL, Kind.ADAPTER))
    adapter = view.kind is Kind.ADAPTER
    base = store.artifact(str(view.facts["base"])) if adapter else view
    exact = _exact(job, store)
    scheme = scheme_of(params, view.facts, exact)
    unknown = int8_layer_count(params) > 0 and not exact
    return quantize_ways(scheme, str(base.path), str(view.path) if adapter else "", unknown)


def _exact(job: JobView, store: Store) -> tuple[str, ...]:
    """What the job found to be sensitive, as far as its result is there."""
    made = job.result.get("artifact")
    view = store.find_artifact(str(made), (Kind.ONNX,)) if made else None
    file = view.path / "olive.json" if view else None
    return exact_modules(json.loads(file.read_text("utf-8"))) if file and file.is_file() else ()
