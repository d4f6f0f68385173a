"""Distillation: a smaller student learns, in full, the answers that a dataset holds (a teacher's, or gold), and on most
methods the teacher's probabilities too: from a capture, or from the teacher in memory (backend.training.methods).

Needs a student (a small model, or one that `prune` made of its teacher) and a dataset with answers. Trains the student in
full, or with `adapter` by LoRA, which is merged at the end. Leaves a full model with the same tokenizer and the dataset's
template.
"""

from __future__ import annotations

import gc
from typing import Annotated, Any, Literal

from pydantic import Field

from backend.core.errors import Problem
from backend.core.fields import Labels
from backend.core.refs import DatasetRef, TorchRef
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import Context, Params, Stage, World, check_refs
from backend.models import costs
from backend.models.architectures import CONFIG_OF, tune_only
from backend.models.teacher_accuracy import check_answers, warn_inaccurate
from backend.training.adapted import check_modules, learning
from backend.training.captures import capture_training_bytes
from backend.training.control import TrainingResult
from backend.training.examples import load_examples
from backend.training.lora import LoraParams, UseAdapterParams, check_lora
from backend.training.memory import check_training_fits, needs
from backend.training.methods import (
    MERGING_METHODS,
    SUMMED_METHODS,
    MethodParams,
    check_method,
    teacher_cost,
    unused_fields,
)
from backend.training.params import check_training, inactive_fields, workload
from backend.training.processes import check_processes, sharing
from backend.training.rates import Learner
from backend.training.rationale import RationaleParams
from backend.training.turns import training_facts


class _Inputs(Params):
    student: TorchRef = Field(
        title="Student",
        description="Model to train: pruned from its teacher, or any small one. Adapters are merged first.",
    )
    data: DatasetRef = Field(default="", title="Dataset", description="Training examples with the teacher's answers.")


class DistillParams(LoraParams, UseAdapterParams, RationaleParams, MethodParams, _Inputs):
    """What the form, the command line and recipes offer."""

    train_embeddings: Annotated[
        Literal["auto", "always", "never"], Labels({"auto": "Automatic", "always": "Yes", "never": "No"})
    ] = Field(
        default="auto",
        title="Train embeddings",
        description="Whether to train the embedding table. Automatic: only if it is relatively small; "
        "large ones cost time and memory for little gain.",
    )

    @property
    def learner(self) -> Learner:
        return "adapter" if self.adapter else "student"

    @property
    def merges_turns(self) -> bool:
        return super().merges_turns and self.method in MERGING_METHODS


class DistillResult(TrainingResult):
    """Metrics: those of `finetune`, and parameters."""


