"""One trainer for LoRA and full training, on TRL's SFTTrainer: loss on the answer only, exact resume, progress and cancel."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch.nn import functional
from transformers import PrinterCallback
from trl import SFTConfig, SFTTrainer  # type: ignore[attr-defined]

from backend.core.errors import Problem, StudioError
from backend.core.settings import Settings
from backend.core.stage import Context
from backend.data.encoding import EncodedExamples
from backend.ml.inference.device import bf16_pays, device, fp16_pays
from backend.ml.training.answer_score import AnswerScore
from backend.ml.training.batches import UpdateSampler, as_dataset
from backend.ml.training.checkpoints import explain_disk_full, latest_checkpoint, mark_complete
from backend.ml.training.control import (
    control_callbacks,
    control_config,
    outcome,
    restore_finished,
    said_of,
    was_finished,
)
from backend.ml.training.distributed import SharedTrainer, join, leave_to_first
from backend.ml.training.layer_reuse import LayerReuse, layer_reuse
from backend.ml.training.progress import CURVES, ProgressCallback
from backend.ml.training.shared_prefix import answer_hidden_states, head_logits, head_loss
from backend.training.params import TrainingParams
from backend.training.processes import rank, world_size
from backend.training.trackers import PROJECT, report_to

_POINTS = 400  # of a curve
_CHECKPOINT_SECONDS = 60.0
_SFT_SETTINGS = partial(SFTConfig, dataset_kwargs={"skip_prepare_dataset": True})


class Trained(NamedTuple):
    """What came of a training. `said`: what its curves and rows say, findings (`blocking`) and hints."""

    metrics: dict[str, float]
    said: list[Problem]


def train(
    model: Any,
    tokenizer: Any,
    data: EncodedExamples,
    held_out: EncodedExamples,
    params: TrainingParams,
    ctx: Context,
    make: Callable[..., StudioTrainer] | None = None,
    checkpoint_seconds: float = _CHECKPOINT_SECONDS,
    settings: Callable[..., Any] = _SFT_SETTINGS,
) -> Trained:
    """Train `model` in place. Metrics: train_loss (last epoch), what `outcome` says of the evaluations, tokens_per_s,
    trained_tokens, steps and trained_parameters. `make` builds a trainer with a loss of its own, `settings` its arguments;
    `checkpoint_seconds`: pause between two checkpoints.

    Continues from the newest complete checkpoint in `ctx.checkpoints`. Raises Cancelled when a stop is asked, and StudioError
    when the disk is full, the loss is no number, or no validation row is left of those that the parameters need.
    """
    if params.needs_validation and not held_out.items:
        raise StudioError("train.no_validation_left", field=params.needs_validation[0])
    planned = params.optimizer_steps(len(data.items))
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    trackers = report_to(Settings(home=ctx.artifacts.parent), ctx.job_id, ctx.dir)
    join(params, ctx.dir)
    trainer = (make or AnswerTrainer)(
        model=model,
        args=_config(params, ctx.seed, ctx.checkpoints, len(data.items), bool(held_out.items), trackers, settings),
        train_dataset=as_dataset(data),
        eval_dataset=as_dataset(held_out),
        processing_class=tokenizer,
        callbacks=[ProgressCallback(ctx, checkpoint_seconds), *control_callbacks(params, data, ctx)],
    )
    trainer.remove_callback(PrinterCallback)
    if params.scores_answers:
        trainer.answer_score = AnswerScore(held_out, tokenizer, params.best_by, ctx.raise_if_cancelled)
    passes = planned * params.batch_size * params.accumulation / max(1, len(data.items))
    rows = [item["input_ids"] for item in (*data.items, *held_out.items)]
    if trainer.reuses_layers and world_size() == 1:  # a process sees other rows in every epoch
        trainer.reuse = layer_reuse(base_model_of(trainer.model), rows, passes, ctx)
    start = latest_checkpoint(ctx.checkpoints)
    if start:
        ctx.log(f"Resuming from step {start.name.rsplit('-', 1)[1]}.")
    if start and was_finished(start, params, planned):
        restore_finished(trainer, start)
    else:
        trainer.train(resume_from_checkpoint=str(start) if start else None)
    leave_to_first(trainer)
    metrics = _metrics(trainer, outcome(trainer.state, params, planned, ctx), trained)
    return Trained(metrics, said_of(trainer.state, data, params))


class StudioTrainer(SharedTrainer):
    """What is added to each of TRL's trainers, standing before it among the bases: rows by chance, time and
    tokens, the model's own answers, checkpoints that can be trusted. `reuses_layers`: nothing reads the outputs of frozen
    layers."""

    reuses_layers = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.lengths = [len(ids) for ids in options["train_dataset"]["input_ids"]]
        self.trained_tokens = 0
        self.step_seconds = 0.0
        self.answer_score: AnswerScore | None = None
        self.reuse: LayerReuse | None = None

    def evaluation_loop(self, *given: Any, **named: Any) -> Any:
        """Also what the model's own answers are worth, where that tells the best weights."""
        found: Any = super().evaluation_loop(*given, **named)
        if self.answer_score is not None:
            found.metrics.update(self.answer_score.score(self))
        return found

    def training_step(self, model: Any, inputs: dict[str, Any], *rest: Any, **named: Any) -> Any:
        begun = time.perf_counter()
        loss = super().training_step(model, inputs, *rest, **named)
        self.step_seconds += time.perf_counter() - begun
        self.trained_tokens += int(inputs["attention_mask"].sum())
        return loss

    def _get_train_sampler(self, train_dataset: Any = None) -> UpdateSampler:
        batch = self.args.train_batch_size * world_size()
        return UpdateSampler(self.lengths, batch * self.args.gradient_accumulation_steps, self.args.seed)

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Checkpoints carry no card."""

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        with explain_disk_full(Path(str(self.args.output_dir))):
            super()._save_checkpoint(model, trial)
            folder = Path(str(self.args.output_dir)) / f"checkpoint-{self.state.global_step}"
            self.accelerator.wait_for_everyone()
            if not rank():
                (folder / "training_args.bin").unlink(missing_ok=True)  # a pickle that nobody reads
                mark_complete(folder)


class AnswerTrainer(StudioTrainer, SFTTrainer):
    """SFTTrainer that runs the output head on the answer's positions only: TRL does so on GPUs, and on a CPU scores every
    position, which costs more than a small model's layers."""

    reuses_layers = True

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The mean of `summed_loss` over the answers' tokens; of those of all processes where they are counted, as many times
        as there are processes, whose mean is taken."""
        return self.by_wrapper(model, self._mean_loss, inputs, num_items_in_batch)

    def _mean_loss(self, inputs: dict[str, Any], counted: Any) -> Any:
        total, positions = self.summed_loss(inputs)
        return total / positions if counted is None else total * world_size() / counted

    def summed_loss(self, inputs: dict[str, Any]) -> tuple[Any, int]:
        """Negative log-likelihood of a batch's answers (nats), and the number of their positions."""
        causal = base_model_of(self.model)
        with self.accelerator.autocast():
            hidden, labels = answer_hidden_states(causal, inputs, self.reuse)
            return head_loss(causal, hidden, labels), len(labels)

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[Any, None, None]:
        """The loss of the rows of all processes, in each of them."""
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad():
            loss = self._mean_loss(inputs, self._get_num_items_in_batch([inputs], self.accelerator.device))
        return self.accelerator.reduce(loss, "mean"), None, None


