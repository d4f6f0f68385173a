"""The one shape of everything that answers, and the door that opens it.

`open_engine` looks at the kind of an artifact: torch weights and adapters run in transformers, ONNX folders in ONNX Runtime
GenAI (no torch in that process). `backend.providers.client` holds the third engine, for endpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from backend.core.schemas import ArtifactView
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder, Message, Template

Lookup = Callable[[str], ArtifactView]
Tick = Callable[[], None]
Prompt = Sequence[Any]
"""What `encode` of an engine made: token ids of a local model, messages for an endpoint."""


class Sampling(BaseModel):
    """How an answer is drawn. `temperature` 0 is greedy; `top_p` counts only above 0. `full_length`: do not stop at the
    end of turn (to time a decode of known length)."""

    model_config = ConfigDict(frozen=True)

    max_new_tokens: int = 128
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    full_length: bool = False


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


class LocalEngine(ChatEngine, Protocol):
    """An engine with its own weights: knows token ids and probabilities."""

    encoder: Encoder

    def stream_ids(self, prompt: Prompt, sampling: Sampling) -> Iterator[int]: ...

    def rated_answers(
        self, prompts: Sequence[Prompt], sampling: Sampling, tick: Tick = ..., batch: int = ...
    ) -> Iterator[tuple[int, str, float, bool]]:
        """As `answers`, with the confidence of each (exp of the mean ln p of its tokens and its end of turn, as the model
        gives them at temperature 1) and whether it was cut off: no end of turn came within `max_new_tokens`."""

    def loss(self, prompt: Prompt, answer: Sequence[int]) -> float:
        """Sum of -ln p over the ids of `answer` after `prompt`."""

    def answer_logits(self, prompt: Prompt, answer: Sequence[int]) -> Any:
        """Of the positions that foretell `answer` after `prompt`: a float array, (len(answer), vocabulary)."""

    def logits(self, ids: Sequence[int]) -> Any:
        """Of every position: a float array, (len(ids), vocabulary)."""


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


def answer_room(data: DataFolder, encoder: Encoder | None) -> int:
    """`answer_tokens` for the rows of a dataset. An endpoint's tokenizer is unknown: a token for every second character is
    room enough in any language."""
    known = [row.output for row in data.rows("train") if row.output is not None]
    return answer_tokens(data.template, known, lambda text: len(encoder.ids(text)) if encoder else len(text) // 2 + 4)
