"""A model that was trained in full becomes an artifact: weights, tokenizer, template, facts, what its run said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.core.errors import Problem
from backend.core.schemas import ArtifactView, Kind
from backend.core.stage import Context
from backend.core.thresholds import as_facts
from backend.ml.training.checkpoints import explain_disk_full
from backend.models.probe import inspect_folder
from backend.training.control import control_facts
from backend.training.outcome import finite, result_fields
from backend.training.params import TrainingParams, learned_facts


def save_model(model: Any, out: Path) -> None:
    """Write config and safetensors. Raises StudioError when the disk is full."""
    with explain_disk_full(out):
        model.save_pretrained(out)


def keep_model(
    model: Any,
    trained: tuple[dict[str, float], list[Problem]],
    made_of: tuple[ArtifactView, ArtifactView, *tuple[ArtifactView, ...]],
    name: str,
    ctx: Context,
    params: TrainingParams,
    **more: Any,
) -> dict[str, Any]:
    """Make the artifact of a model that learned; what a `TrainingResult` says of it. `made_of`: its source, the dataset, and
    what else went in; `more`: further facts."""
    (metrics, said), (source, data, *_others) = trained, made_of
    out = ctx.scratch("out")
    save_model(model, out)
    inherited = learned_facts(source, data, out)
    facts = {**inspect_folder(out), **{key: inherited[key] for key in ("data", "template")}, **more}
    told = result_fields(said, metrics, facts)
    facts |= {"training": control_facts(metrics, params), **as_facts(told["findings"])}
    parents = [view.id for view in made_of]
    made = ctx.artifact(Kind.MODEL, name[:100], out, facts=facts, parents=parents, license=source.license)
    numbers = {**finite(metrics), "parameters": float(facts["parameters"])}
    return {"artifact": made.id, "metrics": numbers, **told}
