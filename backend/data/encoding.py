"""Rows of a dataset as token ids to learn from. No torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from backend.data.chat_template import Encoder
from backend.data.dataset import Row, Template

IGNORE_INDEX = -100


@dataclass
class EncodedExamples:
    """`items`: input_ids and labels, where labels hold the answer with its end of turn and IGNORE elsewhere.
    `truncated`: prompts that lost their beginning; `too_long`: rows whose answer (or steps) alone is too long."""

    items: list[dict[str, list[int]]] = field(default_factory=list)
    truncated: int = 0
    too_long: int = 0

    @property
    def tokens(self) -> int:
        return sum(len(item["input_ids"]) for item in self.items)


def encode_rows(encoder: Encoder, template: Template, rows: Iterable[Row], max_length: int) -> EncodedExamples:
    """Rows with an answer, as ids of at most `max_length` tokens. A long prompt loses its beginning, an answer nothing."""
    return _encode(encoder, template, ((row, row.output) for row in rows), max_length)


def encode_rationales(encoder: Encoder, template: Template, rows: Iterable[Row], max_length: int) -> EncodedExamples:
    """The rows with an answer and steps as examples of a task of their own, whose answer is the steps; cut as those of
    `encode_rows`."""
    asked = ((row, row.rationale or None) for row in rows if row.output is not None)
    return _encode(encoder, template.for_rationale(), asked, max_length)


def _encode(
    encoder: Encoder, template: Template, rows: Iterable[tuple[Row, str | None]], max_length: int
) -> EncodedExamples:
    """Rows with what is to be learned of each, None for nothing."""
    examples = EncodedExamples()
    for row, text in rows:
        if text is None:
            continue
        answer = encoder.answer_ids(text)
        left = max_length - len(answer)
        if left < 1:
            examples.too_long += 1
            continue
        prompt = encoder.prompt_ids(template, row)
        examples.truncated += len(prompt) > left
        prompt = prompt[-left:]
        examples.items.append({"input_ids": prompt + answer, "labels": [IGNORE_INDEX] * len(prompt) + answer})
    return examples
