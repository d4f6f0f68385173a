"""Pack an ONNX model into a folder and a zip to hand over.

Needs an ONNX model and, for the model card, its evaluations. Leaves an artifact with `<name>/` (model, prompt, model card,
ten-line script, requirements, hashes) and `<name>.zip` of the same. The script needs onnxruntime-genai alone.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field

from backend.chat import packing
from backend.chat.pulse import Pulse
from backend.errors import Problem
from backend.schemas import ArtifactView, Kind, Quote
from backend.stages.base import EvaluationRef, OnnxRef, Params, Result, Stage, World, check_fits, check_refs

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
BYTES_PER_SECOND = 150e6
"""Copy, hash, zip and hash again, on the reference's disk."""


class PackageParams(Params):
    model: OnnxRef = Field(title="Model", description="The ONNX model to hand over.")
    evaluations: list[EvaluationRef] = Field(
        [],
        title="Evaluations",
        description="Shown side by side in the model card, so that others see how good the model is.",
        max_length=20,
    )
    name: str = Field(
        "",
        title="Name",
        description="Name of the folder and of the zip file. Leave it empty to take the model's.",
        max_length=100,
    )
    version: str = Field(
        "1.0.0", title="Version", description="The version that the model card names, such as 1.0.0.", max_length=40
    )
    max_new_tokens: int = Field(
        256,
        title="Longest answer in tokens",
        description="Where the script in the package cuts off an answer. A token is a short piece of a word.",
        ge=1,
        le=8192,
    )


class PackageResult(Result):
    pass


def check(params: PackageParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if params.name and not _NAME.fullmatch(params.name):
        problems.append(Problem(code="chat.package_name", args={"name": params.name}, field="name"))
    return problems or check_fits(quote(params, world), world)


def quote(params: PackageParams, world: World) -> Quote:
    known = world.describe(params.model)
    facts = known.facts if known else {}
    size = int(
        facts.get("size_bytes") or facts.get("parameters", 0) * (0.65 if facts.get("precision") == "int4" else 5)
    )
    return Quote(seconds=1 + 2 * size / BYTES_PER_SECOND, memory_bytes=150_000_000, disk_bytes=2 * size, forecast={})


def run(params: PackageParams, ctx: Any) -> PackageResult:
    view = ctx.input(params.model)
    evaluations = [ctx.input(ref) for ref in params.evaluations]
    name = params.name or re.sub(r"[^A-Za-z0-9._-]+", "-", view.name).strip("-.") or "model"
    out = ctx.scratch("out")
    folder = out / name
    pulse = Pulse(ctx, 2 * view.size_bytes, "copying")
    model = folder / packing.MODEL_FOLDER
    packing.copy_model(view.path, model, pulse.add)
    packing.lift_legal_files(model, folder)
    packing.write_inference_model(model, name, packing.prompt_text(view.path, view.name))
    lineage = _lineage(view, ctx)
    card = packing.model_card(name, params.version, view, lineage, evaluations)
    (folder / "README.md").write_text(card, encoding="utf-8")
    (folder / "run.py").write_text(packing.script(params.max_new_tokens), encoding="utf-8")
    (folder / "requirements.txt").write_text(packing.requirements(), encoding="utf-8")
    packing.write_sums(folder)
    pulse.add(0, "packing")
    archive = out / f"{name}.zip"
    packing.write_zip(folder, archive, pulse.add)
    zip_bytes = archive.stat().st_size
    facts = {"model": view.id, "version": params.version, "folder": name, "zip": archive.name, "zip_bytes": zip_bytes}
    parents = [view.id, *(each.id for each in evaluations)]
    made = ctx.artifact(Kind.PACKAGE, name, out, facts=facts, parents=parents, license=view.license)
    ctx.progress(pulse.total, pulse.total, "done")
    return PackageResult(
        artifact=made.id, metrics={"zip_bytes": float(zip_bytes), "size_bytes": float(made.size_bytes)}
    )


def _lineage(view: ArtifactView, ctx: Any) -> list[ArtifactView]:
    """All ancestors that are known, nearest first."""
    known, found, ahead = ctx.order.inputs, [], list(view.parents)
    while ahead:
        ancestor = known.get(ahead.pop(0))
        if ancestor is not None and ancestor not in found:
            found.append(ancestor)
            ahead += ancestor.parents
    return found


STAGE = Stage(
    name="package",
    title="Package",
    kind=Kind.PACKAGE,
    params=PackageParams,
    result=PackageResult,
    check=check,
    quote=quote,
    run=run,
    queue="light",
    example={"model": "student-int4", "evaluations": [], "name": "voice-intent"},
)
