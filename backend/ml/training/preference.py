"""Preference tuning (DPO, KTO) on TRL's trainers, with the studio's batches, checkpoints and template.

DPO: Rafailov et al. 2023, arXiv 2305.18290. KTO: Ethayarajh et al. 2024, arXiv 2402.01306. The reference is the model itself
with its adapter switched off, so no second copy of the weights is in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer  # type: ignore[attr-defined]
from trl.trainer.utils import disable_dropout_in_model

from backend.core.stage import Context
from backend.data.encoding import IGNORE_INDEX, EncodedExamples
from backend.ml.training.lora import add_adapter
from backend.ml.training.trainer import StudioTrainer, Trained, train
from backend.training.preferences import PreferenceMethod

_ADAPTER, _COPY = "default", "ref"


def tune(
    model: Any, tokenizer: Any, data: EncodedExamples, held_out: EncodedExamples, params: Any, ctx: Context, **how: Any
) -> tuple[Any, Trained]:
    """`model` with an adapter that prefers what `data` prefers (backend.training.preferences.load_preferences), and what came
    of the training. `params`: those of the stage; `how`: of `train`."""
    disable_dropout_in_model(model)  # the reference would be another in every batch; the adapter keeps its own
    wrapped = add_adapter(model, params, ctx.seed)
    method: PreferenceMethod = params.method
    settings = partial(_CONFIGS[method], beta=params.beta, disable_dropout=False, remove_unused_columns=False)
    if method == "kto":
        settings = partial(settings, **_weights(data, ctx))
    trainer: Callable[..., StudioTrainer] = {"dpo": PairTrainer, "kto": UnpairedTrainer}[method]
    return wrapped, train(wrapped, tokenizer, data, held_out, params, ctx, trainer, settings=settings, **how)


class PreferenceTrainer(StudioTrainer):
    """What both have in common, before TRL's trainer among the bases: rows come as token ids, and the first adapter is the only
    one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        adapted: Any = self.model
        if _COPY in adapted.peft_config:  # TRL's copy of the adapter: a new one is what the base is
            adapted.delete_adapter(_COPY)
            adapted.set_adapter(_ADAPTER)
        self.data_collator = partial(_collate, self.data_collator)

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        """Rows are token ids already, by the template of the dataset."""
        return dataset


class PairTrainer(PreferenceTrainer, DPOTrainer):
    """DPOTrainer for the pairs of `encode_pairs`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        rows = options["train_dataset"]
        self.lengths = [
            max(len(ids), len(prompt) + len(other))
            for ids, prompt, other in zip(
                rows["input_ids"], map(_prompt, rows["input_ids"], rows["labels"]), rows["rejected_ids"], strict=True
            )
        ]


class UnpairedTrainer(PreferenceTrainer, KTOTrainer):
    """KTOTrainer for the answers of `encode_unpaired`. The answers of a batch, each after another's prompt, tell how far the
    model has gone from its reference (KL)."""


_CONFIGS: dict[PreferenceMethod, Callable[..., Any]] = {"dpo": DPOConfig, "kto": KTOConfig}


def _weights(data: EncodedExamples, ctx: Context) -> dict[str, float]:
    """Of good and rejected answers, so that both sides weigh the same (Ethayarajh et al. 2024, equation 8)."""
    good = sum(bool(item["desirable"]) for item in data.items)
    rejected = len(data.items) - good
    if good == rejected:
        return {}
    rarer = "desirable" if good < rejected else "undesirable"
    weight = max(good, rejected) / min(good, rejected)
    ctx.log(f"{good} good and {rejected} rejected answers: the rarer weigh {weight:.2f} times as much.")
    return {f"{rarer}_weight": weight}


def _collate(inner: Callable[..., dict[str, Any]], items: list[dict[str, Any]]) -> dict[str, Any]:
    """A batch as TRL's collators read it."""
    rows = []
    for item in items:
        prompt = _prompt(item["input_ids"], item["labels"])
        row: dict[str, Any] = {"prompt_ids": prompt}
        answer = item["input_ids"][len(prompt) :]
        if "rejected_ids" in item:
            row |= {"chosen_ids": answer, "rejected_ids": item["rejected_ids"]}
        else:
            row |= {"completion_ids": answer, "label": bool(item["desirable"])}
        rows.append(row)
    if "label" in rows[0]:
        for row, before in zip(rows, [rows[-1], *rows], strict=False):
            row["KL_completion_ids"] = before["completion_ids"]
    return inner(rows)


def _prompt(ids: list[int], labels: list[int]) -> list[int]:
    return ids[: next(at for at, label in enumerate(labels) if label != IGNORE_INDEX)]
