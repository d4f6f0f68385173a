"""What answers and what decodes: how an answer is sampled, the protocol of every engine, the protocol of decoders.

An engine (`backend.inference.engine`) stands on a decoder of `backend.ml.inference`; `backend.providers.client` holds the
engine of endpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from backend.core.schemas import ArtifactView
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder, Message, Template, answer_of
from backend.inference.constraint import Constraint

Lookup = Callable[[str], ArtifactView]
Tick = Callable[[], None]
Prompt = Sequence[Any]
"""What `encode` of an engine made: token ids of a local model, messages for an endpoint."""


class Sampling(BaseModel):
    """How an answer is drawn. `temperature` 0 is greedy; `top_p` counts only above 0. `full_length`: do not stop at the
    end of turn (to time a decode of known length). `constraint`: the form that it must have; local models keep to it."""

    model_config = ConfigDict(frozen=True)

    max_new_tokens: int = 128
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    full_length: bool = False
    constraint: Constraint | None = None


class ChatEngine(Protocol):
    """Something that answers. `tick` is called often while it works; what it raises ends the work."""

    name: str

    def encode(self, messages: list[Message]) -> Prompt: ...

    def stream(self, prompt: Prompt, sampling: Sampling) -> Iterator[str]:
        """The answer in pieces of whole characters, as they come."""

    def answer(self, prompt: Prompt, sampling: Sampling) -> str: ...

    def answers(
        self, prompts: Sequence[Prompt], sampling: Sampling, tick: Tick = ..., batch: int = ...
    ) -> Iterator[tuple[int, str]]:
        """(index of the prompt, its answer), in the order in which they are done."""

    def close(self) -> None: ...


class Prefill(Protocol):
    """A prompt while it is read, in parts of PREFILL_TOKENS: equal parts in every decoder, because kernels may round
    differently for other numbers of tokens at once."""

    def step(self) -> Any:
        """Read a part: the logits after the whole prompt, [vocabulary]; None while there is more to read."""


class Decoder(Protocol):
    """Sequences that a model decodes together, a row each. `lengths`: tokens of each row so far; `context`: tokens that it
    was built to read, 0 where the weights do not tell."""

    lengths: list[int]
    context: int

    def bytes_for(self, lengths: Sequence[int]) -> int:
        """Memory of the KV cache for rows of these lengths."""

    def prefill(self, ids: Sequence[int], limit: int) -> Prefill:
        """`limit`: tokens that prompt and answer may have together."""

    def join(self, prefill: Any) -> None:
        """A prompt that was read becomes the last row."""

    def step(self, tokens: Sequence[int]) -> Any:
        """One more token for each row: the logits after it, [rows, vocabulary]."""

    def drop(self, at: int) -> None:
        """The last row takes the place of row `at`."""

    def logits(self, ids: Sequence[int], last: int = 0) -> Any:
        """Of the `last` positions, or of every one: a float array, (positions, vocabulary)."""


PREFILL_TOKENS = 128
"""Tokens of a prompt that are read at once: other sequences go on in between."""


def not_here(facts: dict[str, Any]) -> str:
    """The device that a model was built for when it can't be asked in this studio, else ""."""
    return str(facts.get("target", "")) if facts.get("run") is False else ""


def answer_tokens(template: Template, known: Sequence[str], count: Callable[[str], int]) -> int:
    """Room for an answer, in tokens, when the user gave none: the longest label and 2 more, else the longest known answer
    and a quarter more (32 to 512; 256 when nothing is known). `count`: tokens of a text."""
    if template.answer == "label" and template.labels:
        return max(count(label) for label in template.labels) + 2
    if not known:
        return 256
    return min(512, max(32, round(1.25 * max(count(text) for text in known))))


def max_answer_tokens(data: DataFolder, encoder: Encoder | None) -> int:
    """`answer_tokens` for the rows of a dataset. An endpoint's tokenizer is unknown: a token for every second character is
    enough in any language."""
    known = [answer for row in data.rows("train") if (answer := answer_of(row)) is not None]
    return answer_tokens(data.template, known, lambda text: len(encoder.ids(text)) if encoder else len(text) // 2 + 4)
