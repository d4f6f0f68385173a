"""What a job hears of its training: progress, curves, and whether it is time for a checkpoint."""

from __future__ import annotations

import math
import time
from typing import Any

from transformers import TrainerCallback

from backend.core.errors import StudioError
from backend.core.stage import Context
from backend.ml.training.distributed import of_first

_REWARDS = {"rewards/accuracies": "reward_accuracy", "rewards/margins": "reward_margin"}
CURVES = {name: name for name in ("loss", "eval_loss", "eval_accuracy", "eval_token_f1", "learning_rate")}
CURVES |= {f"{when}{theirs}": f"{when}{ours}" for theirs, ours in _REWARDS.items() for when in ("", "eval_")}
"""What a trainer logs and a page draws -> the metric's name."""


class ProgressCallback(TrainerCallback):
    """Tells the context about progress, curves and time for a checkpoint, and asks it whether to go on."""

    def __init__(self, ctx: Context, checkpoint_seconds: float) -> None:
        self.ctx = ctx
        self.pause = checkpoint_seconds
        self.saved = time.monotonic()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.ctx.progress(state.global_step, state.max_steps, "training")
        self.saved = time.monotonic()

    def on_substep_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._tell(state, "training")

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._tell(state, "training")
        due = time.monotonic() - self.saved >= self.pause and state.global_step < state.max_steps
        if of_first(due):
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.saved = time.monotonic()

    def on_prediction_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._tell(state, "evaluating")

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        for name, metric in CURVES.items():
            if name not in (logs or {}):
                continue
            value = float((logs or {})[name])
            if name == "loss" and not math.isfinite(value):
                raise StudioError("train.diverged", step=state.global_step)
            self.ctx.metric(metric, value, state.global_step)

    def _tell(self, state: Any, note: str) -> None:
        self.ctx.progress(state.global_step, state.max_steps, note)
        self.ctx.raise_if_cancelled()
