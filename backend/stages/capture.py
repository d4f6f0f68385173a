"""A teacher's probabilities for the answers of a dataset: what offline logit distillation learns from.

Needs a model or an adapter and a dataset with answers in its train split. Leaves a capture: for every token of every answer
(end of turn included) the likeliest tokens with their log-probabilities, the mass of all others, and the log-normaliser of
each temperature, in compact shards. One capture serves any number of students; the teacher is not needed again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from backend.core.errors import Problem, StudioError
from backend.core.fields import Name
from backend.core.refs import DatasetRef, TorchRef
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import Context, Params, Result, Stage, World, check_fits, check_refs
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder
from backend.models import card_memory, costs
from backend.models.teacher_accuracy import check_answers, warn_inaccurate
from backend.training.captures import (
    Layout,
    capture_bytes,
    data_hashes,
    full_layout,
    layout_for,
    tokenizer_hashes,
    write_index,
)
from backend.training.turns import check_tools


class CaptureParams(Params):
    """What the form, the command line and recipes offer."""

    teacher: TorchRef = Field(
        default="smollm2-135m-instruct",
        title="Teacher",
        description="Model whose probabilities are stored. The student needs the same tokenizer, or a subset.",
    )
    data: DatasetRef = Field(
        default="",
        title="Dataset",
        description="Examples for the student. Only training rows are used.",
    )
    temperatures: list[float] = Field(
        default=[1.0, 2.0],
        min_length=1,
        max_length=4,
        title="Temperatures",
        description="Temperatures available to students. Each is measured now and takes 6 bytes per token.",
    )
    bytes_per_token: int = Field(
        default=114,
        ge=48,
        le=300,
        title="Bytes per token",
        description="Disk space per answer token. More keeps more of the teacher's less likely tokens.",
    )
    keep_all: bool = Field(
        default=False,
        title="Keep all tokens",
        description="Keeps the full vocabulary exactly, ignoring bytes per token. Very large: for tests "
        "and small vocabularies.",
    )
    max_length: int = Field(
        default=512,
        ge=16,
        le=131072,
        title="Maximum length",
        description="Longest example in tokens. Must match the student's training if prompts are longer.",
    )
    batch_size: int = Field(
        default=32,
        ge=1,
        le=1024,
        title="Batch size",
        description="Examples processed together. Lower it if memory runs out.",
    )
    shard_rows: int = Field(
        default=512,
        ge=1,
        le=100_000,
        title="Examples per file",
        description="A stopped capture resumes after its last complete file.",
    )
    name: Name = ""

    def layout(self, vocabulary: int, data: dict[str, Any]) -> Layout:
        """How a position is stored, for a teacher with `vocabulary` output rows and a dataset with these facts."""
        if self.keep_all:
            return full_layout(vocabulary, self.temperatures)
        return layout_for(self.bytes_per_token, vocabulary, self.temperatures, costs.answer_tokens(data))


class CaptureResult(Result):
    """Metrics: tokens (of answers), tokens_per_s (prompts too), bytes_per_token, k, mean_tail, teacher_loss."""


def check(params: CaptureParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if problems:
        return problems
    teacher, data = world.describe(params.teacher), world.describe(params.data)
    assert teacher and data
    if not data.pending and not data.facts["rows"].get("train"):
        problems.append(Problem(code="train.no_rows", args={"data": params.data}, field="data"))
    if params.max_length > teacher.facts["context"]:
        args = {"max_length": params.max_length, "context": teacher.facts["context"]}
        problems.append(Problem(code="train.context", args=args, field="max_length"))
    problems += check_tools(params.teacher, params.data, world)
    low = [each for each in params.temperatures if not 0.1 <= each <= 20]
    if low:
        problems.append(Problem(code="capture.temperatures", args={"temperature": f"{low[0]:g}"}, field="temperatures"))
    return (problems or check_fits(quote(params, world), world)) + check_answers(params.data, world)


def quote(params: CaptureParams, world: World) -> Quote:
    teacher, data = world.describe(params.teacher), world.describe(params.data)
    assert teacher and data
    layout = params.layout(teacher.facts["vocabulary"], data.facts)
    rows, answers = int(data.facts["rows"].get("train", 0)), costs.answer_tokens(data.facts)
    work = costs.capture_seconds(teacher.facts, rows, costs.row_tokens(data.facts, params.max_length), answers)
    size = capture_bytes(layout, data.facts)
    shard = int(SHARD_BYTES * layout.k * min(rows, params.shard_rows) * answers)
    return Quote(
        seconds=(costs.start_seconds(teacher.facts) + work) / world.speed(),
        memory_bytes=costs.capture_peak_bytes(teacher.facts) + shard,
        vram=_vram(params, teacher.facts, data.facts) if world.card_bytes else {},
        disk_bytes=size,
        forecast={**layout.facts, "data": params.data, "bytes": size, "vocabulary": teacher.facts["vocabulary"]},
    )


def _vram(params: CaptureParams, teacher: dict[str, Any], data: dict[str, Any]) -> dict[str, int]:
    """On a card: batches of the longest rows, and the positions that are ranked together."""
    tokens = params.batch_size * min(params.max_length, 2 * costs.row_tokens(data, params.max_length))
    return card_memory.reading(teacher, tokens, params.batch_size * 2 * costs.answer_tokens(data))


SHARD_BYTES = 24
"""Of each kept token of a shard until it is written: its id (8) and its value (4), in the batches and joined."""


def run(params: CaptureParams, ctx: Context) -> CaptureResult:
    from backend.ml.distillation.capture import CaptureWriter, unique_rows
    from backend.ml.inference.load import load_model

    teacher, data = ctx.input(params.teacher), ctx.input(params.data)
    warn_inaccurate(data, ctx)
    ctx.progress(0, 1, "reading rows")
    rows = unique_rows(_examples(params, teacher, data, ctx))
    ctx.raise_if_cancelled()
    ctx.progress(0, 1, "loading the model")
    model = load_model(teacher, ctx.input, merged=True)
    layout = params.layout(model.get_output_embeddings().weight.shape[0], data.facts)
    ctx.log(f"Of each token the {layout.k} likeliest are kept, their values in {layout.value_bits} bits.")
    out = ctx.dir / "shards"
    out.mkdir(exist_ok=True)
    sums, pace = CaptureWriter(model, layout, params.batch_size).read(rows, params.shard_rows, out, ctx)
    ctx.raise_if_cancelled()
    write_index(out)
    size = sum(file.stat().st_size for file in out.glob("shard-*"))
    facts: dict[str, float] = {
        "sequences": len(rows),
        "tokens": sums.tokens,
        "bytes": size,
        "max_length": params.max_length,
    }
    facts |= {"mean_tail": sums.tail / sums.tokens, "teacher_loss": sums.loss / sums.tokens}
    facts |= {**layout.facts, "vocabulary": model.get_output_embeddings().weight.shape[0]}
    return _keep(params, out, teacher, data, facts, pace, ctx)


def _examples(params: CaptureParams, teacher: ArtifactView, data: ArtifactView, ctx: Context) -> Any:
    """The train rows as the student's training encodes them."""
    from backend.data.encoding import encode_rows

    folder = DataFolder(data.path)
    examples = encode_rows(Encoder(teacher.path), folder.template, folder.rows("train"), params.max_length)
    if not examples.items and examples.too_long:
        raise StudioError("train.too_long", rows=examples.too_long, data=data.name, max_length=params.max_length)
    if not examples.items:
        raise StudioError("train.no_rows", data=data.name)
    ctx.log(f"{len(examples.items)} rows with {examples.tokens} tokens to read.")
    return examples


