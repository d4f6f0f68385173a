"""Preference tuning: a model learns to prefer the better of two answers (DPO), or answers that were marked as good over those
that were not (KTO), by a small adapter; the model itself stays as it is.

Needs a full model and a dataset with rejected answers: rows with prompt, chosen and rejected, or with prompt, completion and a
mark. Leaves an adapter: LoRA weights, tokenizer, chat template and the dataset's template. It is held near the model as it was,
which is read with the adapter switched off: no second copy is in memory. Where only the last layers learn, those below are
computed in every epoch here.
"""

from __future__ import annotations

from math import log
from typing import Annotated

from pydantic import Field

from backend.core.errors import Problem
from backend.core.fields import Epochs, Labels, TrainingBatch
from backend.core.refs import BaseRef, DatasetRef
from backend.core.schemas import Kind, Quote
from backend.core.stage import Context, Params, Stage, World, check_refs
from backend.models import costs
from backend.models.architectures import CONFIG_OF, tune_only
from backend.models.teacher_accuracy import check_answers, warn_inaccurate
from backend.training.adapted import check_modules, learning
from backend.training.control import TrainingResult
from backend.training.lora import LoraParams, check_lora
from backend.training.memory import check_training_fits, needs
from backend.training.params import TrainingParams, check_training, inactive_fields, workload
from backend.training.preferences import PreferenceMethod, check_preferences, load_preferences, preference_facts
from backend.training.processes import check_processes
from backend.training.rates import Learner

_SEQUENCES: dict[PreferenceMethod, int] = {"dpo": 2, "kto": 1}
"""That are trained on for an example."""
_FORWARD: dict[PreferenceMethod, int] = {"dpo": 1, "kto": 3}
"""Passes without gradient beside each that learns: DPO reads the reference, KTO that and both with the answers of others."""


_UNREAD = ("modules_to_save",)
"""The reference is the model without its adapter, and a module that is trained whole would have no other."""


class _Inputs(Params):
    model: BaseRef = Field(
        default="smollm2-135m-instruct",
        title="Model",
        description="Model to tune. It stays unchanged: what is learned becomes an adapter.",
    )
    data: DatasetRef = Field(
        default="",
        title="Dataset",
        description="Rows with a preferred and a rejected answer, or answers marked good or not.",
    )


class PreferenceParams(LoraParams, TrainingParams, _Inputs):
    """What the form, the command line and recipes offer."""

    epochs: Epochs = 1
    batch_size: TrainingBatch = 8
    method: Annotated[PreferenceMethod, Labels({"dpo": "DPO", "kto": "KTO"})] = Field(
        default="dpo",
        title="Method",
        description="DPO learns from pairs of answers to one prompt. KTO takes answers marked good or not, pairs too.",
    )
    beta: float = Field(
        default=0.1,
        gt=0,
        le=10,
        title="Beta",
        description="How close the model stays to what it was. Higher changes it less; 0.1 is usual.",
    )

    @property
    def merges_turns(self) -> bool:
        """Each answer is compared on its own."""
        return False

    @property
    def learner(self) -> Learner:
        return "preference"

    @property
    def chance_loss(self) -> float:
        return log(2) if self.method == "dpo" else 0.5


class PreferenceResult(TrainingResult):
    """Metrics: those of a fine-tuning, and reward_accuracy (DPO), reward_margin, eval_reward_accuracy, eval_reward_margin."""


def check(params: PreferenceParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if problems:
        return problems
    data = world.describe(params.data)
    assert data
    problems = check_training(params, params.model, params.data, world) + check_lora(params)
    problems += check_processes(params.batch_size, world, shared=False)
    problems += check_modules(params, params.model, world) + check_preferences(params.method, data, params.data)
    problems += [Problem(code="train.unread", field=name) for name in _UNREAD if getattr(params, name)]
    if params.method == "kto" and params.batch_size < 2:
        problems.append(Problem(code="preference.kto_batch", field="batch_size"))
    if not any(each.blocking for each in problems):
        model = world.describe(params.model)
        problems += check_training_fits(params, quote, world, model.facts["hidden_size"] if model else 0)
    return problems + check_answers(params.data, world) + tune_only(params.model, world, "model")


def quote(params: PreferenceParams, world: World) -> Quote:
    model, data = world.describe(params.model), world.describe(params.data)
    assert model and data
    learns = learning(params, params, params.model, world, model.facts["parameters"])
    shape, sequences = workload(params, preference_facts(params.method, data)), _SEQUENCES[params.method]
    work, top = {**shape.timing, "rows": sequences * shape.rows}, params.top_share
    train = shape.slowdown(params) * costs.training_seconds(model.facts, **work, frozen=True, top=top)
    passes = _FORWARD[params.method] * work["rows"]
    train += shape.optimizer_seconds(params, learns.trained)
    read = costs.teacher_forward_seconds(model.facts, passes, shape.tokens, shape.answers)
    start = costs.start_seconds(model.facts) + shape.answering_seconds(model.facts, params)
    made = {"format": "adapter", "base": params.model, "adapter_parameters": learns.trained}
    memory, vram = needs(
        model.facts, params, shape, world, trained=learns.trained, frozen=True, top=top, sequences=sequences
    )
    weights = learns.trained * 4 + 4_000_000
    return Quote(
        seconds=(start + train + read) / world.speed(),
        memory_bytes=memory,
        vram=vram,
        disk_bytes=weights + params.checkpoint_bytes(weights, learns.trained, shape.steps),
        forecast={**model.facts, **made, "data": params.data, CONFIG_OF: params.model},
        learning=learns,
    )


def run(params: PreferenceParams, ctx: Context) -> PreferenceResult:
    from backend.ml.inference.load import load_model, tokenizer_of
    from backend.ml.training.lora import keep_adapter
    from backend.ml.training.preference import tune

    base, data = ctx.input(params.model), ctx.input(params.data)
    params = params.resolved(base.facts)
    warn_inaccurate(data, ctx)
    ctx.progress(0, 1, "reading rows")
    method, rows = params.method, params.evaluate_rows
    examples, held_out = load_preferences(method, params.max_length, rows, base.path, data, ctx)
    ctx.raise_if_cancelled()
    ctx.progress(0, 1, "loading the model")
    model, trained = tune(
        load_model(base, ctx.input, frozen=True), tokenizer_of(base.path), examples, held_out, params, ctx
    )
    ctx.raise_if_cancelled()
    name = params.name or f"{data.name}-{method}"
    return PreferenceResult(**keep_adapter(model, trained, (base, data), name, ctx, params))


STAGE = Stage(
    name="preference",
    title="Preference tuning",
    page="finetune",
    open=("model", "data", "method", "beta", "epochs", "rank"),
    offers={"data": ("dataset",)},
    inactive=lambda values: inactive_fields(values) | {*_UNREAD},
    kind=Kind.ADAPTER,
    params=PreferenceParams,
    result=PreferenceResult,
    check=check,
    quote=quote,
    run=run,
    example={"model": "smollm2-135m-instruct", "data": "${data}", "method": "dpo", "beta": 0.1},
)
