"""Asking one answerer many things: equal prompts once, what is known from the cache, every new reply kept at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from backend.core.errors import StudioError
from backend.core.messages.words import DROPS
from backend.core.progress import Progress
from backend.core.stage import Context
from backend.data.dataset import Message
from backend.data.gates.masking import masked
from backend.generation.answerer import Answerer, sampling_identity
from backend.generation.cache import AnswerCache, prompt_key
from backend.inference.long_rows import places_that_fit
from backend.inference.protocol import Sampling
from backend.providers.protocols import EndpointReply
from backend.providers.reply_text import split_reasoning

MAX_UNUSABLE_REPLIES = 20
MAX_EXAMPLE_CHARS = 60
MAX_LOGGED_REFUSALS = 20


class Reply(NamedTuple):
    """What came back, stripped; `confidence`: exp of its mean ln p, None where the engine can't tell; `truncated`: it ended
    before its end, at the longest answer or by a filter; `refused`: why an endpoint refused this prompt alone; `reasoning`:
    what came before the answer, split off; `finish`: see `backend.providers.protocols.FinishReason`; `too_long`: the prompt is
    longer than a local model's context, and `refused` says so."""

    text: str
    confidence: float | None = None
    truncated: bool = False
    refused: str = ""
    reasoning: str = ""
    finish: str = ""
    too_long: bool = False

    @property
    def declined(self) -> bool:
        """Whether the model or a filter would not answer; a request that was refused as faulty is another thing."""
        return self.finish == "content_filter" or bool(self.refused and self.finish)


RejectReason = Callable[[Reply], str | None]
"""What is wrong with a reply, as a code of `backend.core.messages.words.DROPS`; None for nothing."""
Source = Callable[[Sequence[list[Message]]], Iterator[tuple[int, Reply]]]
"""Prompts -> (number of the prompt, its reply)."""


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
    reject_reason: RejectReason | None = None,
    source: Source | None = None,
) -> Replies:
    """`folder` holds the cache; `progress` advances by one for each prompt. An empty reply of an endpoint is not kept, so that
    a later run asks again. `reject_reason` tells what is wrong with a reply, None for nothing. `source`: where replies come
    from in place of the answerer's engine. Raises StudioError when the first 20 replies are all of no use and no other is
    known, or the endpoint fails for good."""
    keys = [prompt_key(prompt) for prompt in prompts]
    messages = dict(zip(keys, prompts, strict=True))
    cache = AnswerCache(folder, {**answerer.identity, **sampling_identity(sampling)})
    try:
        found = {
            key: Reply(text, cache.confidence(key), cache.truncated(key), "", *cache.ending(key))
            for key, text in cache.find(messages).items()
        }
        cached = sum(key in found for key in keys)
        missing = [key for key in messages if key not in found]
        if hasattr(answerer.engine, "kept"):
            answerer.engine.kept += len(found)
        progress.add(len(keys) - len(missing))
        first = FirstReplies(answerer.name, reject_reason, found.values())
        given = source or (lambda prompts: replies(answerer, prompts, sampling, progress, batch))
        for index, reply in given([messages[key] for key in missing]):
            found[missing[index]] = reply
            if reply.text or (answerer.view and not reply.too_long):
                about = reply.confidence, reply.truncated, reply.reasoning, reply.finish
                cache.keep(missing[index], reply.text, *about)
            first.see(reply)
            progress.add()
    finally:
        cache.close()
    return Replies([found[key] for key in keys], cached, len(missing))


class FirstReplies:
    """Ends the asking when the first replies are all of no use; `known`: replies from before."""

    def __init__(self, teacher: str, reject_reason: RejectReason | None, known: Iterable[Reply]) -> None:
        self._teacher, self._reject_reason = teacher, reject_reason or _empty
        self._rejected: list[tuple[str, Reply]] = []
        self._watching = all(self._reject_reason(reply) for reply in known)

    def see(self, reply: Reply) -> None:
        """Raises StudioError with the commonest reason and examples. A prompt that was never asked says nothing."""
        if not self._watching or reply.too_long:
            return
        reason = self._reject_reason(reply)
        if reason is None:
            self._watching = False
            return
        self._rejected.append((reason, reply))
        if len(self._rejected) < MAX_UNUSABLE_REPLIES:
            return
        if not any(reply.text for _, reply in self._rejected):
            raise StudioError("chat.teacher_empty", count=len(self._rejected), teacher=self._teacher)
        raise unusable("teacher.first_useless", self._teacher, self._rejected, len(self._rejected))


def unusable(code: str, teacher: str, rejected: Sequence[tuple[str, Reply]], count: int) -> StudioError:
    """What is wrong with these replies, of `count`: the commonest reason and three examples. `rejected`: (code of
    `words.DROPS`, reply)."""
    reasons = Counter(reason for reason, _ in rejected)
    most, times = reasons.most_common(1)[0]
    texts = dict.fromkeys(shown(reply.text or reply.refused) for reason, reply in rejected if reason == most)
    examples = "; ".join(f"“{text}”" for text in list(texts)[:3])
    about: dict[str, Any] = {"reason": DROPS[most], "times": times, "examples": examples, "bad": len(rejected)}
    return StudioError(code, teacher=teacher, count=count, **about)


def shown(text: str) -> str:
    """The beginning of a text for an error: on one line, personal data masked."""
    return masked(" ".join(text[:2000].split()))[:MAX_EXAMPLE_CHARS] or "…"


def _empty(reply: Reply) -> str | None:
    return None if reply.text else "no_answer"


def replies(
    answerer: Answerer, prompts: Sequence[list[Message]], sampling: Sampling, progress: Progress, batch: int
) -> Iterator[tuple[int, Reply]]:
    """(number of the prompt, its reply) as they come, from whatever answers."""
    engine: Any = answerer.engine
    encoded = [engine.encode(prompt) for prompt in prompts]
    if answerer.view:  # an engine with its own weights knows how sure it is
        fitting = places_that_fit(engine, encoded)
        for index in sorted(set(range(len(encoded))) - set(fitting)):
            why = f"{len(encoded[index])} tokens; the context has {engine.context}, including the answer."
            yield index, Reply("", refused=why, too_long=True)
        asked = [encoded[index] for index in fitting]
        for at, text, confidence, truncated in engine.rated_answers(asked, sampling, progress, batch):
            answer, reasoning = split_reasoning(text)
            yield fitting[at], Reply(answer, confidence, truncated, "", reasoning)
        return
    for index, reply in engine.replies(encoded, sampling, progress):
        yield index, of_endpoint(reply)


def of_endpoint(reply: EndpointReply) -> Reply:
    """The same, from an endpoint's reply."""
    return Reply(reply.text, None, reply.truncated, reply.refused, reply.reasoning, reply.finish_reason)


def is_truncated(reply: AnyReply, labels: Collection[str]) -> bool:
    """Whether the end of a reply is missing; a whole label (of `labels`, if there are any) shows by itself that it is not."""
    return reply.truncated and reply.text not in labels


def log_refused(ctx: Context, ids: Sequence[str], answers: Sequence[AnyReply]) -> None:
    """The first questions that were refused by themselves, by an endpoint or as too long, by the `ids` of their rows, with the
    reasons, into the job's log."""
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
