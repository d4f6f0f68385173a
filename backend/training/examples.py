"""The rows of a dataset as the examples of a training. No torch."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView
from backend.core.stage import Context
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder
from backend.data.encoding import EncodedExamples, encode_rationales, encode_rows
from backend.training.params import TrainingParams


def load_examples(
    params: TrainingParams, model: Path, data: ArtifactView, ctx: Context
) -> tuple[EncodedExamples, EncodedExamples]:
    """The train rows and the first validation rows as token ids, a conversation as one sequence where the method and the chat
    template allow it; with rationales every train item says by `rationale` (0 or 1) what it gives. Raises StudioError when
    nothing is left to train on, or the chat template has no place for tools."""
    folder, encoder, merge = DataFolder(data.path), Encoder(model), params.merges_turns
    train = encode_rows(encoder, folder.template, folder.rows("train"), params.max_length, merge=merge)
    first = islice(folder.rows("validation"), params.evaluate_rows)
    held_out = encode_rows(encoder, folder.template, first, params.max_length, merge=merge)
    if train.truncated:
        ctx.log(
            f"{train.truncated} prompts were longer than {params.max_length} tokens and lost their beginning.",
            "warning",
        )
    if train.too_long:
        ctx.log(
            f"{train.too_long} rows were left out: their answer alone is longer than {params.max_length} tokens.",
            "warning",
        )
    if not train.items and train.too_long:
        raise StudioError("train.too_long", rows=train.too_long, data=data.name, max_length=params.max_length)
    if not train.items:
        raise StudioError("train.no_rows", data=data.name)
    if params.learns_rationales:
        steps = encode_rationales(encoder, folder.template, folder.rows("train"), params.max_length)
        _add_rationales(train, steps, params, data.name, ctx)
    _log_turns(train, params, ctx)
    ctx.log(f"{len(train.items)} sequences with {train.tokens} tokens to train on, {len(held_out.items)} to validate.")
    return train, held_out


def _log_turns(train: EncodedExamples, params: TrainingParams, ctx: Context) -> None:
    if train.merged:
        ctx.log(f"{train.merged} answers are learned within the sequence of a later turn of their conversation.")
    if train.split:
        ctx.log(
            f"{train.split} turns are sequences of their own: their conversation is longer than {params.max_length} tokens, "
            "or the chat template writes earlier turns otherwise."
        )


def _add_rationales(
    train: EncodedExamples, steps: EncodedExamples, params: TrainingParams, data: str, ctx: Context
) -> None:
    """Add `steps` to `train` as examples of a second task. Raises StudioError when there are none."""
    if not steps.items:
        raise StudioError("steps.none", data=data)
    if steps.too_long:
        ctx.log(
            f"The steps of {steps.too_long} rows are longer than {params.max_length} tokens: not learned.", "warning"
        )
    if steps.truncated:
        ctx.log(
            f"{steps.truncated} prompts that ask for steps were longer than {params.max_length} tokens with these and lost "
            "their beginning.",
            "warning",
        )
    ctx.log(f"{len(steps.items)} of {len(train.items)} rows have steps, which are learned beside the answers.")
    for task, examples in enumerate((train, steps)):
        for item in examples.items:
            item["rationale"] = task  # type: ignore[assignment]
    train.items += steps.items
