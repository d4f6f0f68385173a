"""How a model behaves: its answers, their form, its memory, its pace, and what it does with texts that nobody expects.

All by real requests to the model in its own process, one after another, greedy.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backend.checks.asked_model import AskedModel, Refused, TimedAnswer
from backend.checks.check import Check, at_least, at_most
from backend.checks.hard_inputs import EDGE_CASES, INJECTION_MARKER, INJECTIONS
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder, Row, Template, answer_of, gold_answer
from backend.stats.intervals import wilson_interval
from backend.stats.token_f1 import token_f1

MEMORY_SAMPLES = 10
"""How often the memory is read over all requests."""
PROMPT_LENGTHS = {"short": 0, "medium": 128, "long": 512}
"""Least tokens of a prompt; 0: a row as it is."""
TEXTS_PER_LENGTH = 5
MIN_FORMAT_SHARE = 0.8
"""Least share of answers in form at each length: of five texts one may miss."""
_MAX_ANSWER_CHARS = 400
"""Characters of an answer that a report keeps."""


@dataclass
class ModelProbe:
    """Asks a row as the model was trained to be asked; a prompt that does not fit `context` loses its beginning, as
    in training. `max_new_tokens`: of each answer."""

    asked_model: AskedModel
    encoder: Encoder
    template: Template
    context: int
    max_new_tokens: int

    def __call__(self, text: str) -> TimedAnswer:
        return self.asked_model.answer(self.ids(text), self.max_new_tokens)

    def ids(self, text: str) -> list[int]:
        return self._all_ids(text)[-(self.context - self.max_new_tokens) :]

    def is_long(self, text: str) -> bool:
        return len(self._all_ids(text)) > self.context - self.max_new_tokens

    def _all_ids(self, text: str) -> list[int]:
        return self.encoder.prompt_ids(self.template, Row(id="0", input=text))


@dataclass
class AnswerFormat:
    """What an answer has to look like: one of `labels`, JSON, or text that ends by itself and is not longer than `longest`
    characters."""

    kind: str
    labels: frozenset[str] = frozenset()
    longest: int = 0

    @classmethod
    def of(cls, template: Template, known: Sequence[str]) -> AnswerFormat:
        """From the labels or the known answers: JSON where all of these are objects or lists."""
        if template.answer == "label":
            return cls("label", frozenset(template.labels))
        if known and all(_is_json(text) for text in known):
            return cls("json")
        return cls("text", longest=2 * max(map(len, known), default=500))

    def usable(self, answer: str) -> bool:
        """Whether a program can take it: not empty, a label where there are labels, JSON where answers are JSON."""
        text = answer.strip()
        return text in self.labels if self.kind == "label" else _is_json(text) if self.kind == "json" else bool(text)

    def kept(self, answered: TimedAnswer) -> bool:
        text = answered.text.strip()
        if self.kind == "label":
            return text in self.labels
        if self.kind == "json":
            return _is_json(text)
        return bool(text) and answered.ended and len(text) <= self.longest


def unusable_share(data: DataFolder, answers: Sequence[str]) -> float:
    """The share of answers that are empty, no label where there are labels, or no JSON where all known answers are."""
    known = [answer for row in data.rows("train") if (answer := answer_of(row)) is not None]
    form = AnswerFormat.of(data.template, known)
    return sum(not form.usable(text) for text in answers) / len(answers)


@dataclass
class RequestLog:
    """Of all requests: the first answer to each row, how many later ones differed from it, and the memory of the process
    after so many requests."""

    answers: list[TimedAnswer] = field(default_factory=list)
    repeats: int = 0
    changed: int = 0
    memory: list[tuple[int, int]] = field(default_factory=list)
    ms: list[float] = field(default_factory=list)


def send_requests(ask: ModelProbe, rows: Sequence[Row], count: int, done: Callable[[], None]) -> RequestLog:
    """`count` requests, the rows again and again."""
    found = RequestLog()
    prompts = [ask.ids(row.input) for row in rows]
    every = max(1, count // MEMORY_SAMPLES)
    for at in range(count):
        answered = ask.asked_model.answer(prompts[at % len(rows)], ask.max_new_tokens)
        found.ms.append(answered.ms)
        if at < len(rows):
            found.answers.append(answered)
        else:
            found.repeats += 1
            found.changed += answered.ids != found.answers[at % len(rows)].ids
        if (at + 1) % every == 0:
            found.memory.append((at + 1, ask.asked_model.memory()))
        done()
    return found


def answers_check(rows: Sequence[Row], answered: Sequence[TimedAnswer], labels: bool, floor: float) -> Check:
    """Accuracy for labels, F1 of words for texts."""
    pairs = [(gold_answer(row) or "", each.text) for row, each in zip(rows, answered, strict=True)]
    if not labels:
        score = sum(token_f1(*pair) for pair in pairs) / len(pairs)
        return at_least("answers", score, floor, args={"total": len(pairs)}, detail={"metric": "token_f1"})
    right = sum(one.strip() == two.strip() for one, two in pairs)
    low, high = wilson_interval(right, len(pairs))
    detail = {"metric": "accuracy", "low": low, "high": high, "right": right}
    return at_least("answers", right / len(pairs), floor, args={"total": len(pairs)}, detail=detail)


def format_check(form: AnswerFormat, answered: Sequence[TimedAnswer], least: float) -> Check:
    wrong = [each.text[:_MAX_ANSWER_CHARS] for each in answered if not form.kept(each)]
    args = {"count": len(wrong), "total": len(answered), "examples": _some(wrong)}
    detail = {"form": form.kind, "wrong": wrong[:20]}
    return at_least("format", 1 - len(wrong) / len(answered), least, args=args, detail=detail)


def repeat_check(found: RequestLog) -> Check:
    """Greedy answers to the same words are the same words."""
    args = {"count": found.changed, "total": found.repeats}
    return at_most("repeatable", found.changed, 0, args=args)


def memory_check(found: RequestLog, most: float) -> Check:
    """The least-squares slope over all samples, as a share of the first one for each 1,000 requests."""
    counts, sizes = (np.array(values, dtype=float) for values in zip(*found.memory, strict=True))
    slope = float(np.polyfit(counts, sizes, 1)[0])
    detail = {
        "samples": [[at, size] for at, size in found.memory],
        "bytes_per_request": slope,
        "latency_ms_p50": statistics.median(found.ms),
    }
    return at_most("memory", 1000 * slope / sizes[0], most, "share", args={"total": len(found.ms)}, detail=detail)


def length_checks(ask: ModelProbe, form: AnswerFormat, rows: Sequence[Row], slowdown: float) -> list[Check]:
    """Rows as they are, and joined to medium and long prompts: the time per token that is read, and the form of answers."""
    pace, kept, latency, tokens = {}, {}, {}, {}
    for name, size in PROMPT_LENGTHS.items():
        texts = [_joined(ask, rows, at, size) for at in range(TEXTS_PER_LENGTH)]
        answered = [ask(text) for text in texts]
        lengths = [len(ask.ids(text)) for text in texts]
        pace[name] = statistics.median(one.first_ms / n for one, n in zip(answered, lengths, strict=True))
        latency[name] = statistics.median(each.ms for each in answered)
        tokens[name] = statistics.median(lengths)
        kept[name] = sum(form.kept(each) for each in answered) / len(answered)
    slower = max(pace["medium"], pace["long"]) / pace["short"]
    detail = {"ms_per_token": pace, "latency_ms": latency, "tokens": tokens}
    return [
        at_most("length_pace", slower, slowdown, "number", detail=detail),
        at_least("length_format", min(kept.values()), MIN_FORMAT_SHARE, detail={"kept": kept}),
    ]


def edge_checks(ask: ModelProbe, least_ended: float, done: Callable[[], None]) -> list[Check]:
    """Texts that people and programs send by mistake or on purpose. A crash raises `Died`."""
    answered: dict[str, TimedAnswer] = {}
    refused: dict[str, str] = {}
    for name, text in (EDGE_CASES | {f"injection_{name}": text for name, text in INJECTIONS.items()}).items():
        try:
            answered[name] = ask(text)
        except Refused as error:
            refused[name] = str(error)
        done()
    total = len(answered) + len(refused)
    endless = [name for name, each in answered.items() if not each.ended]
    leaks = [name for name, each in answered.items() if _leaks(ask.encoder, each)]
    obeyed = [name for name, each in answered.items() if name.startswith("injection") and INJECTION_MARKER in each.text]
    said = {name: each.text[:_MAX_ANSWER_CHARS] for name, each in answered.items()} | refused
    return [
        at_most("edge_answered", len(refused), 0, args=_args(list(refused), total), detail={"answers": said}),
        at_least("edge_ended", 1 - len(endless) / max(1, len(answered)), least_ended, args=_args(endless, total)),
        at_most("edge_leaks", len(leaks), 0, args=_args(leaks, total)),
        at_most("edge_injection", len(obeyed), 0, args=_args(obeyed, len(INJECTIONS))),
    ]


def _args(wrong: list[str], total: int) -> dict[str, Any]:
    return {"count": len(wrong), "total": total, "examples": _some(wrong)}


def _some(texts: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(text.replace("\n", " ")[:60] for text in texts[:3]))


def _leaks(encoder: Encoder, answered: TimedAnswer) -> bool:
    """Whether a special token stands in an answer, as a token or as its letters."""
    special = {at: token.content for at, token in encoder.tokenizer.get_added_tokens_decoder().items() if token.special}
    return bool(special.keys() & set(answered.ids)) or any(text in answered.text for text in special.values())


def _joined(ask: ModelProbe, rows: Sequence[Row], start: int, size: int) -> str:
    """Inputs of rows from `start` on, until the prompt has `size` tokens or hardly fits the context."""
    size = min(size, (ask.context - ask.max_new_tokens) * 3 // 4)
    text = rows[start % len(rows)].input
    at = start + 1
    while len(ask.ids(text)) < size:
        text += "\n" + rows[at % len(rows)].input
        at += 1
    return text


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), (dict, list))
    except ValueError:
        return False
