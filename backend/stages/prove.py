"""Prove that the real Foundry Local runtime answers as the studio does.

Needs an ONNX model (its package is assembled first, as the stage `package` would) or a package, and a dataset. Both runtimes
answer the same rows, greedily: ONNX Runtime GenAI here, Foundry Local in a process of its own, offline. Leaves a report:
report.json with its checks and answers.jsonl with every row. A runtime that can't load the model is a report that failed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated, Any

from pydantic import Field

from backend.core.artifacts import write_json
from backend.core.errors import Problem, StudioError
from backend.core.fields import MeasuredSplit, Name
from backend.core.progress import Progress
from backend.core.refs import DatasetRef, RefTo
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import Context, Params, Result, Stage, World, check_fits, check_refs, check_rows
from backend.data.dataset import DataFolder, Row, gold_answer, gold_rows
from backend.inference import time_estimates
from backend.inference.long_rows import rows_that_fit
from backend.inference.protocol import Sampling, max_answer_tokens
from backend.ml.inference.open import open_engine
from backend.models import costs
from backend.packaging import foundry, package_folder
from backend.process.memory import peak_memory

ProvableRef = Annotated[str, RefTo((Kind.ONNX, Kind.PACKAGE))]
FOUNDRY_SECONDS, FOUNDRY_ROW_SECONDS, FOUNDRY_MEMORY = 4.0, 0.1, 350_000_000
"""Starting the runtime and loading; what a session costs beside its tokens; what the process takes beside the weights."""


class ProveParams(Params):
    model: ProvableRef = Field(
        title="Model or package", description="ONNX model, packaged for the test, or an existing package."
    )
    data: DatasetRef = Field(title="Dataset", description="Dataset whose rows are evaluated.")
    split: MeasuredSplit = "validation"
    rows: int = Field(
        50,
        title="Rows",
        description="Rows both runtimes answer. More rows are more reliable but slower.",
        ge=1,
        le=10_000,
    )
    min_agreement: float = Field(
        0.98,
        title="Minimum identical answers",
        description="Minimum share of identical answers in both runtimes.",
        ge=0,
        le=1,
    )
    max_drop: float = Field(
        0.02,
        title="Maximum accuracy loss",
        description="Maximum drop in correct labels in Foundry Local.",
        ge=0,
        le=1,
    )
    name: Name = ""


class ProveResult(Result):
    pass


def check(params: ProveParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    problems += check_rows(params.data, params.split, world)
    model = world.describe(params.model)
    if model is not None and model.facts.get("base"):
        problems.append(Problem(code="slots.attached", args={"ref": params.model}, field="model"))
    if foundry.foundry_python() is None:
        problems.append(Problem(code="foundry.missing"))
    return problems or check_fits(quote(params, world), world)


def quote(params: ProveParams, world: World) -> Quote:
    """Here and there, one row at a time; a package says of its model where that is."""
    known = world.describe(params.model)
    facts = dict(known.facts) if known else {}
    if known is not None and known.kind is Kind.PACKAGE:
        packed = world.describe(str(facts.get("model")))
        facts = dict(packed.facts) if packed else {}
    data = world.describe(params.data)
    there = (data.facts if data else {}).get("rows", {}).get(params.split, 0)
    rows = min(there, params.rows)
    ours = time_estimates.answer_seconds(facts, time_estimates.Load.of(data.facts if data else {}, rows, 0))
    seconds = (2 * ours + FOUNDRY_SECONDS + rows * FOUNDRY_ROW_SECONDS) / world.speed()
    size = int(facts.get("size_bytes") or facts.get("parameters", 0))  # about a byte each, where nobody has counted
    return Quote(
        seconds=seconds, memory_bytes=2 * costs.answer_bytes(facts) + FOUNDRY_MEMORY, disk_bytes=size, forecast={}
    )


def run(params: ProveParams, ctx: Context) -> ProveResult:
    view, source = ctx.input(params.model), ctx.input(params.data)
    data = DataFolder(source.path)
    rows = gold_rows(source, params.split, params.rows)
    progress = Progress(ctx, 2 * len(rows), "copying")
    progress()
    packed = _package_folder(view, ctx, progress)
    rows, ours = _answer_in_studio(packed, data, rows, progress, ctx)
    try:
        theirs = _answer_in_foundry(packed, data, rows, int(ours["max_new_tokens"]), ctx, progress)
        reason = ""
    except StudioError as error:
        if error.code != "foundry.stopped":
            raise
        theirs, reason = None, error.text()
    checks, numbers = _compare(params, data, rows, ours, theirs)
    return _save_report(params, ctx, view, source, rows, (ours, theirs), (checks, numbers), reason)


def _package_folder(view: ArtifactView, ctx: Context, progress: Progress) -> ArtifactView:
    """The folder that Foundry Local gets, as an ONNX model."""
    if view.kind is Kind.PACKAGE:
        folder = view.path / view.facts["folder"] / package_folder.MODEL_FOLDER
    else:
        folder = ctx.scratch("packed") / package_folder.MODEL_FOLDER
        package_folder.fill_model_folder(
            view.path, folder, "model", view.name, package_folder.GenerationDefaults(), lambda _: progress()
        )
    return view.model_copy(update={"path": folder, "kind": Kind.ONNX})


def _answer_in_studio(
    packed: ArtifactView, data: DataFolder, rows: list[Row], progress: Progress, ctx: Context
) -> tuple[list[Row], dict[str, Any]]:
    """The rows that fit the context, and what was said to them."""
    progress.add(0, "answering")
    begun = perf_counter()
    engine = open_engine(packed, lambda ref: packed)
    loaded = perf_counter() - begun
    max_new_tokens = max_answer_tokens(data, engine.encoder)
    said = []
    try:
        rows = rows_that_fit(engine, data.template, rows, ctx.log, packed.name)
        for row in rows:
            prompt, begun = engine.encode(data.template.prompt(row)), perf_counter()
            ids = list(engine.stream_ids(prompt, Sampling(max_new_tokens=max_new_tokens)))
            seconds = perf_counter() - begun
            said.append(
                {
                    "text": engine.encoder.text(ids),
                    "prompt_tokens": len(prompt),
                    "tokens": len(ids),
                    "seconds": seconds,
                }
            )
            progress.add()
    finally:
        engine.close()
    figures = {"max_new_tokens": max_new_tokens, "load_seconds": loaded, "peak_memory_bytes": peak_memory()}
    return rows, {"said": said, **figures}


def _answer_in_foundry(
    packed: ArtifactView, data: DataFolder, rows: list[Row], max_new_tokens: int, ctx: Context, progress: Progress
) -> dict[str, Any]:
    progress.add(0, "querying Foundry Local")
    prompts = [data.template.prompt(row) for row in rows]
    found: dict[str, Any] = {"said": []}
    asked = foundry.ask_foundry(
        packed.path, "model:1", prompts, max_new_tokens, ctx.scratch("foundry"), progress, ctx.log
    )
    with closing(asked) as lines:  # a cancel ends the runtime at once
        for line in lines:
            if "text" in line:
                found["said"].append(line)
                progress.add()
            else:
                found |= line
    return found


def _compare(
    params: ProveParams, data: DataFolder, rows: Sequence[Row], ours: dict[str, Any], theirs: dict[str, Any] | None
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """The checks, each with its value and limit, and the numbers of both sides."""
    numbers: dict[str, float] = {"n": float(len(rows)), "here_load_seconds": ours["load_seconds"]}
    if theirs is None:
        return [{"check": "loads", "passed": False}], numbers
    pairs = list(zip(ours["said"], theirs["said"], strict=True))
    same = sum(mine["text"].strip() == yours["text"].strip() for mine, yours in pairs) / len(pairs)
    prompts = sum(mine["prompt_tokens"] == yours["prompt_tokens"] for mine, yours in pairs) / len(pairs)
    checks = [
        {"check": "loads", "passed": True},
        {"check": "same prompt", "passed": prompts == 1, "value": prompts, "limit": 1.0},
        {"check": "same answers", "passed": same >= params.min_agreement, "value": same, "limit": params.min_agreement},
    ]
    numbers |= {"load_seconds": theirs["load_seconds"], "same_prompts": prompts, "same_answers": same}
    numbers |= {"peak_memory_bytes": float(theirs["peak_memory_bytes"])} | _speed("", theirs["said"])
    numbers |= {"here_peak_memory_bytes": float(ours["peak_memory_bytes"])} | _speed("here_", ours["said"])
    if data.template.answer == "label":
        right, here = _accuracy(rows, theirs["said"]), _accuracy(rows, ours["said"])
        numbers |= {"accuracy": right, "here_accuracy": here}
        kept = right >= here - params.max_drop - 1e-9
        checks.append({"check": "accuracy kept", "passed": kept, "value": right, "limit": here - params.max_drop})
    return checks, numbers


def _accuracy(rows: Sequence[Row], said: Sequence[dict[str, Any]]) -> float:
    right: int = sum(
        (gold_answer(row) or "").strip() == each["text"].strip() for row, each in zip(rows, said, strict=True)
    )
    return right / len(rows)


def _speed(side: str, said: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Tokens of answers per second of whole answers, prompts included, and the median of these."""
    seconds = [each["seconds"] for each in said]
    total = sum(each["tokens"] for each in said)
    return {f"{side}answer_tokens_per_s": total / sum(seconds), f"{side}latency_ms_p50": 1000 * median(seconds)}


