"""Early stopping and the best checkpoint: what the trainer is told, and what came of it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from transformers import EarlyStoppingCallback, TrainerCallback, TrainerState
from transformers.trainer import TRAINER_STATE_NAME

from backend.core.errors import Problem
from backend.core.stage import Context
from backend.data.encoding import IGNORE_INDEX, EncodedExamples
from backend.files.checkpoints import RESUMABLE, SCORES, retain
from backend.training.curve_findings import TrainingRun, curve_findings, label_counts
from backend.training.params import TrainingParams

_LOSS = "eval_loss"
_URGENT = ("curve.overfit", "curve.diverged", "curve.not_a_number")
"""Worth a word while a run could still be stopped."""


class EarlyStop(EarlyStoppingCallback):
    """transformers' own, also where the last weights are kept; its counter lies in every checkpoint."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Without the demand for `load_best_model_at_end`."""


class BestCheckpoint(TrainerCallback):
    """Finds the best checkpoint again where the folder of the jobs has moved since it was written."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        _find_best(state, Path(args.output_dir))


class KeptCheckpoints(TrainerCallback):
    """Keeps the checkpoints of the last evaluations and of the best. transformers' own limit counts those by the clock, too,
    which would push them out."""

    def __init__(self, count: int) -> None:
        self.count = count

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if not state.is_world_process_zero:
            return
        evaluated = {entry["step"] for entry in state.log_history if _LOSS in entry}
        retain(Path(args.output_dir), evaluated, state.best_global_step, self.count)


class CurveWatch(TrainerCallback):
    """Says in the log, once, what the curves show while the training is at work."""

    def __init__(self, data: EncodedExamples, params: TrainingParams, ctx: Context) -> None:
        self.data, self.params, self.ctx = data, params, ctx
        self.said: set[str] = set()

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        for found in curve_findings(_run(state, self.data, self.params)):
            if found.code in _URGENT and found.code not in self.said:
                self.said.add(found.code)
                self.ctx.log(found.text(), "warning")


def said_of(state: Any, data: EncodedExamples, params: TrainingParams) -> list[Problem]:
    """What curves and rows say of a training that has ended."""
    return curve_findings(_run(state, data, params))


def control_callbacks(params: TrainingParams, data: EncodedExamples, ctx: Context) -> list[TrainerCallback]:
    """What the trainer calls beside the progress."""
    found: list[TrainerCallback] = [
        CurveWatch(data, params, ctx),
        *([BestCheckpoint()] if params.keep == "best" else []),
        *([KeptCheckpoints(params.checkpoints_kept)] if params.checkpoints_kept else []),
    ]
    return [*found, EarlyStop(params.patience, params.min_improvement)] if params.patience else found


def control_config(params: TrainingParams, evaluates: bool) -> dict[str, Any]:
    """Settings of the trainer. Beside those at evaluations the progress asks for checkpoints by the clock."""
    if not evaluates:
        return {"eval_strategy": "no", "save_strategy": "no", "save_total_limit": RESUMABLE}
    best, when = params.keep == "best", "steps" if params.evaluate_steps else "epoch"
    each = when if params.checkpoints_kept else "best" if best else "no"
    return {
        "eval_strategy": when,
        "eval_steps": params.evaluate_steps or None,
        "save_strategy": each,
        "save_total_limit": None if params.checkpoints_kept else RESUMABLE,
        **({"save_steps": params.evaluate_steps} if each == "steps" else {}),
        "load_best_model_at_end": best,
        "metric_for_best_model": f"eval_{params.best_by}" if params.needs_validation else None,
        "greater_is_better": params.scores_answers if params.needs_validation else None,
        "restore_callback_states_from_checkpoint": params.patience > 0,
    }


def was_finished(checkpoint: Path, params: TrainingParams, planned: int) -> bool:
    """Whether a checkpoint was written at the end of the training: at its last step, or where it stopped early."""
    state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))
    counted = state.stateful_callbacks.get(EarlyStop.__name__, {}).get("attributes", {})
    stopped = params.patience and counted.get("early_stopping_patience_counter", 0) >= params.patience
    return bool(stopped) or state.global_step >= planned


def restore_finished(trainer: Any, checkpoint: Path) -> None:
    """Put the trainer where it was at the end of the training, without a step of it."""
    trainer._load_from_checkpoint(str(checkpoint))
    trainer.state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))
    _find_best(trainer.state, checkpoint.parent)
    if trainer.args.load_best_model_at_end and trainer.state.best_model_checkpoint:
        trainer._load_best_model()


def outcome(state: Any, params: TrainingParams, planned: int, ctx: Context) -> dict[str, float]:
    """Of the evaluations: eval_loss (of the weights that are kept), kept_step, best_step, best_eval_loss; where answers tell
    the best weights, their score too; last_... of it where others than the last are kept, planned_steps where it stopped
    early. Empty where nothing was evaluated."""
    measured = {entry["step"]: entry for entry in state.log_history if _LOSS in entry}
    if not measured:
        return {}
    last = measured[max(measured)]
    told = [name for name in SCORES if name in last]
    chosen = params.keep == "best" and state.best_model_checkpoint
    kept_step = state.best_global_step if chosen else state.global_step
    kept = measured.get(kept_step, {})  # a checkpoint that was written for resuming alone has no figures
    found = {name: float(kept[name]) for name in told if kept}
    found |= {"kept_step": float(kept_step), "best_step": float(_best_step(measured, told[-1]))}
    found["best_eval_loss"] = float(measured[_best_step(measured, _LOSS)][_LOSS])
    if kept_step != state.global_step:
        found |= {f"last_{name}": float(last[name]) for name in told}
        words = " and ".join(f"{name} {kept[name]:.4f} ({last[name]:.4f} at the last step)" for name in told)
        ctx.log(f"Kept the weights of step {kept_step}: {words}.")
    if state.global_step < planned:
        found["planned_steps"] = float(planned)
        ctx.log(
            f"Stopped at step {state.global_step} of {planned}: {params.patience} evaluations brought no improvement."
        )
    return found


def _run(state: Any, data: EncodedExamples, params: TrainingParams) -> TrainingRun:
    curves = {name: [(e["step"], float(e[name])) for e in state.log_history if name in e] for name in ("loss", _LOSS)}
    rows = [] if data.packed else data.items
    answers = [tuple(label for label in item["labels"] if label != IGNORE_INDEX) for item in rows]
    return TrainingRun(
        training=curves["loss"],
        validation=curves[_LOSS],
        steps=state.global_step,
        rows=len(rows),
        left_out=data.too_long,
        max_length=params.max_length,
        learning_rate=params.rate,
        kept_best=params.keep == "best",
        chance=params.chance_loss,
        answers=label_counts(answers),
    )


def _best_step(measured: dict[int, dict[str, Any]], name: str) -> int:
    """The first with the lowest loss or the highest score."""
    sign = 1 if name == _LOSS else -1
    return min(measured, key=lambda step: (math.isnan(measured[step][name]), sign * measured[step][name]))


def _find_best(state: Any, folder: Path) -> None:
    best = folder / f"checkpoint-{state.best_global_step}"
    if state.best_global_step and best.is_dir():
        state.best_model_checkpoint = str(best)
