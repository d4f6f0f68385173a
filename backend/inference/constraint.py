"""Constrained decoding: what an answer may look like, and whether any text can.

llguidance reads the grammar; it is imported where a constraint is used, not before. A grammar that never ends is no error: the
answer ends at its most tokens, as truncated.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from backend.core.errors import Problem, StudioError

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer

_MOST_REASON = 200
_SPACE = r" |\n[ ]{0,16}|\n\t{0,8}"
"""White space between two signs of JSON: a space, or a line break and indentation. Where more is allowed, small models go on
with it for ever."""


class Constraint(BaseModel):
    """The form of an answer. `value`: labels; or a regular expression, a JSON schema or a Lark grammar as text."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["labels", "regex", "json_schema", "grammar"]
    value: str | tuple[str, ...]

    @model_validator(mode="after")
    def _fitting(self) -> Constraint:
        if isinstance(self.value, str) == (self.kind == "labels"):
            raise ValueError("labels are a list, other constraints a text")
        return self

    def problem(self, field: str | None = None) -> Problem | None:
        """Why no answer can have this form, whatever the model: tried on a vocabulary of bytes."""
        try:
            began(matcher(_bytes(), self))
        except StudioError as error:
            return error.problems[0].model_copy(update={"field": field})
        return None

    def most_bytes(self) -> int:
        """Bytes of the longest label: as many tokens as it may take at most; 0 for other kinds."""
        return max((len(label.encode()) for label in self.value), default=0) if self.kind == "labels" else 0

    def grammar(self) -> str:
        """As llguidance takes it. Raises StudioError for a JSON schema that is no JSON and for no labels."""
        from llguidance import LLMatcher

        if self.kind == "labels":
            if not any(self.value):
                raise StudioError("constraint.no_labels")
            return "start: " + " | ".join(json.dumps(label) for label in self.value if label)
        text = str(self.value)
        if self.kind == "regex":
            return LLMatcher.grammar_from_regex(text)
        return _schema_grammar(text) if self.kind == "json_schema" else text


@lru_cache(1)
def _bytes() -> LLTokenizer:
    from llguidance import LLTokenizer

    return LLTokenizer("byte")


def matcher(tokenizer: LLTokenizer, constraint: Constraint) -> LLMatcher:
    """Raises StudioError as `Constraint.grammar`."""
    from llguidance import LLMatcher

    return LLMatcher(tokenizer, constraint.grammar(), log_level=0)


def began(found: LLMatcher) -> LLMatcher:
    """A grammar shows only with its first tokens that nothing meets it. Raises StudioError."""
    if not found.is_error():
        found.compute_bitmask()
    if found.is_error():
        raise StudioError("constraint.impossible", reason=reason_of(found.get_error()))
    return found


def _schema_grammar(text: str) -> str:
    from llguidance import LLMatcher

    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StudioError("constraint.no_json", reason=reason_of(str(error))) from error
    if not isinstance(schema, dict):
        raise StudioError("constraint.no_schema")
    return LLMatcher.grammar_from_json_schema(schema, overrides={"whitespace_pattern": _SPACE})


def reason_of(text: str) -> str:
    """What a library says, without the state of its parser: one line with a full stop."""
    line = " ".join(text.partition("\n<state>")[0].split())[:_MOST_REASON].rstrip(".")
    return f"{_WORDS.get(line, line) or 'no token may come next'}."


_WORDS = {"NoExtensionBias": "no text matches it", "NoExtension": "no text matches it"}