def check(params: DistillParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if problems:
        return problems
    problems = check_training(params, params.student, params.data, world)
    problems += check_method(params, params.student, params.data, world)
    problems += check_processes(params.batch_size, world, _can_share(params))
    if params.adapter:
        problems += check_lora(params) + check_modules(params, params.student, world)
    notes = tune_only(params.student, world, "student")
    if not any(each.blocking for each in problems):
        student = world.describe(params.student)
        problems += check_training_fits(params, quote, world, student.facts["hidden_size"] if student else 0)
    return problems + check_answers(params.data, world) + notes


def quote(params: DistillParams, world: World) -> Quote:
    student, data = world.describe(params.student), world.describe(params.data)
    assert student and data
    facts = student.facts
    shape = workload(params, training_facts(params.merges_turns, params.max_length, student, data))
    top = params.top_share if params.adapter else 1.0
    ranks = sharing(world, _can_share(params))
    rereads = ranks == 1 and params.method != "hidden_states"
    passes = params.epochs if rereads else 1.0  # that read what frozen layers give
    train = costs.training_seconds(facts, **shape.timing, frozen=params.adapter, top=top, passes=passes)
    learns = learning(params, params if params.adapter else None, params.student, world, _trained(params, facts))
    train += shape.optimizer_seconds(params, learns.trained)
    trains, vram = needs(
        facts, params, shape, world, trained=learns.trained, frozen=params.adapter, top=top, processes=ranks
    )
    if params.capture and (capture := world.describe(params.capture)):
        train += costs.divergence_seconds(facts, shape.rows * shape.answers)
        trains += ranks * capture_training_bytes(capture.facts, params.batch_size * shape.answers, facts["vocabulary"])
    start = costs.start_seconds(facts) + shape.answering_seconds(facts, params)
    if params.teacher and (teacher := world.describe(params.teacher)):
        more = teacher_cost(params, teacher.facts, facts, shape, params.batch_size)
        start, trains = start + more[0], trains + ranks * more[1]
        vram |= {"teacher": more[1]} if vram else {}
    weights = facts["parameters"] * 4 + 4_000_000
    each = learns.trained * 4 + 4_000_000 if params.adapter else weights
    kept = params.checkpoint_bytes(each, learns.trained, shape.steps) + shape.kept_bytes(facts, top, passes)
    return Quote(
        seconds=(start + shape.slowdown(params) * train) / world.speed(),
        memory_bytes=max(trains, costs.answer_bytes({**facts, "format": "torch"})),
        vram=vram,
        disk_bytes=weights + kept,
        forecast={**costs.merged(facts), "format": "torch", "data": params.data, "kept_layers": []}
        | {CONFIG_OF: params.student},
        learning=learns,
    )


def run(params: DistillParams, ctx: Context) -> DistillResult:
    from backend.ml.distillation.method_trainer import method_trainer
    from backend.ml.inference.load import load_model, tokenizer_of
    from backend.ml.training.full_model import keep_model
    from backend.ml.training.lora import adapter_state, merge_adapter
    from backend.ml.training.trainer import train

    source, data = ctx.input(params.student), ctx.input(params.data)
    params = params.resolved(source.facts)
    warn_inaccurate(data, ctx)
    ctx.progress(0, 1, "reading rows")
    examples, held_out = load_examples(params, source.path, data, ctx)
    ctx.raise_if_cancelled()
    make = method_trainer(params, source, data, examples, ctx)
    ctx.progress(0, 1, "loading the model")
    model = _student(params, source, ctx)
    trained = train(model, tokenizer_of(source.path), examples, held_out, params, ctx, make)
    ctx.raise_if_cancelled()
    if params.adapter:
        ctx.progress(0, 1, "merging the adapter")
        learned = adapter_state(model)
        del model, make  # and with it a teacher in memory
        gc.collect()  # a trainer holds itself, and so its model, until it is collected
        model = merge_adapter(load_model(source, ctx.input, merged=True), *learned)
    others = [ctx.input(ref) for ref in (params.capture, params.teacher) if ref]
    name = params.name or f"{data.name}-distilled"
    return DistillResult(**keep_model(model, trained, (source, data, *others), name, ctx, params))


def _can_share(params: DistillParams) -> bool:
    """Whether several processes can: the losses of a batch's parts have to add up to that of the batch."""
    return params.method in SUMMED_METHODS


def trains_embeddings(params: DistillParams, facts: dict[str, Any]) -> bool:
    """Whether the table of a student with these facts is trained; `auto`: when it has less than a third of its weights."""
    if params.train_embeddings == "auto":
        return costs.body_size(facts) > 2 / 3 * int(facts["parameters"])
    return params.train_embeddings == "always"


def _trained(params: DistillParams, facts: dict[str, Any]) -> int:
    """How many parameters learn in full."""
    return int(facts["parameters"]) if trains_embeddings(params, facts) else costs.body_size(facts)


def _student(params: DistillParams, source: ArtifactView, ctx: Context) -> Any:
    from backend.ml.compression.prune import freeze_embeddings
    from backend.ml.inference.load import load_model
    from backend.ml.training.lora import add_adapter

    model = load_model(source, ctx.input, merged=True, frozen=params.adapter)
    if params.adapter:
        return add_adapter(model, params, ctx.seed)
    if not trains_embeddings(params, source.facts):
        freeze_embeddings(model)
    return model


STAGE = Stage(
    name="distill",
    title="Distill",
    page="distill",
    open=("student", "data", "method", "capture", "teacher", "epochs"),
    offers={"student": ("prune",), "data": ("review", "curate", "judge", "teacher", "dataset")},
    inactive=lambda values: inactive_fields(values) | unused_fields(values.get("method")),
    parallel=lambda params: _can_share(params),
    kind=Kind.MODEL,
    params=DistillParams,
    result=DistillResult,
    check=check,
    quote=quote,
    run=run,
    example={"student": "${pruned}", "data": "${answers}"},
)
