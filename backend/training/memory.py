"""What a training takes of the machine's memory and of a card's, whether it fits, and what to change where it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from backend.core.errors import Problem
from backend.core.schemas import Quote
from backend.core.stage import World, check_fits
from backend.core.units import human_bytes
from backend.models import card_memory, costs
from backend.training.params import HEAD_POSITIONS, TrainingParams, Workload

NF4_BLOCK = 64
"""Weights that share a scale in the 4-bit format."""
P = TypeVar("P", bound=TrainingParams)


def needs(
    facts: dict[str, Any],
    params: TrainingParams,
    shape: Workload,
    world: World,
    *,
    trained: int,
    frozen: bool,
    bits: int = 32,
    base_bytes: float = 4.0,
    top: float = 1.0,
    sequences: int = 1,
    processes: int = 1,
    in_parts: bool = False,
) -> tuple[int, dict[str, int]]:
    """(bytes of the processes, bytes on each one's card by what holds them: empty where it trains on the CPU). `top`: share of
    the layers that learn; `sequences`: that are trained on for an example; `in_parts`: the loss needs the logits of few
    positions at a time."""
    tokens, state = sequences * shape.batch_tokens(params) / processes, params.state_bytes
    longest = min(params.max_length, max(2 * shape.answers, shape.rationale_tokens))  # of answers: about twice the mean
    positions = sequences * params.batch_size / processes * longest
    if in_parts and not shape.rationale_tokens:
        positions = min(positions, HEAD_POSITIONS)
    if not world.card_bytes:
        own = costs.training_bytes(
            facts, trained=trained, batch_tokens=tokens, base_bytes=base_bytes, state_bytes=state, top=top
        )
        logits = (
            round(positions * facts["vocabulary"] * 4 * costs.LOGIT_TABLES)
            if in_parts and not shape.rationale_tokens
            else 0
        )
        return processes * (own + logits) + shape.rationale_bytes(params, facts["vocabulary"]), {}
    held = card_memory.training(
        facts,
        trained=trained,
        batch_tokens=tokens * top,
        positions=positions,
        state_bytes=state,
        bits=bits,
        frozen=frozen,
    )
    return processes * costs.host_bytes(facts, 2.0 if frozen else 4.0), held


def check_training_fits(params: P, quote: Callable[[P, World], Quote], world: World, hidden_size: int) -> list[Problem]:
    """Whether the memory is enough; where it is short or scarce, each single change that makes it fit well, or all together."""
    found = check_fits(quote(params, world), world)
    if not any(each.code in _SHORT for each in found):
        return found

    def hint(code: str, changes: Mapping[str, Any]) -> list[Problem]:
        then = quote(params.model_copy(update=dict(changes)), world)
        if any(each.code in _SHORT for each in check_fits(then, world)):
            return []
        field = next(iter(changes)) if code != "fits.together" else None
        need = human_bytes(then.vram_bytes or then.memory_bytes)
        args = {"value": changes[field] if field else None, "need": need}
        return [Problem(code=code, args=args, field=field, blocking=False)]

    changes = _changes(params, hidden_size)
    alone = [each for code, change in changes.items() for each in hint(code, change)]
    every: dict[str, Any] = {name: value for change in changes.values() for name, value in change.items()}
    return found + (alone or (hint("fits.together", every) if every else []))


_SHORT = ("core.memory_low", "core.vram_low", "core.memory_tight", "core.vram_tight")


def _changes(params: TrainingParams, hidden_size: int) -> dict[str, dict[str, Any]]:
    """What takes less memory than these parameters, by the code of its sentence; the first field is the one to name."""
    found: dict[str, dict[str, Any]] = {}
    fields = type(params).model_fields
    if params.batch_size > 1:
        small = max(1, params.batch_size // 4)
        found["fits.batch"] = {"batch_size": small, "accumulation": params.accumulation * params.batch_size // small}
    if not params.gradient_checkpointing:
        found["fits.checkpointing"] = {"gradient_checkpointing": True}
    if getattr(params, "method", None) == "full":
        found["fits.lora"] = {"method": "lora"}
    if "qlora" in fields and not getattr(params, "qlora", True):
        bits = 8 if hidden_size % NF4_BLOCK else 4
        adapter = {"method": "lora"} if getattr(params, "method", None) == "full" else {}
        found["fits.qlora"] = {"qlora": True, "qlora_bits": bits, **adapter}
    if "adapter" in fields and not getattr(params, "adapter", True):
        found["fits.adapter"] = {"adapter": True}
    if params.max_length >= 64:
        found["fits.shorter"] = {"max_length": params.max_length // 2}
    return found