def _keep(
    params: CaptureParams,
    out: Path,
    teacher: ArtifactView,
    data: ArtifactView,
    facts: dict[str, Any],
    pace: float,
    ctx: Context,
) -> CaptureResult:
    hashes = {**data_hashes(data.path), **tokenizer_hashes(teacher.path), "teacher": _digests(teacher, ctx)}
    facts |= {"teacher": teacher.id, "data": data.id, "hashes": hashes}
    name = params.name or f"{data.name}-captured-{teacher.name}"
    made = ctx.artifact(Kind.CAPTURE, name, out, facts=facts, parents=[teacher.id, data.id], license=data.license)
    metrics = {name: float(facts[name]) for name in ("tokens", "k", "mean_tail", "teacher_loss")}
    metrics |= {"bytes_per_token": facts["bytes"] / facts["tokens"], "size_bytes": float(facts["bytes"])}
    return CaptureResult(artifact=made.id, metrics=metrics | ({"tokens_per_s": pace} if pace else {}))


def _digests(teacher: ArtifactView, ctx: Context) -> list[str]:
    """Of the teacher, and of what its adapter lies on."""
    digests = [teacher.digest]
    while base := teacher.facts.get("base"):
        teacher = ctx.input(base)
        digests.append(teacher.digest)
    return digests


STAGE = Stage(
    name="capture",
    title="Capture",
    page="distill",
    open=("teacher", "data", "bytes_per_token"),
    offers={"teacher": ("preference", "finetune"), "data": ("review", "curate", "judge", "teacher", "dataset")},
    kind=Kind.CAPTURE,
    params=CaptureParams,
    result=CaptureResult,
    check=check,
    quote=quote,
    run=run,
    example={"teacher": "smollm2-135m-instruct", "data": "${answers}", "bytes_per_token": 114},
)
