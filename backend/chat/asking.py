"""Asking one answerer many things: equal prompts once, what is known from the cache, every new reply kept at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from backend.chat.answerer import Answerer, sampling_identity
from backend.chat.cache import AnswerCache, prompt_key
from backend.chat.engine import Sampling
from backend.chat.pulse import Pulse
from backend.data.rows import Message
from backend.errors import StudioError

EMPTY_LIMIT = 20


class Reply(NamedTuple):
    """What came back, stripped; `confidence`: exp of its mean ln p, None where the engine can't tell; `cut`: it ended before
    its end, for the longest answer or a filter."""

    text: str
    confidence: float | None = None
    cut: bool = False


class Replies(NamedTuple):
    """One reply per prompt, in order; how many prompts the cache answered, and how many questions went out."""

    replies: list[Reply]
    cached: int
    asked: int


def ask(
    answerer: Answerer, prompts: Sequence[list[Message]], sampling: Sampling, folder: Path, pulse: Pulse, batch: int
) -> Replies:
    """`folder` holds the cache; `pulse` advances by one for each prompt. An empty reply of an endpoint is not kept, so that
    a later run asks again. Raises StudioError when the first 20 replies are all empty and no other is known, or the endpoint
    fails for good."""
    keys = [prompt_key(prompt) for prompt in prompts]
    messages = dict(zip(keys, prompts, strict=True))
    cache = AnswerCache(folder, {**answerer.identity, **sampling_identity(sampling)})
    try:
        found = {key: Reply(text, cache.confidence(key), cache.cut(key)) for key, text in cache.find(messages).items()}
        cached = sum(key in found for key in keys)
        missing = [key for key in messages if key not in found]
        if hasattr(answerer.engine, "kept"):
            answerer.engine.kept += len(found)
        pulse.add(len(keys) - len(missing))
        silent = not any(reply.text for reply in found.values())
        empty = 0
        for count, (index, reply) in enumerate(
            _replies(answerer, [messages[key] for key in missing], sampling, pulse, batch), 1
        ):
            found[missing[index]] = reply
            if reply.text or answerer.view:
                cache.keep(missing[index], *reply)
            empty += not reply.text
            if silent and empty == count == EMPTY_LIMIT:
                raise StudioError("chat.teacher_empty", count=count, teacher=answerer.name)
            pulse.add()
    finally:
        cache.close()
    return Replies([found[key] for key in keys], cached, len(missing))


def _replies(
    answerer: Answerer, prompts: list[list[Message]], sampling: Sampling, pulse: Pulse, batch: int
) -> Iterator[tuple[int, Reply]]:
    engine: Any = answerer.engine
    encoded = [engine.encode(prompt) for prompt in prompts]
    if answerer.view:  # an engine with its own weights knows how sure it is
        for index, text, confidence, cut in engine.rated_answers(encoded, sampling, pulse, batch):
            yield index, Reply(text.strip(), confidence, cut)
        return
    for index, reply in engine.replies(encoded, sampling, pulse):
        yield index, Reply(reply.text, None, reply.cut)
