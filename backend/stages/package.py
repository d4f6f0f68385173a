"""Pack an ONNX model into a folder and a zip to hand over.

Needs an ONNX model and, for the model card, its evaluations and the reports of its checks; a named report that failed stops it
unless overruled. Findings of the model, of what it was converted from, and of any report or evaluation of these are found
without being named: they stand in the card, and the job ends with them unless they are overruled.
Leaves an artifact with `<name>/` (model, prompt, model card, scripts, requirements, lineage, hashes) and `<name>.zip` of the
same. `run.py` needs onnxruntime-genai alone, `foundry.py` the Foundry Local SDK alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from backend.core.artifacts import sha256, write_json
from backend.core.errors import Problem, StudioError
from backend.core.progress import Progress
from backend.core.refs import EvaluationRef, OnnxRef, ReportRef
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import Context, Params, Result, Stage, World, check_fits, check_refs
from backend.packaging import package_folder
from backend.packaging.data_checks import newest_checks
from backend.packaging.failed_reports import converted_from, found_problems
from backend.packaging.model_card import model_card
from backend.packaging.verify import VERSION, next_version, package_versions

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
BYTES_PER_SECOND = 150e6
"""Copy, hash, zip and hash again, on the reference's disk."""


class PackageParams(Params):
    model: OnnxRef = Field(title="Model", description="ONNX model for the package.")
    reports: list[ReportRef] = Field(
        [],
        title="Reports",
        description="Check reports shown in the model card. A failed one blocks the package.",
        max_length=20,
    )
    evaluations: list[EvaluationRef] = Field(
        [],
        title="Evaluations",
        description="Evaluations shown side by side in the model card.",
        max_length=20,
    )
    name: str = Field(
        "",
        title="Name",
        description="Name of the folder and zip file. Leave blank to use the model's.",
        max_length=100,
    )
    version: str = Field(
        "",
        title="Version",
        description="Three numbers, such as 1.2.0. Leave blank for the next version.",
        max_length=40,
    )
    overrule: str = Field(
        "",
        title="Override reason",
        description="Reason to package despite a failed or unrelated report. Shown in the model card.",
        max_length=500,
    )
    max_new_tokens: int = Field(
        256,
        title="Maximum answer length (tokens)",
        description="Maximum answer length of the packaged scripts. A token is part of a word.",
        ge=1,
        le=8192,
    )
    temperature: float = Field(
        0.0,
        title="Temperature",
        description="Default temperature of the packaged model. 0 always picks the most likely token.",
        ge=0,
        le=2,
    )
    max_length: int = Field(
        package_folder.GenerationDefaults().max_length,
        title="Maximum conversation length (tokens)",
        description="Prompt and answer together; the runtime reserves memory for it. 0 uses the full context.",
        ge=0,
        le=1_000_000,
    )


class PackageResult(Result):
    pass