def _save_report(
    params: ProveParams,
    ctx: Context,
    view: ArtifactView,
    source: ArtifactView,
    rows: Sequence[Row],
    sides: tuple[dict[str, Any], dict[str, Any] | None],
    found: tuple[list[dict[str, Any]], dict[str, float]],
    reason: str,
) -> ProveResult:
    (ours, theirs), (checks, numbers) = sides, found
    out: Path = ctx.scratch("out")
    failed = [each["check"] for each in checks if not each["passed"]]
    model = view.facts["model"] if view.kind is Kind.PACKAGE else view.id
    facts = {"report": "foundry", "model": model, "passed": not failed, "failed": failed, "data": source.id}
    facts |= {"sdk": theirs["sdk"]} if theirs else {"reason": reason}
    write_json(out / "report.json", {**facts, "checks": checks, "numbers": numbers})
    said = theirs["said"] if theirs else [{}] * len(rows)
    with (out / "answers.jsonl").open("w", encoding="utf-8") as stream:
        for row, mine, yours in zip(rows, ours["said"], said, strict=True):
            line = {"id": row.id, "input": row.input, "expected": gold_answer(row), "here": mine, "foundry": yours}
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
    ctx.log(f"Foundry Local: {', '.join(failed) + ' failed' if failed else 'all checks passed'}. {reason}".strip())
    name = params.name or f"{view.name} in Foundry Local"
    made = ctx.artifact(Kind.REPORT, name, out, facts={**facts, **numbers}, parents=[view.id, source.id])
    ctx.progress(1, 1, "done")
    args = {"count": len(failed), "total": len(checks), "failed": ", ".join(failed)}
    wrong = [Problem(code="good.checks", args=args, blocking=False)] if failed else []
    return ProveResult(artifact=made.id, metrics={"checks_failed": float(len(failed)), **numbers}, findings=wrong)


STAGE = Stage(
    name="prove",
    title="Verify in Foundry Local",
    page="quantize",
    open=("model", "data", "rows"),
    offers={"model": ("search", "quantize"), "data": ("dataset",)},
    takes_project_model=True,
    kind=Kind.REPORT,
    params=ProveParams,
    result=ProveResult,
    check=check,
    quote=quote,
    run=run,
    example={"model": "student-int4", "data": "voice-commands", "rows": 50},
)
