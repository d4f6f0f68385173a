"""Votes of the blind arena: which of two answers to one prompt somebody preferred, and the preference pairs that follow."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from backend.data.dataset import Message

Winner = Literal["a", "b", "tie", "both_bad"]
SHARES: dict[Winner, float] = {"a": 1.0, "b": 0.0, "tie": 0.5, "both_bad": 0.5}
"""What the first model gets of a vote."""


class Vote(BaseModel):
    """`id` is that of the comparison, so that it has one vote; `messages_a`: what the first model was asked, in the words it
    learned; `dataset` and `row`: where the prompt comes from, when it was not typed; `at`: set when it is stored."""

    model_config = ConfigDict(frozen=True)

    id: str
    prompt: str
    messages_a: list[Message]
    messages_b: list[Message]
    model_a: str
    model_b: str
    name_a: str
    name_b: str
    answer_a: str
    answer_b: str
    winner: Winner
    sampling: dict[str, Any]
    dataset: str = ""
    row: str = ""
    at: datetime | None = None


class Pairs(BaseModel):
    """Preference pairs as the schema `preference` reads them, and how many votes gave none: ties and “both bad”, answers that
    are empty or the same, votes that contradict another one, and those that say what another one has said."""

    rows: list[dict[str, Any]]
    ties: int = 0
    unusable: int = 0
    contradictory: int = 0
    repeated: int = 0


def preference_pairs(said: Iterable[Vote]) -> Pairs:
    """One pair for all votes on the same two answers to a prompt, as most of them say. The prompt is what the model of the
    preferred answer was asked, its system prompt included."""
    left = Counter[str]()
    balance: dict[tuple[str, str, str], list[tuple[Vote, bool]]] = {}
    for vote in said:
        first, second = vote.answer_a.strip(), vote.answer_b.strip()
        if vote.winner not in ("a", "b"):
            left["ties"] += 1
        elif not first or not second or first == second:
            left["unusable"] += 1
        else:
            low, high = sorted((first, second))
            won = first if vote.winner == "a" else second
            balance.setdefault((vote.prompt, low, high), []).append((vote, won == low))
    rows = []
    for held in balance.values():
        for_low = sum(low for _vote, low in held)
        if 2 * for_low == len(held):
            left["contradictory"] += len(held)
            continue
        agreed = [vote for vote, low in held if low == (2 * for_low > len(held))]
        left["contradictory"] += len(held) - len(agreed)
        left["repeated"] += len(agreed) - 1
        rows.append(_pair(agreed[0]))
    return Pairs(rows=rows, **left)


def pair_lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _pair(vote: Vote) -> dict[str, Any]:
    if vote.winner == "a":
        return {"prompt": vote.messages_a, "chosen": vote.answer_a, "rejected": vote.answer_b}
    return {"prompt": vote.messages_b, "chosen": vote.answer_b, "rejected": vote.answer_a}
