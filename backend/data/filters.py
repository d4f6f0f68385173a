"""The filters that drop a single row, with their thresholds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import regex
from pydantic import Field

from backend.core.errors import Problem, StudioError
from backend.core.fields import Labels
from backend.core.stage import Params
from backend.data.dataset import Row, Template
from backend.data.language import language_of

PATTERN_TIMEOUT_SECONDS = 0.5
REFUSAL_OPENINGS = (
    *("i'm sorry", "i am sorry", "sorry, ", "i cannot", "i can't", "i can not", "i'm unable", "i am unable"),
    *("i'm not able", "i am not able", "as an ai", "as a language model", "i don't have access", "unfortunately, i"),
    *("lo siento", "lo lamento", "no puedo", "no me es posible", "como ia", "como modelo de lenguaje"),
    *("como inteligencia artificial", "no tengo acceso", "no estoy en condiciones"),
)
"""How answers begin that decline the task; compared in lower case."""


class FilterParams(Params):
    """The filters and their thresholds."""

    labels_only: bool = Field(
        True,
        title="Labels only",
        description="With labels: drops answers that are not exactly one of them.",
    )
    input_shortest: int = Field(
        1, title="Minimum input length", description="In characters. Shorter inputs are dropped.", ge=0
    )
    input_longest: int = Field(
        0, title="Maximum input length", description="In characters. Longer inputs are dropped; 0 means no limit.", ge=0
    )
    answer_shortest: int = Field(
        1, title="Minimum answer length", description="In characters. Shorter answers are dropped.", ge=0
    )
    answer_longest: int = Field(
        0,
        title="Maximum answer length",
        description="In characters. Longer answers are dropped; 0 means no limit.",
        ge=0,
    )
    must_match: str = Field(
        "",
        title="Answer must contain",
        description="Regular expression every answer must match, such as `^[A-Z]`. Blank allows anything.",
        max_length=500,
    )
    must_not_match: str = Field(
        "",
        title="Answer must not contain",
        description="Regular expression no answer may match, such as `http`. Blank forbids nothing.",
        max_length=500,
    )
    drop_echoes: bool = Field(
        True, title="Drop echoes", description="Drops answers that only repeat the input. No effect with labels."
    )
    drop_refusals: bool = Field(
        True,
        title="Drop refusals",
        description="Drops answers starting like “I'm sorry” or “As an AI”, in English and Spanish. No "
        "effect with labels.",
    )
    language: Annotated[
        Literal["any", "input", "en", "es", "fr", "de", "it", "pt"],
        Labels(
            {
                "any": "Any",
                "input": "Same as the input",
                "en": "English",
                "es": "Spanish",
                "fr": "French",
                "de": "German",
                "it": "Italian",
                "pt": "Portuguese",
            }
        ),
    ] = Field(
        "any",
        title="Answer language",
        description="Drops answers clearly written in another language; short texts may pass. No effect with labels.",
    )
    drop_disagreeing: bool = Field(
        False,
        title="Drop disagreements with human labels",
        description="Drops teacher answers that differ from a known human label. Leave off to see how "
        "the teacher does alone.",
    )
    gold_similarity: float = Field(
        0.5,
        title="Similarity to human answers",
        description="For free text with the field above on: minimum similarity of both answers, from 0 "
        "to 1 (TF-IDF cosine).",
        ge=0,
        le=1,
    )
    min_confidence: float = Field(
        0.0,
        title="Minimum confidence",
        description="Drops less certain teacher answers, from 0 to 1. Rows without a confidence stay. 0 keeps all.",
        ge=0,
        le=1,
    )
    near_duplicates: float = Field(
        0.9,
        title="Near-duplicate threshold",
        description="Of inputs this similar (1: identical) with the same label, only the most certain "
        "row stays. 0 keeps all.",
        ge=0,
        le=1,
    )
    drop_leaks: bool = Field(
        True,
        title="Drop leaks",
        description="Drops training rows this similar to a validation or test row; with 0, identical ones only.",
    )
    max_per_class: int = Field(
        0,
        title="Maximum rows per class",
        description="Excess rows of a label are dropped at random. 0 means no limit.",
        ge=0,
    )
    balance: Annotated[Literal["none", "median"], Labels({"none": "None", "median": "Median"})] = Field(
        "none",
        title="Balance",
        description="Median: no class keeps more rows than the median class. Needs labels.",
    )


def check_filters(params: FilterParams) -> list[Problem]:
    problems = []
    for name in ("must_match", "must_not_match"):
        try:
            regex.compile(getattr(params, name))
        except regex.error as error:
            problems.append(Problem(code="synth.pattern", args={"reason": str(error)}, field=name))
    for what in ("input", "answer"):
        least, most = getattr(params, f"{what}_shortest"), getattr(params, f"{what}_longest")
        if most and least > most:
            args = {"least": least, "most": most}
            problems.append(Problem(code="synth.lengths", args=args, field=f"{what}_longest"))
    return problems


class RowFilter:
    """Says why a single row is dropped; None when it passes."""

    def __init__(self, params: FilterParams, template: Template, rows: Sequence[Row]) -> None:
        self.params = params
        self.labels = set(template.labels) if template.answer == "label" else None
        self.must = regex.compile(params.must_match)
        self.must_not = regex.compile(params.must_not_match) if params.must_not_match else None
        self.unlike_gold = _unlike_gold(params, rows) if params.drop_disagreeing and self.labels is None else set()

    def of(self, row: Row) -> str | None:
        answer = (row.output or "").strip()
        if not answer:
            return "no_answer"
        checks: dict[str, Callable[[], Any]] = {
            "no_label": lambda: self.params.labels_only and self.labels is not None and answer not in self.labels,
            "input_length": lambda: _outside(row.input, self.params.input_shortest, self.params.input_longest),
            "answer_length": lambda: _outside(answer, self.params.answer_shortest, self.params.answer_longest),
            "pattern": lambda: not self._matches(self.must, answer, row) or self._matches(self.must_not, answer, row),
            "echo": lambda: (
                self.params.drop_echoes and self.labels is None and _normalized(answer) == _normalized(row.input)
            ),
            "refusal": lambda: self.params.drop_refusals and self.labels is None and _is_refusal(answer),
            "language": lambda: self.labels is None and _wrong_language(self.params.language, answer, row),
            "disagrees": lambda: self._disagrees(row, answer),
            "unsure": lambda: row.confidence is not None and row.confidence < self.params.min_confidence,
        }
        return next((reason for reason, hit in checks.items() if hit()), None)

    def _disagrees(self, row: Row, answer: str) -> bool:
        if not self.params.drop_disagreeing or row.gold is None:
            return False
        return row.id in self.unlike_gold if self.labels is None else answer != row.gold.strip()

    def _matches(self, pattern: Any, text: str, row: Row) -> bool:
        if pattern is None:
            return False
        try:
            return pattern.search(text, timeout=PATTERN_TIMEOUT_SECONDS) is not None
        except TimeoutError:
            raise StudioError("synth.pattern_slow", pattern=pattern.pattern, row=row.id) from None


def _unlike_gold(params: FilterParams, rows: Sequence[Row]) -> set[str]:
    """Ids of rows whose free text is too far from the person's."""
    from backend.data.tfidf import cosine_similarities

    known = [row for row in rows if row.gold is not None and row.output]
    alike = cosine_similarities([(row.output or "", row.gold or "") for row in known])
    return {row.id for row, value in zip(known, alike, strict=True) if value < params.gold_similarity}


def _outside(text: str, least: int, most: int) -> bool:
    return len(text) < least or bool(most and len(text) > most)


def _wrong_language(wanted: str, answer: str, row: Row) -> bool:
    """Whether an answer is surely in another language than `wanted`: any, that of its input, or a code."""
    if wanted == "any":
        return False
    asked = language_of(row.input) if wanted == "input" else wanted
    found = language_of(answer)
    return asked is not None and found is not None and found != asked


def _normalized(text: str) -> str:
    return " ".join(text.casefold().split())


def _is_refusal(answer: str) -> bool:
    return _normalized(answer).replace("’", "'").startswith(REFUSAL_OPENINGS)
