"""Tries several quantization schemes within a time budget and keeps the smallest model that is good enough.

Needs a model or adapter and a dataset. Every scheme is built, loaded and measured in a process of its own on the same
validation rows as the original: quality, perplexity, divergence, size, speed, memory. The choice is the smallest that keeps the
asked share of the original's quality; it is asked the test rows once, at the end. Leaves the chosen model (kind onnx) and a
report with all points (kind report, report.json). What was measured before a crash is not measured again.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from backend.core.artifacts import write_json
from backend.core.errors import Problem, StudioError
from backend.core.progress import Progress
from backend.core.refs import DatasetRef
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import Context, Result, Stage, World, check_fits, check_refs
from backend.core.thresholds import findings, threshold_field
from backend.core.units import percent_text
from backend.data.dataset import DataFolder, gold_answer
from backend.inference import time_estimates
from backend.models import costs
from backend.models.quantization import SCHEME_LABELS, SCHEMES, QuantizationParams, SchemeName, build_memory
from backend.results.scheme_choice import choose_scheme
from backend.stages import quantize
from backend.stages.quantize import QuantizeParams

_INT8_LAYER_EVERY = 6
"""One layer in so many keeps 8 bits, where a scheme lets some."""
TEST_ROWS = 500
REPORTED_METRICS = ("kl", "perplexity", "size_bytes", "decode_tokens_per_s", "ttft_ms", "peak_memory_bytes")


class SchemeSearchParams(QuantizationParams):
    data: DatasetRef = Field(
        title="Dataset",
        description="Validation rows select, training rows calibrate, test rows measure the selected model.",
    )
    schemes: Annotated[list[SchemeName], SCHEME_LABELS] = Field(
        [scheme.name for scheme in SCHEMES],
        title="Schemes",
        description="Schemes to try: rounding, weights per block, and what stays in 8 bits.",
    )
    keep: float = Field(
        0.99,
        title="Minimum quality retained",
        description="Selects the smallest model that keeps this share of the original quality on the validation rows.",
        gt=0,
        le=1,
    )
    minutes: int = Field(
        60,
        title="Time budget (minutes)",
        description="When it is used up, no further scheme starts; the best measured one is selected.",
        ge=1,
        le=10_000,
    )
    rows: int = Field(
        100,
        title="Rows",
        description="Validation rows per candidate. More rows are more reliable but slower.",
        ge=1,
        le=10_000,
    )
    max_too_long: float = threshold_field("max_too_long")


class SchemeSearchResult(Result):
    pass


def check(params: SchemeSearchParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if not params.schemes:
        problems.append(Problem(code="quant.none_chosen", field="schemes"))
    known = world.describe(params.data)
    rows = known.facts.get("rows") if known else None
    wanted = ["validation", *(["train"] if "gptq-64" in params.schemes else [])]
    lacking = [split for split in wanted if rows is not None and not rows.get(split, 0)]
    if lacking:
        args = {"ref": params.data, "splits": ", ".join(lacking)}
        problems.append(Problem(code="chat.no_rows", args=args, field="data"))
    if problems:
        return problems
    facts = world.describe(params.model).facts  # type: ignore[union-attr]
    for one in _candidates(params, facts).values():
        problems += [each.model_copy(update={"field": "schemes"}) for each in quantize.check_blocks(one, facts)]
    problems = problems[:1] + quantize.check_architecture(params.model, world, "int4")
    return problems + check_fits(quote(params, world), world)


def quote(params: SchemeSearchParams, world: World) -> Quote:
    """Disk is what all candidates take while it works; the choice alone stays."""
    known, data = world.describe(params.model), world.describe(params.data)
    facts, about = known.facts if known else {}, data.facts if data else {}
    there = about.get("rows", {})
    rows = min(params.rows, there.get("validation", params.rows))
    load, single = time_estimates.Load.of(about, rows, 0), time_estimates.Load.of(about, min(rows, 10), 0)
    test = time_estimates.Load.of(about, min(there.get("test", 0), TEST_ROWS), 0)
    original = {**costs.merged(facts), "format": "torch"}
    seconds = _measure_seconds(original, load, single) + _measure_seconds(original, test, single)
    sizes = []
    for one in _candidates(params, facts).values():
        made = quantize.quote(one, world)
        sizes.append(made.disk_bytes)
        seconds += made.seconds * world.speed() + _measure_seconds(made.forecast, load, single)
    size = min(sizes, default=0)
    forecast = {
        **quantize.onnx_facts(QuantizeParams.model_validate({"model": params.model}), facts),
        "size_bytes": size,
    }
    most = params.minutes * 60 + seconds / max(1, len(sizes))
    memory = max(build_memory(facts, known is not None and known.kind is Kind.ADAPTER), costs.answer_bytes(original))
    return Quote(
        seconds=min(seconds / world.speed(), most), memory_bytes=int(memory), disk_bytes=sum(sizes), forecast=forecast
    )


def _measure_seconds(facts: dict[str, Any], load: time_estimates.Load, single: time_estimates.Load) -> float:
    """Answers, times, and the right answers read once more."""
    reading = load.rows * time_estimates.first_token_seconds(facts, load)
    return time_estimates.answer_seconds(facts, load) + time_estimates.single_seconds(facts, single) + reading


def run(params: SchemeSearchParams, ctx: Context) -> SchemeSearchResult:
    from backend.ml.compression import olive_export
    from backend.ml.compression.quantize import Quantizer
    from backend.ml.evaluation.measure import ORIGINAL, Evaluator

    begun = time.monotonic()
    view, data = ctx.input(params.model), ctx.input(params.data)
    if not _can_score(data, "validation"):
        raise StudioError("chat.no_truth", ref=data.name, split="validation")
    candidates = _candidates(params, view.facts)
    progress = Progress(
        ctx, len(candidates) + 2, "merging the adapter" if view.kind is Kind.ADAPTER else "reading the model"
    )
    progress()
    source = olive_export.merged_model_folder(view, ctx.input, ctx.scratch("merged"))
    quantizer = Quantizer(source, ctx.dir / "maker", progress, ctx.log, data.path, params.calibration_rows)
    evaluator = Evaluator(ctx.dir, data, view, progress, ctx.log)
    original = evaluator.measure(source, ORIGINAL, "validation", params.rows)
    points, untried = _measure_all(params, ctx, view, candidates, quantizer, evaluator)
    good = [point for point in points if "metrics" in point]
    if not good:
        raise StudioError("quant.no_candidate", failure=Problem(**points[0]["failure"]).sentence())
    found = choose_scheme(good, original, params.keep)
    found |= {"points": points, "untried": untried, "original": original, "data": data.id, "model": view.id}
    chosen = next(point for point in good if point["name"] == found["choice"])
    found["test"] = _test(evaluator, source, ctx.dir / f"candidate-{chosen['name']}", chosen["name"], data)
    onnx, report = _store_results(params, ctx, view, data, chosen, found)
    progress.add(0, "done")
    ctx.log(f"Chosen: {chosen['name']} ({found['kept']:.1%} of the original's quality). Report: {report.id}.")
    counts = {"candidates": float(len(points)), "candidates_failed": float(len(points) - len(good))}
    kept = {"quality_kept": found["kept"], "seconds": time.monotonic() - begun}
    told = {name: value for name, value in chosen["metrics"].items() if name in (found["metric"], *REPORTED_METRICS)}
    found_wrong = _findings(found) + findings({"too_long": evaluator.too_long}, params.model_dump())
    return SchemeSearchResult(artifact=onnx.id, metrics=told | counts | kept, findings=found_wrong)


def _findings(found: dict[str, Any]) -> list[Problem]:
    """That no scheme keeps the quality that was asked for."""
    args = {"value": percent_text(found["kept"]), "limit": percent_text(found["keep"])}
    return [] if found["passed"] else [Problem(code="good.search", args=args, blocking=False)]


def _candidates(params: SchemeSearchParams, facts: dict[str, Any]) -> dict[str, QuantizeParams]:
    """What is tried, in the order of SCHEMES."""
    about = {"model": params.model, "data": params.data, "calibration_rows": params.calibration_rows}
    exact = {"exact_layers": max(1, int(facts.get("layers", 1)) // _INT8_LAYER_EVERY)}
    return {
        scheme.name: QuantizeParams.model_validate(about | scheme.params | (exact if scheme.int8_layers else {}))
        for scheme in SCHEMES
        if scheme.name in params.schemes
    }


def _measure_all(
    params: SchemeSearchParams,
    ctx: Context,
    view: ArtifactView,
    candidates: dict[str, QuantizeParams],
    quantizer: Any,
    evaluator: Any,
) -> tuple[list[dict[str, Any]], list[str]]:
    """The points of all that were tried, and the names of those for which no time was left. Those that ran are kept for
    another attempt; those that failed are tried again."""
    points: list[dict[str, Any]] = []
    untried = []
    for name, how in candidates.items():
        file = ctx.dir / f"point-{name}.json"
        spent = sum(point["seconds"] for point in points)
        if not file.is_file() and points and spent >= params.minutes * 60:
            untried.append(name)
            continue
        if file.is_file():
            points.append(json.loads(file.read_text("utf-8")))
        else:
            points.append(_measure_scheme(params, ctx, view, name, how, quantizer, evaluator))
            if "metrics" in points[-1]:
                write_json(file, points[-1])
        evaluator.progress.add(1)
    return points, untried


def _measure_scheme(
    params: SchemeSearchParams,
    ctx: Context,
    view: ArtifactView,
    name: str,
    how: QuantizeParams,
    quantizer: Any,
    evaluator: Any,
) -> dict[str, Any]:
    """One candidate. What fails becomes part of its point and doesn't end the others' turn."""
    begun = time.monotonic()
    asked = how.model_dump(mode="json", exclude_defaults=True, exclude={"model", "data", "calibration_rows"})
    point: dict[str, Any] = {"name": name, "params": asked, "precision": how.precision}
    try:
        layers, names = quantize.int8_modules(how, quantizer, ctx)
        out = ctx.scratch(f"candidate-{name}")
        quantizer.make(quantize.scheme_of(how, view.facts, names), out)
        facts = quantize.onnx_facts(how, view.facts, layers)
        metrics = evaluator.measure(out, name, "validation", params.rows)
    except StudioError as error:
        ctx.log(f"{name}: {error.text()}", "warning")
        return {**point, "failure": error.problems[0].model_dump(), "seconds": time.monotonic() - begun}
    told = ", ".join(f"{key} {value:.4g}" for key, value in metrics.items() if key != "seconds")
    ctx.log(f"{name}: {told}")
    return {**point, "facts": facts, "metrics": metrics, "seconds": time.monotonic() - begun}


def _test(evaluator: Any, source: Path, folder: Path, name: str, data: ArtifactView) -> dict[str, Any]:
    """The original and the choice on the test rows, which chose nothing; empty where there is no answer to compare with."""
    from backend.ml.evaluation.measure import ORIGINAL

    if not _can_score(data, "test"):
        return {}
    original = evaluator.measure(source, ORIGINAL, "test", TEST_ROWS)
    choice = evaluator.measure(folder, name, "test", TEST_ROWS)
    evaluator.progress.add(1)
    return {"original": original, "choice": choice}


def _can_score(data: ArtifactView, split: str) -> bool:
    return any(gold_answer(row) is not None for row in DataFolder(data.path).rows(split))


def _store_results(
    params: SchemeSearchParams,
    ctx: Context,
    view: ArtifactView,
    data: ArtifactView,
    chosen: dict[str, Any],
    found: dict[str, Any],
) -> tuple[ArtifactView, ArtifactView]:
    """The chosen model and the report. The candidate's folder stays, for an attempt that dies in between."""
    name = params.name or f"{view.name}-{chosen['name']}"
    out = ctx.scratch("out")
    out.rmdir()
    shutil.copytree(ctx.dir / f"candidate-{chosen['name']}", out, copy_function=os.link)
    parents, facts = [view.id, data.id], chosen["facts"]
    onnx = ctx.artifact(Kind.ONNX, name, out, facts=facts, parents=parents, license=view.license)
    folder = ctx.scratch("report")
    write_json(folder / "report.json", found)
    facts = {key: found[key] for key in ("choice", "metric", "keep", "kept", "passed", "data")}
    facts |= {"report": "search", "model": onnx.id, "failed": [] if found["passed"] else ["quality"]}
    facts |= {"size_bytes": chosen["metrics"]["size_bytes"], "n": chosen["metrics"]["n"]}
    report = ctx.artifact(Kind.REPORT, f"search-{view.name}", folder, facts=facts, parents=[onnx.id, *parents])
    return onnx, report


STAGE = Stage(
    name="scheme_search",
    title="Search schemes",
    page="quantize",
    open=("model", "data", "schemes", "keep", "minutes"),
    offers={"model": ("distill", "preference", "finetune"), "data": ("dataset",)},
    takes_project_model=True,
    kind=Kind.ONNX,
    params=SchemeSearchParams,
    result=SchemeSearchResult,
    check=check,
    quote=quote,
    run=run,
    example={"model": "smollm2-135m-instruct", "data": "voice-commands", "keep": 0.99},
)
