"""LoRA fine-tuning: a model learns a dataset's own answers by a small adapter; the model itself stays as it is.

Needs a full model and a dataset with answers in its train split. Leaves an adapter: LoRA weights, tokenizer, chat
template and the dataset's template. With `qlora` the model is held in 4 bits while it trains (less memory, slower).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from backend.core.errors import Problem
from backend.core.fields import Labels, TrainingBatch
from backend.core.refs import BaseRef, DatasetRef
from backend.core.schemas import Kind, Quote
from backend.core.stage import Context, Params, Stage, World, check_fits, check_refs
from backend.core.thresholds import as_facts
from backend.models import costs
from backend.models.architectures import tune_only
from backend.models.teacher_accuracy import check_answers, warn_inaccurate
from backend.training.control import TrainingResult, control_facts
from backend.training.examples import load_examples
from backend.training.lora import DORA_COST, LoraParams, check_lora
from backend.training.outcome import finite, result_fields
from backend.training.params import (
    TrainingParams,
    check_training,
    inactive_fields,
    learned_facts,
    workload,
)
from backend.training.turns import training_facts

_BLOCK = 64  # weights that share a scale in the 4-bit format


class _Inputs(Params):
    model: BaseRef = Field(
        default="smollm2-135m-instruct",
        title="Model",
        description="Model to fine-tune. It stays unchanged: training goes into a small adapter.",
    )
    data: DatasetRef = Field(default="", title="Dataset", description="Training examples with their answers.")


class FinetuneParams(LoraParams, TrainingParams, _Inputs):
    """What the form, the command line and recipes offer."""

    batch_size: TrainingBatch = 8
    method: Annotated[
        Literal["lora", "dora", "rslora"], Labels({"lora": "LoRA", "dora": "DoRA", "rslora": "rsLoRA"})
    ] = Field(
        default="lora",
        title="Method",
        description="LoRA is fastest. DoRA also learns each module's scale: slower. rsLoRA scales by alpha / √rank, for ranks "
        "of 32 and more.",
    )
    qlora: bool = Field(
        default=False,
        title="QLoRA",
        description="Keeps the model in 4 bits during training: much less memory, but slower on a CPU.",
    )

    @property
    def variant(self) -> str:
        return self.method


class FinetuneResult(TrainingResult):
    """Metrics: train_loss, tokens_per_s, trained_tokens, steps, trained_parameters, and of the evaluations eval_loss,
    kept_step, best_step, best_eval_loss, last_eval_loss, planned_steps."""


def check(params: FinetuneParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if problems:
        return problems
    problems = check_training(params, params.model, params.data, world)
    model = world.describe(params.model)
    notes = tune_only(params.model, world, "model")
    if params.qlora and model and model.facts["hidden_size"] % _BLOCK:
        args = {"size": model.facts["hidden_size"], "block": _BLOCK}
        problems.append(Problem(code="train.qlora_size", args=args, field="qlora"))
    problems += check_lora(params, model.facts if model else {})
    return (problems or check_fits(quote(params, world), world)) + check_answers(params.data, world) + notes


def quote(params: FinetuneParams, world: World) -> Quote:
    model, data = world.describe(params.model), world.describe(params.data)
    assert model and data
    trained = costs.lora_size(model.facts, params.rank, params.targets)
    shape = workload(params, training_facts(params.merges_turns, params.max_length, model, data))
    slow = (1.25 if params.qlora else 1.0) * (DORA_COST if params.method == "dora" else 1.0) * shape.slowdown(params)
    train = costs.training_seconds(model.facts, **shape.timing, frozen=True)
    start = costs.start_seconds(model.facts) + shape.answering_seconds(model.facts, params)
    memory = costs.training_bytes(
        model.facts,
        trained=trained,
        batch_tokens=shape.batch_tokens(params),
        base_bytes=1.5 if params.qlora else 4.0,
    )
    forecast = {**model.facts, "format": "adapter", "base": params.model, "data": params.data}
    return Quote(
        seconds=(start + slow * train) / world.speed(),
        memory_bytes=memory + shape.rationale_bytes(params, model.facts["vocabulary"]),
        disk_bytes=trained * 4 + 4_000_000,
        forecast={**forecast, "adapter_parameters": trained},
    )


def run(params: FinetuneParams, ctx: Context) -> FinetuneResult:
    from backend.ml.inference.load import load_model, tokenizer_of
    from backend.ml.training.lora import add_adapter, save_adapter
    from backend.ml.training.rationale import rationale_trainer
    from backend.ml.training.trainer import train

    base, data = ctx.input(params.model), ctx.input(params.data)
    warn_inaccurate(data, ctx)
    ctx.progress(0, 1, "reading rows")
    examples, held_out = load_examples(params, base.path, data, ctx)
    ctx.raise_if_cancelled()
    ctx.progress(0, 1, "loading the model")
    model = add_adapter(load_model(base, ctx.input, quantized=params.qlora), params, ctx.seed)
    make = rationale_trainer(params, examples)
    metrics, said = train(model, tokenizer_of(base.path), examples, held_out, params, ctx, make)
    ctx.raise_if_cancelled()
    out = ctx.scratch("out")
    save_adapter(model, base, out)
    facts = {**learned_facts(base, data, out), "format": "adapter", "base": base.id}
    told = result_fields(said, metrics, base.facts)
    facts |= {"adapter_parameters": int(metrics["trained_parameters"]), "training": control_facts(metrics)}
    facts |= as_facts(told["findings"])
    made = ctx.artifact(
        Kind.ADAPTER,
        params.name or f"{data.name}-lora"[:100],
        out,
        facts=facts,
        parents=[base.id, data.id],
        license=base.license,
    )
    return FinetuneResult(artifact=made.id, metrics=finite(metrics), **told)


STAGE = Stage(
    name="finetune",
    title="Fine-tune",
    page="finetune",
    open=("model", "data", "epochs", "rank"),
    offers={"data": ("dataset",)},
    inactive=inactive_fields,
    kind=Kind.ADAPTER,
    params=FinetuneParams,
    result=FinetuneResult,
    check=check,
    quote=quote,
    run=run,
    example={"model": "smollm2-135m-instruct", "data": "${data}", "rank": 16, "epochs": 2},
)