class LogitsTrainer(AnswerTrainer):
    """AnswerTrainer for a loss of its own, which sees the logits of all positions of a batch."""

    def summed_loss(self, inputs: dict[str, Any]) -> tuple[Any, int]:
        """`total_loss` of a batch, and the number of its positions."""
        causal = base_model_of(self.model)
        with self.accelerator.autocast():
            hidden, labels = answer_hidden_states(causal, inputs, self.reuse)
            logits = head_logits(causal, hidden)
        return self.total_loss(logits.float(), labels, inputs), len(labels)

    def total_loss(self, logits: Any, labels: Any, inputs: dict[str, Any]) -> Any:
        """Sum over `labels` (positions) of the loss by `logits` (positions, vocabulary), in nats; unless a subclass says
        otherwise the negative log-likelihood."""
        return functional.cross_entropy(logits, labels, reduction="sum")


def base_model_of(model: Any) -> Any:
    """The model itself, below an adapter too."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


class ExtraColumnTrainer(LogitsTrainer):
    """LogitsTrainer whose rows carry one more integer column, called `extra_column`. Validation rows have none."""

    extra_column = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.data_collator = partial(_collate, self.extra_column, self.data_collator)

    def _set_signature_columns_if_needed(self) -> None:
        super()._set_signature_columns_if_needed()
        if self.extra_column not in self._signature_columns:  # type: ignore[operator]
            self._signature_columns.append(self.extra_column)  # type: ignore[attr-defined]


def _collate(extra_column: str, inner: Callable[..., dict[str, Any]], items: list[dict[str, Any]]) -> dict[str, Any]:
    batch = inner(items)
    return (
        {**batch, extra_column: torch.tensor([item[extra_column] for item in items])}
        if extra_column in items[0]
        else batch
    )


def _config(
    params: TrainingParams,
    seed: int,
    folder: Path,
    rows: int,
    evaluates: bool,
    trackers: Sequence[str] = (),
    settings: Callable[..., Any] = _SFT_SETTINGS,
) -> Any:
    steps = params.optimizer_steps(rows)
    return settings(
        output_dir=str(folder),
        num_train_epochs=params.epochs,
        max_steps=params.max_steps or -1,
        per_device_train_batch_size=params.batch_size // world_size(),
        per_device_eval_batch_size=params.batch_size * 2 // world_size(),
        gradient_accumulation_steps=params.accumulation,
        learning_rate=params.rate,
        lr_scheduler_type=params.schedule,
        warmup_steps=math.ceil(params.warmup_ratio * steps),
        weight_decay=params.weight_decay,
        gradient_checkpointing=params.gradient_checkpointing,
        optim={"adamw": "adamw_torch_fused", "adamw_8bit": "adamw_8bit"}[params.optimizer],
        bf16=bf16_pays(),
        fp16=fp16_pays(),
        use_cpu=device() == "cpu",
        ddp_find_unused_parameters=not params.gradient_checkpointing,
        **control_config(params, evaluates),
        prediction_loss_only=True,
        logging_steps=math.ceil(steps / _POINTS),
        logging_first_step=True,
        seed=seed,
        max_length=None,
        dataloader_num_workers=0,
        report_to=list(trackers),
        project=PROJECT,
        disable_tqdm=True,
        logging_nan_inf_filter=False,
        include_num_input_tokens_seen="non_padding",  # kept in checkpoints
    )


def _metrics(trainer: Any, evaluated: dict[str, float], trained: int) -> dict[str, float]:
    losses = [entry for entry in trainer.state.log_history if "loss" in entry]
    last = max(entry["epoch"] for entry in losses) - 1
    kept = evaluated.get("kept_step", math.inf)
    before = [entry for entry in trainer.state.log_history if entry["step"] <= kept]
    rewards = {CURVES[name]: entry[name] for entry in before for name in CURVES if "/" in name and name in entry}
    recent = [entry["loss"] for entry in losses if entry["epoch"] > last]
    return {  # the first of them stand on cards
        "train_loss": sum(recent) / len(recent),
        **{name: value for name, value in evaluated.items() if name.startswith("eval_")},
        **rewards,
        "tokens_per_s": trainer.trained_tokens / trainer.step_seconds if trainer.step_seconds else 0.0,
        "trained_tokens": float(trainer.state.num_input_tokens_seen),
        "steps": float(trainer.state.global_step),
        "trained_parameters": float(trained),
        **evaluated,
    }
