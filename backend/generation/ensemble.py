"""Who is asked for an answer and how often: one teacher or several, one sample each or many, with or without a rationale.

The parameters, checks and the asking itself; `backend.generation.voting` reads the replies and counts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field

from backend.core.errors import Problem
from backend.core.fields import Labels
from backend.core.progress import Progress
from backend.core.refs import EndpointRef, ModelRef
from backend.core.schemas import ArtifactView
from backend.core.stage import Context
from backend.data.dataset import DataFolder, Message, Row, Template
from backend.data.prompt_words import DEFAULT, PROMPT_WORDS, Language
from backend.generation.answerer import AnswererParams, open_answerer, open_budget
from backend.generation.batch import Reply, log_refused, log_truncated
from backend.generation.judge import JUDGE_REPLY_TOKENS, RUBRIC, Rubric
from backend.generation.teaching import TeachingParams, ask_rows, with_labels
from backend.generation.voting import TOO_LONG, Sample, parse_reply
from backend.inference.protocol import Sampling, max_answer_tokens
from backend.providers.budget import Budget

RATIONALE_REQUEST = PROMPT_WORDS[DEFAULT].rationale_request
RATIONALE_TOKENS = 256
"""Tokens for the rationale before an answer, when the user set no length."""
_WRAPPING_TOKENS = 16
"""Room at an endpoint for what stands around a label: bold, JSON, "Label:"."""


class EnsembleParams(TeachingParams):
    """How answers are drawn and which of them count."""

    temperature: float = Field(
        0.0,
        title="Temperature",
        description="0 always gives the most likely answer, best for labels. Higher values give more "
        "varied, less certain answers.",
        ge=0,
        le=2,
    )
    samples: int = Field(
        1,
        title="Answers per row",
        description="With several, the most frequent answer wins and its share is the confidence. Needs "
        "a temperature above 0; takes longer.",
        ge=1,
        le=32,
    )
    min_confidence: float = Field(
        0.0,
        title="Minimum confidence",
        description="Drops less certain answers: share of votes or, for one local answer, mean token "
        "probability. 0 keeps all.",
        ge=0,
        le=1,
    )
    others: list[ModelRef] = Field(
        [],
        title="Further teachers",
        description="Further local models that answer, loaded one after another.",
        max_length=8,
    )
    combine: Annotated[
        Literal["vote", "mix", "best_of_n"], Labels({"vote": "Vote", "mix": "Mix", "best_of_n": "Best by a judge"})
    ] = Field(
        "vote",
        title="Several answers",
        description="Vote: the teachers' most frequent answer wins. Mix: each row goes to one teacher in "
        "turn. Best: a judge scores every answer.",
    )
    judge: ModelRef | None = Field(None, title="Judge", description="Local model that scores the answers.")
    judge_endpoint: EndpointRef = Field(
        "",
        title="Judge endpoint",
        description="Saved endpoint that scores the answers. Rows and answers are sent there.",
        max_length=60,
    )
    rubric: Rubric = RUBRIC
    judge_tokens: int = Field(
        JUDGE_REPLY_TOKENS,
        title="Judge's maximum reply (tokens)",
        description="Space for the score. Reasoning judges need several hundred.",
        ge=1,
        le=8192,
    )
    rationale: bool = Field(
        False,
        title="Request rationales",
        description="The teacher writes a rationale before its answer; both are kept. Slower, but often "
        "better with large models.",
    )
    rationale_request: str = Field(
        RATIONALE_REQUEST,
        title="Rationale request",
        description="Text added to the prompt to request a rationale; {marker} is the marker below. The "
        "default follows the prompt language.",
        max_length=2_000,
    )
    marker: str = Field(
        "Answer:",
        title="Answer marker",
        description="Separates rationale and answer. Replies without it are dropped.",
        min_length=1,
        max_length=50,
    )


@dataclass
class EnsembleSamples:
    """The samples of each row, in the order of the teachers; `views`: the local models among them; `budget`: tokens and money
    of endpoints; `truncated`: replies whose end is missing, of `replies`."""

    samples: list[list[Sample]]
    budget: Budget
    names: list[str] = field(default_factory=list)
    views: list[ArtifactView] = field(default_factory=list)
    cached: int = 0
    asked: int = 0
    truncated: int = 0

    @property
    def replies(self) -> int:
        return sum(map(len, self.samples))


def check_ensemble(params: EnsembleParams) -> list[Problem]:
    problems = []
    if params.samples > 1 and params.temperature == 0:
        problems.append(Problem(code="synth.samples_alike", args={"samples": params.samples}, field="temperature"))
    if params.min_confidence and not params.model and answers_per_row(params) == 1:
        problems.append(Problem(code="synth.no_confidence", field="min_confidence"))
    if params.rationale and "{marker}" not in params.rationale_request:
        problems.append(Problem(code="synth.steps_marker", field="rationale_request"))
    asked = [params.model, *params.others]
    for twice in sorted({ref for ref in params.others if asked.count(ref) > 1}):
        problems.append(Problem(code="synth.teacher_twice", args={"ref": twice}, field="others"))
    return problems


def teacher_params(params: EnsembleParams) -> list[AnswererParams]:
    """Every teacher by itself, the first one first."""
    shared = {"max_new_tokens": params.max_new_tokens, "batch_size": params.batch_size}
    return [params, *(AnswererParams.model_validate({"model": ref, **shared}) for ref in params.others)]


def answers_per_row(params: EnsembleParams) -> int:
    """Samples per row."""
    return params.samples * (1 if params.combine == "mix" else len(teacher_params(params)))


def rows_per_teacher(params: EnsembleParams, rows: int) -> list[int]:
    """How many of the rows each teacher is asked for."""
    count = len(teacher_params(params))
    return [len(range(at, rows, count)) if params.combine == "mix" else rows for at in range(count)]


def with_rationale_request(
    params: EnsembleParams, prompt: list[Message], language: Language = DEFAULT
) -> list[Message]:
    """The prompt with the request for a rationale, when one is wanted: the user's own, or ours in the prompt's language."""
    if not params.rationale:
        return prompt
    own = params.rationale_request != RATIONALE_REQUEST
    request = params.rationale_request if own else PROMPT_WORDS[language].rationale_request
    request = request.replace("{marker}", params.marker)
    return [*prompt[:-1], {**prompt[-1], "content": f"{prompt[-1]['content']}\n\n{request}"}]


def ask_teachers(
    params: EnsembleParams,
    ctx: Context,
    data: DataFolder,
    rows: Sequence[Row],
    prompts: Sequence[list[Message]],
    strict: bool,
) -> EnsembleSamples:
    """Ask every teacher about `rows` with `prompts`, one loaded at a time; `strict`: only the labels of `data` count. Raises
    StudioError when one fails for good; what was answered is kept."""
    budget = open_budget(params, ctx)
    sampled = EnsembleSamples([[] for _ in prompts], budget)
    teachers = teacher_params(params)
    named = [with_labels(data.template, prompt, params.name_labels) for prompt in prompts]
    asked = [with_rationale_request(params, prompt, data.template.language) for prompt in named]
    progress = Progress(ctx, params.samples * sum(rows_per_teacher(params, len(prompts))), "querying the teacher")
    for at, teacher in enumerate(teachers):
        mine = range(at, len(prompts), len(teachers)) if params.combine == "mix" else range(len(prompts))
        if not mine:
            continue
        ctx.progress(progress.done, progress.total, "loading the teacher")
        answerer = open_answerer(teacher, ctx, budget)
        try:
            sampled.names.append(answerer.name)
            sampled.views += [answerer.view] if answerer.view else []
            local, before = (answerer.engine if answerer.view else None), sampled.truncated
            max_new_tokens = max_reply_tokens(params, data, local)
            reject_reason = partial(_reject_reason, params, data.template, strict)
            for number in range(params.samples):
                sampling = Sampling(
                    max_new_tokens=max_new_tokens, temperature=params.temperature, seed=ctx.seed + number
                )
                passes = 0 if number else params.samples
                got = ask_rows(
                    params, ctx, answerer, [asked[row] for row in mine], sampling, progress, reject_reason, passes
                )
                sampled.cached += got.cached
                sampled.asked += got.asked
                log_refused(ctx, [rows[row].id for row in mine], got.replies)
                for row, reply in zip(mine, got.replies, strict=True):
                    sample = to_sample(params, data.template, reply, strict, answerer.name)
                    sampled.samples[row].append(sample)
                    sampled.truncated += reply.truncated and sample.answer not in data.template.labels
            log_truncated(ctx, sampled.truncated - before, params.samples * len(mine), max_new_tokens)
        finally:
            answerer.engine.close()
    return sampled


def _reject_reason(params: EnsembleParams, template: Template, strict: bool, reply: Reply) -> str | None:
    return to_sample(params, template, reply, strict, "").reject_reason


def to_sample(params: EnsembleParams, template: Template, reply: Reply, strict: bool, teacher: str) -> Sample:
    if reply.too_long:
        return Sample("", reject_reason=TOO_LONG, teacher=teacher)
    return parse_reply(
        reply.text,
        reply.confidence,
        marker=params.marker if params.rationale else "",
        labels=template.labels if template.answer == "label" and template.labels else None,
        truncated=reply.truncated,
        teacher=teacher,
        reasoning=reply.reasoning,
        refused=reply.declined,
        strict=strict,
        find_refusals=params.drop_refusals,
    )


def max_reply_tokens(params: EnsembleParams, data: DataFolder, local: Any) -> int:
    """Tokens of the longest reply. `local`: the engine of a local model, None for an endpoint."""
    if params.max_new_tokens:
        return params.max_new_tokens
    max_new_tokens = max_answer_tokens(data, getattr(local, "encoder", None))
    wrapped = local is None and data.template.answer == "label"
    return max_new_tokens + (RATIONALE_TOKENS if params.rationale else 0) + (_WRAPPING_TOKENS if wrapped else 0)
