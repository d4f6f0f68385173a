"""Asking one answerer many things: equal prompts once, what is known from the cache, every new reply kept at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from backend.core.errors import StudioError
from backend.core.progress import Progress
from backend.core.stage import Context
from backend.data.dataset import Message
from backend.generation.answerer import Answerer, sampling_identity
from backend.generation.cache import AnswerCache, prompt_key
from backend.inference.protocol import Sampling

MAX_EMPTY_REPLIES = 20
MAX_LOGGED_REFUSALS = 20


class Reply(NamedTuple):
    """What came back, stripped; `confidence`: exp of its mean ln p, None where the engine can't tell; `truncated`: it ended
    before its end, at the longest answer or by a filter; `refused`: why an endpoint refused this prompt alone."""

    text: str
    confidence: float | None = None
    truncated: bool = False
    refused: str = ""


class AnyReply(Protocol):
    """What is asked of a reply, of whatever kind, to see whether it is whole."""

    @property
    def text(self) -> str: ...
    @property
    def truncated(self) -> bool: ...
    @property
    def refused(self) -> str: ...


class Replies(NamedTuple):
    """One reply per prompt, in order; how many prompts the cache answered, and how many questions went out."""

    replies: list[Reply]
    cached: int
    asked: int


def ask(
    answerer: Answerer,
    prompts: Sequence[list[Message]],
    sampling: Sampling,
    folder: Path,
    progress: Progress,
    batch: int,
) -> Replies:
    """`folder` holds the cache; `progress` advances by one for each prompt. An empty reply of an endpoint is not kept, so that
    a later run asks again. Raises StudioError when the first 20 replies are all empty and no other is known, or the endpoint
    fails for good."""
    keys = [prompt_key(prompt) for prompt in prompts]
    messages = dict(zip(keys, prompts, strict=True))
    cache = AnswerCache(folder, {**answerer.identity, **sampling_identity(sampling)})
    try:
        found = {
            key: Reply(text, cache.confidence(key), cache.truncated(key)) for key, text in cache.find(messages).items()
        }
        cached = sum(key in found for key in keys)
        missing = [key for key in messages if key not in found]
        if hasattr(answerer.engine, "kept"):
            answerer.engine.kept += len(found)
        progress.add(len(keys) - len(missing))
        silent = not any(reply.text for reply in found.values())
        empty = 0
        for count, (index, reply) in enumerate(
            replies(answerer, [messages[key] for key in missing], sampling, progress, batch), 1
        ):
            found[missing[index]] = reply
            if reply.text or answerer.view:
                cache.keep(missing[index], reply.text, reply.confidence, reply.truncated)
            empty += not reply.text
            if silent and empty == count == MAX_EMPTY_REPLIES:
                raise StudioError("chat.teacher_empty", count=count, teacher=answerer.name)
            progress.add()
    finally:
        cache.close()
    return Replies([found[key] for key in keys], cached, len(missing))


def replies(
    answerer: Answerer, prompts: Sequence[list[Message]], sampling: Sampling, progress: Progress, batch: int
) -> Iterator[tuple[int, Reply]]:
    """(number of the prompt, its reply) as they come, from whatever answers."""
    engine: Any = answerer.engine
    encoded = [engine.encode(prompt) for prompt in prompts]
    if answerer.view:  # an engine with its own weights knows how sure it is
        for index, text, confidence, truncated in engine.rated_answers(encoded, sampling, progress, batch):
            yield index, Reply(text.strip(), confidence, truncated)
        return
    for index, reply in engine.replies(encoded, sampling, progress):
        yield index, Reply(reply.text, None, reply.truncated, reply.refused)


def is_truncated(reply: AnyReply, labels: Collection[str]) -> bool:
    """Whether the end of a reply is missing; a whole label (of `labels`, if there are any) shows by itself that it is not."""
    return reply.truncated and reply.text not in labels


def log_refused(ctx: Context, ids: Sequence[str], answers: Sequence[AnyReply]) -> None:
    """The first questions that an endpoint refused by themselves, by the `ids` of their rows, with its reasons, into the
    job's log."""
    refused = [(id_, reply.refused) for id_, reply in zip(ids, answers, strict=True) if reply.refused]
    for id_, why in refused[:MAX_LOGGED_REFUSALS]:
        ctx.log(f"Refused: {id_}. {why}", "warning")
    if len(refused) > MAX_LOGGED_REFUSALS:
        ctx.log(f"{len(refused) - MAX_LOGGED_REFUSALS} more were refused.", "warning")


def log_truncated(ctx: Context, count: int, of: int, max_new_tokens: int) -> None:
    if count:
        ctx.log(
            f"{count} of {of} replies were cut off before their end, at most at {max_new_tokens} tokens. Raise max_new_tokens, "
            "unless the model says more than was asked.",
            "warning",
        )
