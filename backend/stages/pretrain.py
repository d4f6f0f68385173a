"""Continued pre-training: a model reads raw text of a domain before it is tuned for a task, by a small adapter (LoRA) that is
merged at the end, or in full.

Needs a full model and a dataset with text that has no answers: the unlabelled rows of one, or a file of texts. Texts are read
as they are, without chat template: each ends with the model's end token, and they fill blocks of the maximum length one behind
the other, so that nothing is padded; a text may begin in one block and go on in the next. Every token is learned. Validation
rows without an answer tell the loss, else blocks that are held out. Leaves a full model, which Fine-tune takes.
"""

from __future__ import annotations

import gc

from pydantic import Field

from backend.core.errors import Problem
from backend.core.fields import Epochs, TrainingBatch
from backend.core.refs import BaseRef, DatasetRef
from backend.core.schemas import Kind, Quote
from backend.core.stage import Context, Params, Stage, World, check_refs
from backend.models import costs
from backend.models.architectures import CONFIG_OF, tune_only
from backend.training.adapted import check_modules, learning
from backend.training.control import TrainingResult
from backend.training.lora import LoraParams, UseAdapterParams, check_lora
from backend.training.memory import check_training_fits, needs
from backend.training.params import TrainingParams, check_values, inactive_fields
from backend.training.processes import check_processes
from backend.training.rates import Learner
from backend.training.texts import TOKEN_BYTES, check_texts, load_texts, no_gain, text_metrics, text_workload
from backend.training.trackers import check_trackers

_UNREAD = ("best_by",)
"""Text has no answers to be scored."""


class _Inputs(Params):
    model: BaseRef = Field(
        default="smollm2-135m-instruct",
        title="Model",
        description="Model that reads the text. It stays unchanged; the result is a new model. Fine-tune that one next.",
    )
    data: DatasetRef = Field(
        default="",
        title="Dataset",
        description="Raw text: rows without an answer. Rows with answers are left out.",
    )


class PretrainParams(LoraParams, UseAdapterParams, TrainingParams, _Inputs):
    """What the form, the command line and recipes offer."""

    epochs: Epochs = 1
    batch_size: TrainingBatch = 8
    max_length: int = Field(
        default=512,
        ge=16,
        le=131072,
        title="Block length",
        description="Tokens of a block. Texts fill blocks without padding; longer ones go on in the next block. More context "
        "uses more memory.",
    )
    evaluate_rows: int = Field(
        default=100,
        ge=0,
        le=10000,
        title="Validation blocks",
        description="Blocks checked at each evaluation. Without text for validation, at most 5% of the blocks, which are held "
        "out. 0 checks none.",
    )
    adapter: bool = Field(
        default=True,
        title="Train an adapter (LoRA)",
        description="Trains a small adapter and merges it at the end: less memory, and it forgets less. Off trains all "
        "weights, which learns more.",
    )

    @property
    def learner(self) -> Learner:
        return "adapter" if self.adapter else "full"


class PretrainResult(TrainingResult):
    """Metrics: those of a fine-tuning, parameters, and on the validation blocks eval_loss_before,
    eval_perplexity and eval_bits_per_byte."""


def check(params: PretrainParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if problems:
        return problems
    model, data = world.describe(params.model), world.describe(params.data)
    assert model and data
    problems = check_values(params, model, _UNREAD) + check_trackers() + check_texts(params, data, params.data)
    problems += check_processes(params.batch_size, world, shared=False)
    if params.adapter:
        problems += check_lora(params) + check_modules(params, params.model, world)
    if not any(each.blocking for each in problems):
        problems += check_training_fits(params, quote, world, model.facts["hidden_size"])
    return problems + tune_only(params.model, world, "model")


def quote(params: PretrainParams, world: World) -> Quote:
    model, data = world.describe(params.model), world.describe(params.data)
    assert model and data
    facts, shape = model.facts, text_workload(params, data)
    top = params.top_share if params.adapter else 1.0
    learns = learning(params, params if params.adapter else None, params.model, world, facts["parameters"])
    timing = {**shape.timing, "answers": shape.head_work(params)}
    train = costs.training_seconds(facts, **timing, frozen=params.adapter, top=top, passes=params.epochs)
    train += shape.optimizer_seconds(params, learns.trained)
    trained, frozen = learns.trained, params.adapter
    memory, vram = needs(facts, params, shape, world, trained=trained, frozen=frozen, top=top, in_parts=True)
    memory += round(TOKEN_BYTES * shape.rows / params.epochs * shape.tokens)
    weights = facts["parameters"] * 4 + 4_000_000
    each = learns.trained * 4 + 4_000_000 if params.adapter else weights
    kept = params.checkpoint_bytes(each, learns.trained, shape.steps) + shape.kept_bytes(facts, top, params.epochs)
    return Quote(
        seconds=(costs.start_seconds(facts) + shape.slowdown(params) * train) / world.speed(),
        memory_bytes=max(memory, costs.answer_bytes({**facts, "format": "torch"})),
        vram=vram,
        disk_bytes=weights + kept,
        forecast={**facts, "format": "torch", "data": params.data, "kept_layers": [], CONFIG_OF: params.model},
        learning=learns,
    )


def run(params: PretrainParams, ctx: Context) -> PretrainResult:
    from backend.ml.inference.load import load_model, tokenizer_of
    from backend.ml.training.full_model import keep_model
    from backend.ml.training.lora import adapter_state, add_adapter, merge_adapter
    from backend.ml.training.running_text import text_loss
    from backend.ml.training.trainer import Trained, train

    base, data = ctx.input(params.model), ctx.input(params.data)
    params = params.resolved(base.facts)
    ctx.progress(0, 1, "reading rows")
    blocks, held_out = load_texts(params, base.path, data, ctx)
    ctx.raise_if_cancelled()
    ctx.progress(0, 1, "loading the model")
    model = load_model(base, ctx.input, frozen=params.adapter)
    before = text_loss(model, held_out.items, 2 * params.batch_size, ctx)
    model = add_adapter(model, params, ctx.seed) if params.adapter else model
    trained = train(model, tokenizer_of(base.path), blocks, held_out, params, ctx)
    ctx.raise_if_cancelled()
    if params.adapter:
        ctx.progress(0, 1, "merging the adapter")
        learned = adapter_state(model)
        del model
        gc.collect()  # a trainer holds itself, and so its model, until it is collected
        model = merge_adapter(load_model(base, ctx.input), *learned)
    if (loss := trained.metrics.get("eval_loss")) is not None:
        metrics = text_metrics(loss, before, held_out, base.path)  # first, as on cards
        trained = Trained(metrics | trained.metrics, trained.said + no_gain(loss, before))
    about = {"text_tokens": blocks.tokens}
    name = params.name or f"{data.name}-pretrained"
    return PretrainResult(**keep_model(model, trained, (base, data), name, ctx, params, **about))


STAGE = Stage(
    name="pretrain",
    title="Continued pre-training",
    page="finetune",
    open=("model", "data", "adapter", "epochs", "max_length"),
    offers={"data": ("dataset",)},
    inactive=lambda values: inactive_fields(values) | {*_UNREAD},
    kind=Kind.MODEL,
    params=PretrainParams,
    result=PretrainResult,
    check=check,
    quote=quote,
    run=run,
    example={"model": "smollm2-135m-instruct", "data": "${data}", "epochs": 1},
)
