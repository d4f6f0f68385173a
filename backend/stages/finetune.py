"""Fine-tuning: a model learns a dataset's own answers, by a small adapter (LoRA and its kin) or in full; the model itself stays
as it is.

Needs a full model and a dataset with answers in its train split. Leaves an adapter: LoRA weights, tokenizer, chat template and
the dataset's template; or with `method: full` a model, all of whose weights learned. With `qlora` the model is held in 4
or 8 bits while its adapter trains (less memory, slower).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from backend.core.errors import Problem
from backend.core.fields import Labels, TrainingBatch
from backend.core.refs import BaseRef, DatasetRef
from backend.core.schemas import Kind, Quote
from backend.core.stage import Context, Params, Stage, World, check_refs
from backend.models import costs
from backend.models.architectures import CONFIG_OF, tune_only
from backend.models.teacher_accuracy import check_answers, warn_inaccurate
from backend.training.adapted import check_modules, learning
from backend.training.control import TrainingResult
from backend.training.examples import load_examples
from backend.training.lora import DORA_BYTES, DORA_COST, FULL, LoraParams, check_lora
from backend.training.memory import NF4_BLOCK, check_training_fits, needs
from backend.training.params import (
    check_training,
    inactive_fields,
    workload,
)
from backend.training.presets import FINETUNE_PRESETS
from backend.training.processes import check_processes
from backend.training.rates import Learner
from backend.training.rationale import RationaleParams
from backend.training.turns import training_facts

_BYTES = {4: 1.5, 8: 2.0, 32: 4.0}
"""Memory of a weight by the bits in which its model is held; token table and head stay in float32."""


class _Inputs(Params):
    model: BaseRef = Field(
        default="smollm2-135m-instruct",
        title="Model",
        description="Model to fine-tune. It stays unchanged: what is learned becomes an adapter or a new model.",
    )
    data: DatasetRef = Field(default="", title="Dataset", description="Training examples with their answers.")


class FinetuneParams(LoraParams, RationaleParams, _Inputs):
    """What the form, the command line and recipes offer."""

    batch_size: TrainingBatch = 8
    method: Annotated[
        Literal["lora", "dora", "rslora", "full"],
        Labels({"lora": "LoRA", "dora": "DoRA", "rslora": "rsLoRA", "full": "Full"}),
    ] = Field(
        default="lora",
        title="Method",
        description="LoRA is fastest. DoRA also learns scales: slower. rsLoRA scales by alpha / √rank, for ranks from 32. "
        "Full trains all weights: much more memory.",
    )
    qlora: bool = Field(
        default=False,
        title="QLoRA",
        description="Keeps the model quantized during training: much less memory for large models; twice as slow on a CPU.",
    )
    qlora_bits: Literal[4, 8] = Field(
        default=4,
        title="QLoRA bits",
        description="4 bits need the least memory. 8 bits stay closer to the model and take any hidden size.",
    )

    @property
    def variant(self) -> str:
        return self.method

    @property
    def learner(self) -> Learner:
        return "full" if self.full else "adapter"

    @property
    def full(self) -> bool:
        """Whether all weights learn, so that a model comes out."""
        return self.method == FULL

    @property
    def bits(self) -> int:
        """In which the model's own weights are held."""
        return self.qlora_bits if self.qlora else 32


class FinetuneResult(TrainingResult):
    """Metrics: train_loss, tokens_per_s, trained_tokens, steps, trained_parameters, and of the evaluations eval_loss,
    kept_step, best_step, best_eval_loss, last_eval_loss, planned_steps; of a full one parameters."""


