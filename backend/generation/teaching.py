"""How a teacher is asked so that little is wasted: labels named in the prompt, a few rows on trial before the budget is spent,
half price by a batch API, and what happens to personal data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from backend.core.endpoints import PRESETS
from backend.core.errors import Problem, StudioError
from backend.core.fields import Labels
from backend.core.progress import Progress
from backend.core.stage import Context, World
from backend.data.dataset import Message, Template, message_text
from backend.data.prompt_words import PROMPT_WORDS
from backend.generation.answerer import Answerer, AnswererParams
from backend.generation.batch import RejectReason, Replies, ask, unusable
from backend.generation.batch_job import PRICE_SHARE, BatchSource
from backend.inference.protocol import Sampling
from backend.providers.budget import format_usd
from backend.providers.client import HttpEngine

MAX_LABEL_CHARS = 8_000
"""Of all labels together that a prompt names."""
USABLE_SHARE = 0.5
"""Of the trial rows, below which a teacher is not asked for the rest."""


class TeachingParams(AnswererParams):
    name_labels: bool = Field(
        True,
        title="Name the labels",
        description="Lists the labels at the end of the prompt, unless it already names them.",
    )
    trial_rows: int = Field(
        10,
        title="Trial rows",
        description="An endpoint answers these first. Stops if under half are usable or the budget is too "
        "small. 0: no trial.",
        ge=0,
        le=200,
    )
    batch: bool = Field(
        False,
        title="Batch API",
        description="Half the price, answers within 24 hours. For saved OpenAI and Anthropic endpoints. "
        "Trial rows are asked directly.",
    )
    personal_data: Annotated[
        Literal["ask", "mask", "send"], Labels({"ask": "Stop", "mask": "Mask", "send": "Send"})
    ] = Field(
        "ask",
        title="Personal data",
        description="What to do if rows sent to an endpoint contain any. Mask sends placeholders; with "
        "text answers, masked rows are kept.",
    )
    drop_refusals: bool = Field(
        True,
        title="Drop refusals",
        description="Drops answers that decline the task, in English and Spanish, such as “As an AI, I can't help with that”.",
    )


def check_teaching(params: TeachingParams, world: World) -> list[Problem]:
    if not params.batch or params.model:
        return []
    saved = world.endpoint(params.endpoint) if params.endpoint else None
    if params.endpoint and saved is None:  # said already
        return []
    return [] if saved and PRESETS[saved.preset].batch else [Problem(code="teacher.no_batch", field="batch")]


def price_share(params: AnswererParams) -> float:
    """What a request costs, of its price."""
    return PRICE_SHARE if isinstance(params, TeachingParams) and params.batch and not params.model else 1.0


def with_labels(template: Template, prompt: list[Message], wanted: bool = True) -> list[Message]:
    """The prompt with all labels at its end, where there are some and it does not hold them yet."""
    if not wanted or template.answer != "label" or not template.labels:
        return prompt
    listed = ", ".join(template.labels)
    said = "\n".join(message_text(message) for message in prompt)
    if len(listed) > MAX_LABEL_CHARS or listed in said or prompt[-1]["role"] != "user":
        return prompt
    asked = PROMPT_WORDS[template.language].listed.replace("{labels}", listed)
    return [*prompt[:-1], {**prompt[-1], "content": f"{prompt[-1]['content']}\n\n{asked}"}]


def label_chars(params: TeachingParams, labels: Sequence[str]) -> int:
    """Characters that the labels add to a prompt, at most."""
    listed = sum(len(label) + 2 for label in labels) + 20 if labels and params.name_labels else 0
    return listed if listed <= MAX_LABEL_CHARS else 0


def ask_rows(
    params: TeachingParams,
    ctx: Context,
    answerer: Answerer,
    prompts: Sequence[list[Message]],
    sampling: Sampling,
    progress: Progress,
    reject_reason: RejectReason,
    passes: int = 0,
) -> Replies:
    """All prompts once, in batches if wanted; with a trial before when `passes` (how often all are asked) is given. Raises
    StudioError when the teacher is of no use, fails for good, or costs more than the budget."""
    folder, trial = ctx.cache / "teacher", params.trial_rows
    tried = Replies([], 0, 0)
    if passes and trial and isinstance(answerer.engine, HttpEngine) and len(prompts) > 2 * trial:
        spent = answerer.budget.usd
        tried = ask(answerer, prompts[:trial], sampling, folder, progress, params.batch_size, reject_reason)
        each = (answerer.budget.usd - spent) / tried.asked if tried.asked else 0.0
        _decide(params, ctx, answerer, tried, reject_reason, each, passes * len(prompts) - trial)
    rest = prompts[len(tried.replies) :]
    source = BatchSource(answerer, sampling, ctx, progress) if price_share(params) < 1 else None
    got = ask(answerer, rest, sampling, folder, progress, params.batch_size, reject_reason, source)
    return Replies([*tried.replies, *got.replies], tried.cached + got.cached, tried.asked + got.asked)


def _decide(
    params: TeachingParams,
    ctx: Context,
    answerer: Answerer,
    tried: Replies,
    reject_reason: RejectReason,
    each: float,
    left: int,
) -> None:
    """Say what the trial rows showed, and go on or stop. `each`: USD a request; `left`: requests to come."""
    rejected = [(reason, reply) for reply in tried.replies if (reason := reject_reason(reply))]
    count, expected = len(tried.replies), each * left * price_share(params)
    cost = f" {format_usd(each)} USD each; about {format_usd(expected)} USD for the other {left}." if each else ""
    ctx.log(f"Trial: {count - len(rejected)} of {count} answers are usable.{cost}")
    ctx.metric("trial_usable", 1 - len(rejected) / count, count)
    if len(rejected) > count * (1 - USABLE_SHARE):
        raise unusable("teacher.trial_useless", answerer.name, rejected, count)
    if params.budget and answerer.budget.usd + expected > params.budget:
        about = {"budget": format_usd(params.budget), "spent": format_usd(answerer.budget.usd)}
        raise StudioError("teacher.trial_budget", expected=format_usd(expected), count=left, **about)