def check(params: PackageParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if params.name and not _NAME.fullmatch(params.name):
        problems.append(Problem(code="chat.package_name", args={"name": params.name}, field="name"))
    if params.version and not VERSION.fullmatch(params.version):
        problems.append(Problem(code="package.version", args={"version": params.version}, field="version"))
    known = world.describe(params.model)
    if known is not None and known.facts.get("base"):
        problems.append(Problem(code="slots.attached", args={"ref": params.model}, field="model"))
    if not problems:
        problems = _check_reports(params, world) + _check_version(params, world)
    return problems or check_fits(quote(params, world), world)


def quote(params: PackageParams, world: World) -> Quote:
    known = world.describe(params.model)
    facts = known.facts if known else {}
    size = int(
        facts.get("size_bytes") or facts.get("parameters", 0) * (0.65 if facts.get("precision") == "int4" else 5)
    )
    return Quote(seconds=1 + 2 * size / BYTES_PER_SECOND, memory_bytes=150_000_000, disk_bytes=2 * size, forecast={})


def run(params: PackageParams, ctx: Context) -> PackageResult:
    view = ctx.input(params.model)
    reports = [ctx.input(ref) for ref in params.reports]
    measured_by = [*(ctx.input(ref) for ref in params.evaluations), *reports]
    named = _named_problems(params, view, reports)
    models = [view.id, *(each for each in view.parents if not each.startswith(f"{Kind.DATASET.value}-"))]
    unnamed = found_problems(ctx.artifacts, models, params.reports, ctx.trashed)
    found = [*named, *unnamed]
    overruled = bool(found and params.overrule.strip())
    name = params.name or re.sub(r"[^A-Za-z0-9._-]+", "-", view.name).strip("-.") or "model"
    known = package_versions(ctx.artifacts, name, but=f"{Kind.PACKAGE.value}-{ctx.job_id}")
    release = params.version or next_version(known)
    out = ctx.scratch("out")
    progress = Progress(ctx, 2 * view.size_bytes, "copying")
    folder = _build_folder(params, out / name, release, ctx, view, found, progress)
    if release in known and known[release] != sha256(folder / package_folder.CHECKSUMS_FILE):
        raise StudioError(
            "package.version_taken", field="version", name=name, version=release, next=next_version(known)
        )
    progress.add(0, "packaging")
    archive = out / f"{name}.zip"
    package_folder.write_zip(folder, archive, progress.add)
    zip_bytes = archive.stat().st_size
    facts = {"model": view.id, "version": release, "folder": name, "zip": archive.name, "zip_bytes": zip_bytes}
    facts |= {"zip_sha256": sha256(archive)} | ({"overrule": params.overrule} if overruled else {})
    parents = [view.id, *(each.id for each in measured_by)]
    made = ctx.artifact(Kind.PACKAGE, name, out, facts=facts, parents=parents, license=view.license)
    ctx.progress(progress.total, progress.total, "done")
    return PackageResult(
        artifact=made.id,
        metrics={"zip_bytes": float(zip_bytes), "size_bytes": float(made.size_bytes)},
        findings=[] if overruled else unnamed,
    )


def _build_folder(
    params: PackageParams,
    folder: Path,
    release: str,
    ctx: Context,
    view: ArtifactView,
    found: Sequence[Problem],
    progress: Progress,
) -> Path:
    """Everything of the package that is not its zip file."""
    model, name = folder / package_folder.MODEL_FOLDER, folder.name
    evaluations, reports = ([ctx.input(ref) for ref in refs] for refs in (params.evaluations, params.reports))
    defaults = package_folder.GenerationDefaults(params.temperature, params.max_length)
    notes = package_folder.fill_model_folder(view.path, model, name, view.name, defaults, progress.add)
    package_folder.move_legal_files(model, folder)
    ancestors = ctx.ancestors(view)
    reason = params.overrule if found else ""
    checks = newest_checks(ctx.artifacts, ancestors, ctx.trashed)
    card = model_card(name, release, view, ancestors, evaluations, reports, notes, reason, checks, found)
    (folder / "README.md").write_text(card, encoding="utf-8")
    for file, text in package_folder.scripts(name, release, params.max_new_tokens).items():
        (folder / file).write_text(text, encoding="utf-8")
    (folder / "requirements.txt").write_text(package_folder.requirements(), encoding="utf-8")
    write_json(
        folder / "lineage.json", package_folder.lineage(name, release, view, ancestors, [*evaluations, *reports])
    )
    package_folder.write_checksums(folder)
    return folder


def _named_problems(params: PackageParams, view: ArtifactView, reports: Sequence[ArtifactView]) -> list[Problem]:
    """What the reports that were named say against the package. Raises StudioError with all of it when there is no reason to
    overrule it."""
    problems = [
        problem
        for each in reports
        for problem in _report_problems(each.name, each.facts, each.facts.get("model") == view.id)
    ]
    if problems and not params.overrule.strip():
        raise StudioError.of(problems)
    return problems


def _report_problems(name: str, facts: dict[str, Any], ours: bool) -> list[Problem]:
    if not ours:
        return [Problem(code="package.report_other", args={"report": name}, field="reports")]
    if not facts.get("passed"):
        failed = ", ".join(map(str, facts.get("failed", []))) or "–"
        return [Problem(code="package.report_failed", args={"report": name, "failed": failed}, field="reports")]
    return []


def _check_reports(params: PackageParams, world: World) -> list[Problem]:
    """Those that earlier stages will only make are looked at when they are there."""
    if params.overrule.strip():
        return []
    model = world.describe(params.model)
    place = Path(model.path).name if model and model.path else None
    problems = []
    for ref in params.reports:
        known = world.describe(ref)
        if known is not None and not known.pending:
            ours = place is None or known.facts.get("model") == place
            problems += _report_problems(ref, known.facts, ours)
    if model and model.path and not model.pending:
        folder = Path(model.path)
        found = found_problems(folder.parents[1], converted_from(folder), params.reports, world.trashed())
        problems += [each.model_copy(update={"blocking": False}) for each in found]
    return problems


def _check_version(params: PackageParams, world: World) -> list[Problem]:
    """What can be told beforehand; the stage compares the bytes themselves."""
    known = world.describe(params.name) if params.name and params.version else None
    model = world.describe(params.model)
    if known is None or known.kind is not Kind.PACKAGE or model is None or not model.path:
        return []
    if known.facts.get("version") != params.version or known.facts.get("model") == Path(model.path).name:
        return []
    args = {"name": params.name, "version": params.version, "next": next_version([params.version])}
    return [Problem(code="package.version_taken", args=args, field="version")]


STAGE = Stage(
    name="package",
    title="Package",
    page="quantize",
    open=("model", "reports", "overrule", "evaluations", "name", "version"),
    offers={"model": ("search", "quantize")},
    takes_project_model=True,
    kind=Kind.PACKAGE,
    params=PackageParams,
    result=PackageResult,
    check=check,
    quote=quote,
    run=run,
    queue="light",
    example={"model": "student-int4", "evaluations": [], "name": "voice-intent"},
)
