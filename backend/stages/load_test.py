"""How many users a model can answer at once on this machine.

Needs a model (torch, adapter, ONNX) and a dataset for the prompts. Serves the model in processes of its own, as `slmops serve`
does, and asks it over HTTP from 1, 4, 16, ... clients, streaming; each client sends its next request when the last is answered.
Leaves a report: report.json with the cold start, each level's times to the first token, latencies, tokens a second and errors,
and requests.jsonl. Failed requests, too little time and latencies above the limit are findings. A level that is done is not
measured again after a crash. Adapters attached to an ONNX model are not loaded with it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

from pydantic import BaseModel, Field

from backend.checks.lineage import bases_of
from backend.core import machine
from backend.core.artifacts import write_json
from backend.core.errors import Problem, StudioError
from backend.core.fields import MeasuredSplit, Name
from backend.core.progress import Progress
from backend.core.refs import DatasetRef, ModelRef
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import Context, Params, Result, Stage, World, check_fits, check_refs, check_rows
from backend.data.dataset import DataFolder, Message, Template
from backend.inference import time_estimates
from backend.inference.load import REPORT, Asked, LoadLevel, Target, ask_once, measure_level
from backend.inference.served import Served, can_limit_cores, served
from backend.models import costs

PROMPTS, MOST_CLIENTS = 64, 256
_SERVER_MEMORY = 120_000_000
_SERVER_SECONDS = 4.0
"""What the server takes beside the process of its model, and its start."""
_LOAD_SECONDS = 900.0
"""Longest wait for the first answer."""


class LoadTestParams(Params):
    model: ModelRef = Field(title="Model", description="Model to serve and ask.")
    data: DatasetRef = Field(title="Dataset", description="Dataset whose rows are the prompts.")
    split: MeasuredSplit = Field("validation", description="Rows to ask. Their answers are not scored.")
    clients: list[int] = Field(
        [1, 4, 16],
        title="Concurrent clients",
        description="Clients that ask at the same time, one level after another.",
        min_length=1,
        max_length=8,
    )
    requests: int = Field(
        32,
        title="Requests per level",
        description="At least one per client. Use 100 or more for a reliable p99.",
        ge=1,
        le=10_000,
    )
    max_new_tokens: int = Field(
        64,
        title="Maximum answer length (tokens)",
        description="Longest answer to each request. Answers may end sooner.",
        ge=1,
        le=4096,
    )
    level_seconds: int = Field(
        120,
        title="Seconds per level",
        description="No request starts after this time, and none may take longer.",
        ge=1,
        le=3600,
    )
    cores: int = Field(
        0,
        title="CPU cores",
        description="Cores the server may use, to imitate a small device. 0 uses all.",
        ge=0,
        le=1024,
    )
    max_memory_mb: int = Field(
        0,
        title="Memory limit in MB",
        description="Above this peak memory, the result has findings. 0 means no limit.",
        ge=0,
        le=10_000_000,
    )
    max_latency_ms: int = Field(
        0,
        title="Latency limit in ms (p95)",
        description="Above this latency, the result has findings. 0 means no limit.",
        ge=0,
        le=3_600_000,
    )
    name: Name = ""


class LoadTestResult(Result):
    """Metrics: those of the level with the most clients, the cold start and the peak memory."""


class Measured(BaseModel):
    """What is known so far; kept after each level, so that a second attempt goes on behind it."""

    cold_start_seconds: float = 0.0
    peak_memory_bytes: int = 0
    levels: list[LoadLevel] = []


def check(params: LoadTestParams, world: World) -> list[Problem]:
    problems = check_refs(params, world) + check_rows(params.data, params.split, world)
    if not all(1 <= clients <= MOST_CLIENTS for clients in params.clients):
        problems.append(Problem(code="load.clients", args={"most": MOST_CLIENTS}, field="clients"))
    if params.cores and not can_limit_cores():
        problems.append(Problem(code="load.no_cores", field="cores"))
    return problems or check_fits(quote(params, world), world)


def quote(params: LoadTestParams, world: World) -> Quote:
    """As if requests were answered one by one: what a batch saves, HTTP and waiting take. No level takes longer than twice
    its seconds."""
    model, data = world.describe(params.model), world.describe(params.data)
    facts = dict(model.facts) if model else {}
    load = time_estimates.Load.of(data.facts if data else {}, 1, params.max_new_tokens)
    one = time_estimates.one_seconds(facts, load) / world.speed()
    slower = max(1.0, machine.cores() / params.cores) if params.cores else 1.0
    asked = [max(params.requests, clients) for clients in _levels(params)]
    seconds = sum(min(2.0 * params.level_seconds, count * one * slower) for count in asked)
    return Quote(
        seconds=time_estimates.answer_seconds(facts, load) / world.speed() + _SERVER_SECONDS + seconds,
        memory_bytes=costs.answer_bytes(facts) + _SERVER_MEMORY,
        disk_bytes=200 * sum(asked),
    )


def run(params: LoadTestParams, ctx: Context) -> LoadTestResult:
    view, source = ctx.input(params.model), ctx.input(params.data)
    prompts = _prompts(view, source, params.split)
    levels = _levels(params)
    kept = ctx.checkpoints / "measured.json"
    found = Measured.model_validate_json(kept.read_text("utf-8")) if kept.is_file() else Measured()
    total = sum(max(params.requests, clients) for clients in levels)
    done = sum(max(params.requests, level.clients) for level in found.levels)
    ctx.progress(done, total, "loading the model")
    if len(found.levels) < len(levels):
        with served([view, *bases_of(view, ctx)], ctx.scratch("served"), params.cores) as server:
            target = Target(url=server.url, key=server.key, model=view.id, max_new_tokens=params.max_new_tokens)
            found.cold_start_seconds = found.cold_start_seconds or _cold_start(server, target, prompts[0])
            progress = Progress(ctx, total, "querying the server", done)
            for clients in levels[len(found.levels) :]:
                _measure(params, ctx, target, prompts, clients, found, progress)
                found.peak_memory_bytes = max(found.peak_memory_bytes, server.peak_memory())
                write_json(kept, found.model_dump())
    made = _keep(params, ctx, view, source, found)
    ctx.progress(total, total, "done")
    return LoadTestResult(artifact=made.id, metrics=_metrics(found), findings=_findings(params, found))


def _levels(params: LoadTestParams) -> list[int]:
    return sorted(set(params.clients))


def _prompts(view: ArtifactView, source: ArtifactView, split: str) -> list[list[Message]]:
    """What a caller would send: the server puts plain words into the model's own template. Raises StudioError when no row can
    be asked: a server takes no tools."""
    data = DataFolder(source.path)
    rows = list(islice((row for row in data.rows(split) if not row.tools), PROMPTS))
    if not rows:
        raise StudioError("load.no_prompts", ref=source.name, split=split, field="split")
    whole = [data.template.prompt(row) for row in rows]
    if not view.facts.get("template") or whole[0][0]["role"] == "system":
        return whole
    return [Template().prompt(row) for row in rows]


def _cold_start(server: Served, target: Target, prompt: list[Message]) -> float:
    """Seconds from the start of the process to the first text that a caller sees. Raises StudioError when none came."""
    before = perf_counter() - server.begun
    asked = ask_once(target, prompt, _LOAD_SECONDS)
    if asked.error:
        raise StudioError("load.no_answer", reason=asked.error)
    return before + asked.ttft_ms / 1000


def _measure(
    params: LoadTestParams,
    ctx: Context,
    target: Target,
    prompts: Sequence[list[Message]],
    clients: int,
    found: Measured,
    progress: Progress,
) -> None:
    requests, begun = max(params.requests, clients), progress.done
    level, asked = measure_level(target, prompts, clients, requests, params.level_seconds, progress.add)
    progress.done = begun + requests
    found.levels.append(level)
    _write_requests(ctx.checkpoints / f"{clients}.jsonl", clients, asked)
    ctx.log(
        f"{clients} clients: {level.requests} requests, {level.errors} errors, {level.tokens_per_s:.1f} tokens/s, "
        f"latency p95 {level.latency_ms_p95:.0f} ms"
    )


def _write_requests(file: Path, clients: int, asked: Sequence[Asked]) -> None:
    lines = [json.dumps({"clients": clients, **one.model_dump()}, ensure_ascii=False) + "\n" for one in asked]
    file.write_text("".join(lines), "utf-8")


def _metrics(found: Measured) -> dict[str, float]:
    last = found.levels[-1]
    return {
        "clients": float(last.clients),
        "ttft_ms": last.ttft_ms_p50,
        "latency_ms_p50": last.latency_ms_p50,
        "latency_ms_p95": last.latency_ms_p95,
        "latency_ms_p99": last.latency_ms_p99,
        "answer_tokens_per_s": last.tokens_per_s,
        "requests_failed": float(sum(level.errors for level in found.levels)),
        "cold_start_seconds": found.cold_start_seconds,
        "peak_memory_bytes": float(found.peak_memory_bytes),
    }


def _findings(params: LoadTestParams, found: Measured) -> list[Problem]:
    told: list[tuple[str, dict[str, Any]]] = []
    for level in found.levels:
        if level.errors:
            reason = max(level.reasons, key=lambda name: level.reasons[name])
            args = {"count": level.errors, "total": level.requests, "clients": level.clients, "reason": reason}
            told.append(("load.errors", args))
        asked = max(params.requests, level.clients)
        if level.requests < asked:
            told.append(("load.short", {"count": level.requests, "total": asked, "clients": level.clients}))
        if params.max_latency_ms and level.latency_ms_p95 > params.max_latency_ms:
            args = {"clients": level.clients, "value": round(level.latency_ms_p95), "limit": params.max_latency_ms}
            told.append(("load.slow", args))
    peak = round(found.peak_memory_bytes / 1_000_000)
    if params.max_memory_mb and peak > params.max_memory_mb:
        told.append(("load.memory", {"value": peak, "limit": params.max_memory_mb}))
    return [Problem(code=code, args=args, blocking=False) for code, args in told]


def _keep(
    params: LoadTestParams, ctx: Context, view: ArtifactView, source: ArtifactView, found: Measured
) -> ArtifactView:
    out: Path = ctx.scratch("out")
    facts: dict[str, Any] = {
        "report": REPORT,
        "model": view.id,
        "model_name": view.name,
        "data": source.id,
        "split": params.split,
    }
    facts |= {
        "cores": min(params.cores or machine.cores(), machine.cores()),
        "max_new_tokens": params.max_new_tokens,
        **found.model_dump(),
    }
    write_json(out / "report.json", facts)
    parts = [(ctx.checkpoints / f"{level.clients}.jsonl").read_text("utf-8") for level in found.levels]
    (out / "requests.jsonl").write_text("".join(parts), "utf-8")
    name = params.name or f"{view.name} under load"
    return ctx.artifact(Kind.REPORT, name, out, facts=facts, parents=[view.id, source.id])


STAGE = Stage(
    name="load_test",
    title="Load test",
    page="compare",
    open=("model", "data", "clients"),
    offers={"model": ("quantize", "search", "distill", "preference", "finetune"), "data": ("dataset",)},
    takes_project_model=True,
    kind=Kind.REPORT,
    params=LoadTestParams,
    result=LoadTestResult,
    check=check,
    quote=quote,
    run=run,
    example={"model": "student-int4", "data": "voice-commands", "clients": [1, 4, 16]},
)
