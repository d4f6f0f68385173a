"""Distillation: a smaller student learns, in full, the answers that a dataset holds (a teacher's, or gold), and with a
capture the teacher's probabilities too (logit distillation, without the teacher in memory).

Needs a model to make the student from (as it is, or some of its layers with their weights) and a dataset with answers.
Leaves a full model with the same tokenizer and the dataset's template.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from backend.errors import Problem
from backend.models import costs
from backend.models.captures import LogitParams, check_capture, learning_bytes
from backend.models.training import TrainingParams, check_training, learned_facts, load_examples, work
from backend.schemas import ArtifactView, Kind, Quote
from backend.stages.base import DatasetRef, Params, Result, Stage, TorchRef, World, check_fits, check_refs


class _Inputs(Params):
    student: TorchRef = Field(
        default="smollm2-135m-instruct",
        title="Student",
        description="The model that learns, or whose layers the student is made of. An adapter is merged into its "
        "model first.",
    )
    data: DatasetRef = Field(
        default="", title="Dataset", description="The examples to learn from, with the teacher's answers."
    )


class DistillParams(TrainingParams, LogitParams, _Inputs):
    """What the form, the command line and recipes offer."""

    keep_layers: int = Field(
        default=0,
        ge=0,
        le=512,
        title="Layers to keep",
        description="How many layers the student keeps. Fewer make it smaller and faster, and it needs more examples "
        "to be as good. 0 keeps all.",
    )
    layers: list[int] = Field(
        default=[],
        title="Layers",
        description="Which layers exactly, counted from 0. Leave it empty and they are chosen by their number.",
    )
    train_embeddings: bool = Field(
        default=False,
        title="Train embeddings",
        description="Also trains the table of words and the output: slow, takes more memory, and pays only when your "
        "data has new words.",
    )


class DistillResult(Result):
    """Metrics: train_loss, eval_loss, tokens_per_s, trained_tokens, steps, trained_parameters, parameters."""


def kept_layers(keep: int, layers: int) -> list[int]:
    """Which `keep` of `layers` layers a student starts from: the first three, and the rest evenly up to the last
    (30 -> 6: 0, 1, 2, 11, 20, 29)."""
    first = list(range(min(3, max(1, keep - 1))))
    rest = keep - len(first)
    stride = (layers - 1 - first[-1]) / max(1, rest)
    return first + [round(first[-1] + stride * step) for step in range(1, rest + 1)]


def check(params: DistillParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if problems:
        return problems
    problems = check_training(params, params.student, params.data, world)
    problems += check_capture(params, params.student, params.data, world)
    student = world.describe(params.student)
    assert student
    count = int(student.facts["layers"])
    if params.layers and params.keep_layers:
        problems.append(Problem(code="train.layers_twice", field="layers"))
    for layer in sorted(set(params.layers)):
        if not 0 <= layer < count or params.layers.count(layer) > 1:
            problems.append(Problem(code="train.layers", args={"layer": layer, "last": count - 1}, field="layers"))
    if params.keep_layers > count:
        args = {"keep": params.keep_layers, "layers": count}
        problems.append(Problem(code="train.keep_layers", args=args, field="keep_layers"))
    return problems or check_fits(quote(params, world), world)


def quote(params: DistillParams, world: World) -> Quote:
    student, data = world.describe(params.student), world.describe(params.data)
    assert student and data
    keep = chosen(params, student.facts["layers"])
    facts = costs.with_layers(student.facts, len(keep))
    trained = facts["parameters"] if params.train_embeddings else costs.body_size(facts)
    shape = work(params, data.facts)
    train = costs.training_seconds(facts, **shape.timing, frozen=False)
    trains = costs.training_bytes(facts, trained=trained, batch_tokens=shape.batch_tokens(params))
    if params.capture and (capture := world.describe(params.capture)):
        train += costs.logit_seconds(facts, shape.rows * shape.answers)
        trains += learning_bytes(capture.facts, params.batch_size * shape.answers, facts["vocabulary"])
    return Quote(
        seconds=(costs.start_seconds(student.facts) + shape.slowdown(params) * train) / world.speed(),
        memory_bytes=max(trains, costs.answer_bytes({**student.facts, "format": "torch"})),
        disk_bytes=facts["parameters"] * 4 + 4_000_000,
        forecast={**costs.merged(facts), "format": "torch", "data": params.data},
    )


def run(params: DistillParams, ctx: Any) -> DistillResult:
    from backend.ml.load import tokenizer_of
    from backend.ml.logits import logit_trainer
    from backend.ml.train import train

    source, data = ctx.input(params.student), ctx.input(params.data)
    ctx.progress(0, 1, "reading rows")
    examples, held_out = load_examples(params, source.path, data, ctx)
    ctx.checkpoint()
    make = logit_trainer(params, source, data, examples, ctx) if params.capture else None
    ctx.progress(0, 1, "making the student")
    model = _student(params, source, ctx)
    metrics = train(model, tokenizer_of(source.path), examples, held_out, params.plan(ctx.seed), ctx, make)
    ctx.checkpoint()
    return _keep(params, model, source, data, metrics, ctx)


def chosen(params: DistillParams, layers: int) -> list[int]:
    """The layers that the student keeps of a model with `layers` layers."""
    return params.layers or kept_layers(params.keep_layers or layers, layers)


def _student(params: DistillParams, source: ArtifactView, ctx: Any) -> Any:
    from backend.ml.load import load_model
    from backend.ml.student import cut_layers, freeze_embeddings

    model = load_model(source, ctx.input, merged=True)
    keep = chosen(params, model.config.num_hidden_layers)
    if len(keep) < model.config.num_hidden_layers:
        ctx.log(f"The student keeps the layers {', '.join(map(str, keep))} of {model.config.num_hidden_layers}.")
    cut_layers(model, keep)
    if not params.train_embeddings:
        freeze_embeddings(model)
    return model


def _keep(
    params: DistillParams, model: Any, source: ArtifactView, data: ArtifactView, metrics: dict[str, float], ctx: Any
) -> DistillResult:
    from backend.ml.student import save_student
    from backend.models.probe import inspect_folder

    out = ctx.scratch("out")
    save_student(model, out)
    inherited = learned_facts(source, data, out)
    facts = {**inspect_folder(out), "data": inherited["data"], "template": inherited["template"]}
    made = ctx.artifact(
        Kind.MODEL,
        params.name or f"{source.name}-student-{facts['layers']}",
        out,
        facts=facts,
        parents=[source.id, data.id, *([ctx.input(params.capture).id] if params.capture else [])],
        license=source.license,
    )
    return DistillResult(artifact=made.id, metrics={**metrics, "parameters": float(facts["parameters"])})


STAGE = Stage(
    name="distill",
    title="Distill",
    kind=Kind.MODEL,
    params=DistillParams,
    result=DistillResult,
    check=check,
    quote=quote,
    run=run,
    example={"student": "smollm2-135m-instruct", "data": "${answers}", "keep_layers": 6},
)
