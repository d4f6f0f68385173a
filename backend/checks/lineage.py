"""What a checked model was made from, and where its weights lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.core.artifacts import read_manifest
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.core.stage import Context, World
from backend.packaging.package_folder import MODEL_FOLDER

TORCH_KINDS = (Kind.MODEL, Kind.ADAPTER)
WEIGHTS = (".safetensors", ".onnx", ".onnx.data", ".onnx_adapter")


def as_export(view: ArtifactView, ctx: Context) -> ArtifactView:
    """An ONNX artifact itself; a package as the ONNX model that lies in it."""
    if view.kind is Kind.ONNX:
        return view
    folder = view.path / str(view.facts["folder"]) / MODEL_FOLDER
    packed: ArtifactView = ctx.input(view.facts["model"])
    return view.model_copy(update={"kind": Kind.ONNX, "path": folder, "facts": packed.facts})


def facts_of(ref: str, world: World) -> dict[str, Any]:
    """Before a run: the facts of a model, for a package those of the model in it."""
    known = world.describe(ref)
    if known and known.kind is Kind.PACKAGE:
        known = world.describe(str(known.facts.get("model", "")))
    return known.facts if known else {}


def original_of(view: ArtifactView, ctx: Context) -> ArtifactView:
    """The nearest ancestor with torch weights. Raises StudioError when there is none."""
    ahead = list(view.parents)
    while ahead:
        parent: ArtifactView = ctx.input(ahead.pop(0))
        if parent.kind in TORCH_KINDS:
            return parent
        ahead += parent.parents if parent.kind is Kind.ONNX else []
    raise StudioError("gate.no_original", ref=view.name)


def bases_of(view: ArtifactView, ctx: Context) -> list[ArtifactView]:
    """What an adapter stands on, nearest first; nothing for other models."""
    found = []
    while base := view.facts.get("base"):
        view = ctx.input(base)
        found.append(view)
    return found


def size_metrics(view: ArtifactView, ctx: Context) -> dict[str, float]:
    """Bytes that have to be handed over, with what an adapter stands on, and parameters."""
    needed = [view, *bases_of(view, ctx)]
    files = [path for each in needed for path in each.path.rglob("*") if path.is_file()]
    weights = sum(path.stat().st_size for path in files if path.name.endswith(WEIGHTS))
    parameters = view.facts.get("parameters") or needed[-1].facts.get("parameters", 0)
    size = float(sum(each.size_bytes for each in needed))
    return {"size_bytes": size, "weights_bytes": float(weights), "parameters": float(parameters)}


def has_original(folder: Path, world: World) -> bool:
    """Before a run: whether torch weights are among the ancestors, as far as manifests can be read."""
    ahead = read_manifest(folder).parents
    while ahead:
        parent = world.describe(ahead.pop(0))
        if parent and parent.kind in TORCH_KINDS:
            return True
        if parent and parent.kind is Kind.ONNX and parent.path:
            ahead += read_manifest(Path(parent.path)).parents
    return False
