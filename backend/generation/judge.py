"""What a judge is asked about an answer, and how its score is read from the reply."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from backend.core.stage import Context
from backend.data.dataset import Message, Row, Template, message_text

RUBRIC = (
    "5: right, complete and to the point. 4: right, with a small flaw. 3: partly right. 2: mostly wrong. "
    "1: wrong, empty or beside the point."
)
Rubric = Annotated[
    str,
    Field(
        title="Rubric",
        description="Meaning of the scores. The judge reads it with every row.",
        min_length=1,
        max_length=5_000,
    ),
]
JUDGE_REPLY_TOKENS = 16
JUDGE_PROMPT_CHARS = 200
"""Characters of a question to the judge beside the rubric, the row and its answer."""
MAX_SCORE = 5
_SCALE = re.compile(r"\b1\s*(?:to|-|–|and|a)\s*5\b|(?:/|\bout of|\bof|\bde)\s*5\b", re.IGNORECASE)
_SCORE = re.compile(r"(?<![\d.,])[1-5](?![\d]|[.,]\d)")


def parse_score(reply: str) -> int | None:
    """The first whole number from 1 to 5 that is not the name of the scale; None when there is none."""
    found = _SCORE.search(_SCALE.sub(" ", reply.rpartition("</think>")[2]))
    return int(found.group()) if found else None


def score_to_confidence(score: int) -> float:
    """1 -> 0, 5 -> 1."""
    return (score - 1) / (MAX_SCORE - 1)


def log_unreadable(ctx: Context, count: int, of: int) -> None:
    """A judge that often says no score is no judge; a small model may answer the question itself."""
    if count:
        ctx.log(
            f"{count} of {of} replies of the judge hold no score. If these are many, choose a larger one.", "warning"
        )


def judge_prompt(rubric: str, template: Template, row: Row, answer: str) -> list[Message]:
    """What the judge is asked: rubric, what was asked, the answer."""
    asked = "\n".join(message_text(message) for message in template.prompt(row))
    kinds = f"The answer has to be one of: {', '.join(template.labels)}." if template.labels else ""
    parts = [
        "Score an answer by this rubric.",
        rubric,
        kinds,
        f"Question:\n{asked}",
        f"Answer:\n{answer}",
        "Reply with one whole number from 1 to 5 and nothing else.",
    ]
    return [{"role": "user", "content": "\n\n".join(part for part in parts if part)}]
