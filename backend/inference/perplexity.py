"""How well a model predicts the right answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp, log
from typing import Any

from backend.data.chat_template import gold_text
from backend.data.dataset import DataFolder, Row


def answer_loss(data: DataFolder, rows: Sequence[Row], engine: Any, tick: Callable[[], None]) -> dict[str, float]:
    """Mean -ln p per token of the right answers and their ends of turn that fit the context, its exponential, and bits per byte
    of these answers in UTF-8, which compare models with different tokenizers; empty where none fits."""
    total, tokens, length = 0.0, 0, 0
    for row in rows:
        prompt, answer = engine.encode(data.template.prompt(row)), engine.encoder.gold_ids(data.template, row)
        if len(prompt) + len(answer) <= engine.context:
            total += engine.loss(prompt, answer)
            tokens += len(answer)
            length += len(gold_text(data.template, row, engine.encoder).encode())
        tick()
    if not tokens:
        return {}
    found = {"loss": total / tokens, "perplexity": exp(min(700.0, total / tokens)), "loss_tokens": float(tokens)}
    return found | ({"bits_per_byte": total / log(2) / length} if length else {})
