"""Replies that were dropped, or whose answer was read out of them leniently: kept as they came with the dataset."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from backend.core.errors import Problem
from backend.core.messages.words import DROPS
from backend.generation import voting

REPLIES_FILE = "replies.jsonl"
UNUSABLE_SHARE = 0.2
"""Of all answers, above which a teacher's dataset ends with findings."""
WANTED = frozenset({"unsure"})
"""Reasons that the user set a threshold for: the answers are sound."""


class OddReply(NamedTuple):
    """`reply` to the row as it came; `answer`: what was read out of it, None where it was dropped for `reason`."""

    row: str
    reply: str
    answer: str | None
    reason: str | None


def write_replies(file: Path, odd: Sequence[OddReply]) -> None:
    """One JSON object a line; no file where there are none."""
    if odd:
        lines = (json.dumps(one._asdict(), ensure_ascii=False) + "\n" for one in odd)
        file.write_text("".join(lines), encoding="utf-8")


def none_usable(dropped: Counter[str]) -> str:
    """The code of the error when every answer was dropped."""
    most = dropped.most_common(1)[0][0]
    return {
        voting.EMPTY: "chat.teacher_empty",
        voting.NO_LABEL: "chat.teacher_useless",
        voting.NO_MARKER: "synth.marker_missing",
        voting.CUT_OFF: "synth.all_cut_off",
        voting.TWO_LABELS: "teacher.all_several",
        voting.REFUSAL: "teacher.all_refused",
        voting.TOO_LONG: "teacher.all_too_long",
    }.get(most, "synth.all_unsure")


def find_unusable(dropped: Counter[str], rows: int, teacher: str) -> list[Problem]:
    """A finding when more than a fifth of the answers to `rows` were of no use."""
    reasons = Counter({reason: count for reason, count in dropped.items() if reason not in WANTED})
    if reasons.total() <= rows * UNUSABLE_SHARE:
        return []
    most, times = reasons.most_common(1)[0]
    args = {"bad": reasons.total(), "count": rows, "teacher": teacher, "reason": DROPS[most], "times": times}
    return [Problem(code="teacher.many_unusable", args=args, blocking=False)]