def check(params: FinetuneParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if problems:
        return problems
    problems = check_training(params, params.model, params.data, world)
    problems += check_processes(params.batch_size, world)
    model = world.describe(params.model)
    notes = tune_only(params.model, world, "model")
    if params.bits == 4 and model and model.facts["hidden_size"] % NF4_BLOCK:
        args = {"size": model.facts["hidden_size"], "block": NF4_BLOCK}
        problems.append(Problem(code="train.qlora_size", args=args, field="qlora"))
    if not params.full:
        problems += check_lora(params) + check_modules(params, params.model, world)
    if not any(each.blocking for each in problems):
        problems += check_training_fits(params, quote, world, model.facts["hidden_size"] if model else 0)
    return problems + check_answers(params.data, world) + notes


def quote(params: FinetuneParams, world: World) -> Quote:
    model, data = world.describe(params.model), world.describe(params.data)
    assert model and data
    learns = learning(params, None if params.full else params, params.model, world, model.facts["parameters"])
    shape = workload(params, training_facts(params.merges_turns, params.max_length, model, data))
    slow = (1.25 if params.qlora else 1.0) * (DORA_COST if params.method == "dora" else 1.0) * shape.slowdown(params)
    top = 1.0 if params.full else params.top_share
    passes = params.epochs if world.processes == 1 else 1.0  # that read outputs of frozen layers
    timing = {**shape.timing, "answers": shape.head_work(params)}
    train = costs.training_seconds(model.facts, **timing, frozen=not params.full, top=top, passes=passes)
    start = costs.start_seconds(model.facts) + shape.answering_seconds(model.facts, params)
    train += shape.optimizer_seconds(params, learns.trained)
    memory, vram = needs(
        model.facts,
        params,
        shape,
        world,
        trained=learns.trained,
        frozen=not params.full,
        bits=params.bits,
        base_bytes=_BYTES[params.bits],
        top=top,
        processes=world.processes,
        in_parts=True,
    )
    if params.method == "dora" and not vram:
        memory += DORA_BYTES * costs.body_size(model.facts)
    weights = learns.trained * 4 + 4_000_000
    kept = params.checkpoint_bytes(weights, learns.trained, shape.steps)
    kept += shape.kept_bytes(model.facts, top, passes)
    made: dict[str, Any] = {"format": "adapter", "base": params.model, "adapter_parameters": learns.trained}
    if params.full:
        made = {"format": "torch", "kept_layers": []}
    return Quote(
        seconds=(start + slow * train) / world.speed(),
        memory_bytes=memory,
        vram=vram,
        disk_bytes=weights + kept,
        forecast={**model.facts, **made, "data": params.data, CONFIG_OF: params.model},
        learning=learns,
    )


def run(params: FinetuneParams, ctx: Context) -> FinetuneResult:
    from backend.ml.inference.load import load_model, tokenizer_of
    from backend.ml.training.full_model import keep_model
    from backend.ml.training.lora import add_adapter, keep_adapter
    from backend.ml.training.rationale import rationale_trainer
    from backend.ml.training.trainer import train

    base, data = ctx.input(params.model), ctx.input(params.data)
    params = params.resolved(base.facts)
    warn_inaccurate(data, ctx)
    ctx.progress(0, 1, "reading rows")
    examples, held_out = load_examples(params, base.path, data, ctx)
    ctx.raise_if_cancelled()
    ctx.progress(0, 1, "loading the model")
    model = load_model(base, ctx.input, bits=params.bits, frozen=not params.full)
    model = model if params.full else add_adapter(model, params, ctx.seed)
    make = rationale_trainer(params, examples)
    trained = train(model, tokenizer_of(base.path), examples, held_out, params, ctx, make)
    ctx.raise_if_cancelled()
    if params.full:
        name = params.name or f"{data.name}-tuned"
        return FinetuneResult(**keep_model(model, trained, (base, data), name, ctx, params, finetune_method="full"))
    name = params.name or f"{data.name}-lora"
    return FinetuneResult(**keep_adapter(model, trained, (base, data), name, ctx, params))


STAGE = Stage(
    name="finetune",
    title="Fine-tune",
    page="finetune",
    open=("model", "data", "method", "epochs", "rank"),
    offers={"model": ("pretrain",), "data": ("dataset",)},
    inactive=inactive_fields,
    presets=FINETUNE_PRESETS,
    kind=Kind.ADAPTER,
    parallel=lambda params: True,
    kind_of=lambda params: Kind.MODEL if params.full else Kind.ADAPTER,
    params=FinetuneParams,
    result=FinetuneResult,
    check=check,
    quote=quote,
    run=run,
    example={"model": "smollm2-135m-instruct", "data": "${data}", "rank": 16, "epochs": 2},
)
