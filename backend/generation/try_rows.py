"""A few rows asked of an endpoint right away: what was sent, what came back, and what the teacher stage would make of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from backend.core.endpoints import SavedEndpoint
from backend.data.dataset import DataFolder, Message, message_text
from backend.generation.answerer import endpoint_from_saved
from backend.generation.batch import of_endpoint
from backend.generation.ensemble import EnsembleParams, max_reply_tokens, to_sample, with_rationale_request
from backend.generation.teaching import with_labels
from backend.inference.protocol import Sampling
from backend.providers.budget import Budget
from backend.providers.client import Endpoint, HttpEngine


class TriedRow(NamedTuple):
    """One exchange. `answer`: what was read out of the `reply`, "" where it is of no use for `reject_reason` (a code of
    `words.DROPS`); `rationale` "" for none."""

    prompt: str
    reply: str
    answer: str
    rationale: str
    reject_reason: str


class Trial(NamedTuple):
    """`usd`: what the rows cost together, 0 where no prices are known; `tokens` read and written."""

    rows: list[TriedRow]
    usd: float
    tokens: int


def try_rows(
    params: EnsembleParams, saved: SavedEndpoint | None, key: str, data: DataFolder, prompts: Sequence[list[Message]]
) -> Trial:
    """`saved`: the endpoint, None for the one whose address stands in `params`. Keeps nothing; raises StudioError."""
    how = params.model_dump(include={"concurrency", "timeout"}) | {"retries": 1}
    if saved:
        endpoint = endpoint_from_saved(saved, **how)
    else:
        where = {"url": params.endpoint_url, "model": params.endpoint_model, "key_env": params.endpoint_key_env}
        endpoint = Endpoint(**where, **how)
    budget = Budget(params.budget)
    engine = HttpEngine(endpoint, budget, key)
    asked = [
        with_rationale_request(params, with_labels(data.template, prompt, params.name_labels), data.template.language)
        for prompt in prompts
    ]
    sampling = Sampling(max_new_tokens=max_reply_tokens(params, data, None), temperature=params.temperature)
    strict = bool(getattr(params, "keep_labels_only", True)) and data.template.answer == "label"
    tried: dict[int, TriedRow] = {}
    try:
        for at, reply in engine.replies([engine.encode(prompt) for prompt in asked], sampling):
            sample = to_sample(params, data.template, of_endpoint(reply), strict, "")
            tried[at] = TriedRow(
                prompt="\n\n".join(message_text(message) for message in asked[at]),
                reply=reply.text or reply.refused,
                answer="" if sample.reject_reason else sample.answer,
                rationale=sample.rationale or "",
                reject_reason=sample.reject_reason or "",
            )
    finally:
        engine.close()
    return Trial([tried[at] for at in sorted(tried)], budget.usd, budget.prompt_tokens + budget.completion_tokens)
