"""Who is asked for an answer and how often: one teacher or several, one sample each or many, with or without steps.

The parameters, checks and the asking itself; `backend.generation.voting` reads the replies and counts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from backend.core.errors import Problem
from backend.core.progress import Pulse
from backend.core.refs import EndpointRef, ModelRef
from backend.core.schemas import ArtifactView
from backend.data.dataset import DataFolder, Message, Row, Template
from backend.generation.answerer import Answerer, AnswererParams, open_answerer, open_spend
from backend.generation.batch import Reply, ask, log_cut_off, log_refused
from backend.generation.judge import REPLY_TOKENS, RUBRIC
from backend.generation.voting import Sample, read
from backend.inference.protocol import Sampling, max_answer_tokens
from backend.providers.budget import Spend

STEPS = "Think step by step. Then write the answer alone on a last line that begins with {marker}"
STEPS_TOKENS = 256
"""Room for the steps before an answer, when the user gave none."""


class PanelParams(AnswererParams):
    """How answers are drawn and which of them count."""

    temperature: float = Field(
        0.0,
        title="Temperature",
        description="0 always takes the likeliest answer, which suits labels. Higher values give more varied and "
        "less certain answers.",
        ge=0,
        le=2,
    )
    samples: int = Field(
        1,
        title="Answers per row",
        description="With several, the most frequent answer wins, and its share says how sure the teacher is. "
        "Needs a temperature above 0, and takes that many times as long.",
        ge=1,
        le=32,
    )
    min_confidence: float = Field(
        0.0,
        title="Lowest confidence",
        description="Drops and counts less certain answers: the share of the votes or, for one answer of a local "
        "model, the mean probability of its tokens. 0 keeps all.",
        ge=0,
        le=1,
    )
    others: list[ModelRef] = Field(
        [],
        title="Further teachers",
        description="Models of the studio that answer too. They are loaded one after another, never together.",
        max_length=8,
    )
    combine: Literal["vote", "mix", "best"] = Field(
        "vote",
        title="Several answers",
        description="Vote: the most frequent answer of all teachers wins. Mix: the rows are shared out in turn, each is "
        "asked once. Best: a judge scores every answer.",
    )
    judge: ModelRef | None = Field(
        None, title="Judge", description="The model that scores the answers, unless an endpoint does."
    )
    judge_endpoint: EndpointRef = Field(
        "",
        title="Judge's endpoint",
        description="The saved endpoint that scores the answers. Rows and answers are sent there.",
        max_length=60,
    )
    rubric: str = Field(
        RUBRIC,
        title="Rubric",
        description="What the scores mean, in plain words. The judge reads it with every row.",
        min_length=1,
        max_length=5_000,
    )
    judge_tokens: int = Field(
        REPLY_TOKENS,
        title="Judge's longest reply in tokens",
        description="Room for the score. A judge that thinks before it says a number needs several hundred.",
        ge=1,
        le=8192,
    )
    rationale: bool = Field(
        False,
        title="Ask for the steps",
        description="The teacher writes its steps first and the answer last; they are kept apart. Takes longer, "
        "and often makes answers of large models better.",
    )
    steps: str = Field(
        STEPS,
        title="Request for the steps",
        description="What is added to the prompt when steps are asked for; {marker} is the mark below.",
        max_length=2_000,
    )
    marker: str = Field(
        "Answer:",
        title="Mark before the answer",
        description="What stands between the steps and the answer. A reply without it is dropped and counted.",
        min_length=1,
        max_length=50,
    )


@dataclass
class Heard:
    """The samples of each row, in the order of the teachers; `views`: the local models among them; `spend`: tokens and money
    of endpoints; `cut`: replies whose end is missing, of `replies`."""

    samples: list[list[Sample]]
    spend: Spend
    names: list[str] = field(default_factory=list)
    views: list[ArtifactView] = field(default_factory=list)
    cached: int = 0
    asked: int = 0
    cut: int = 0

    @property
    def replies(self) -> int:
        return sum(map(len, self.samples))


def check_panel(params: PanelParams) -> list[Problem]:
    problems = []
    if params.samples > 1 and params.temperature == 0:
        problems.append(Problem(code="synth.samples_alike", args={"samples": params.samples}, field="temperature"))
    if params.min_confidence and not params.model and votes(params) == 1:
        problems.append(Problem(code="synth.no_confidence", field="min_confidence"))
    if params.rationale and "{marker}" not in params.steps:
        problems.append(Problem(code="synth.steps_marker", field="steps"))
    asked = [params.model, *params.others]
    for twice in sorted({ref for ref in params.others if asked.count(ref) > 1}):
        problems.append(Problem(code="synth.teacher_twice", args={"ref": twice}, field="others"))
    return problems


def voices(params: PanelParams) -> list[AnswererParams]:
    """Every teacher by itself, the first one first."""
    shared = {"max_new_tokens": params.max_new_tokens, "batch_size": params.batch_size}
    return [params, *(AnswererParams.model_validate({"model": ref, **shared}) for ref in params.others)]


def votes(params: PanelParams) -> int:
    """Samples per row."""
    return params.samples * (1 if params.combine == "mix" else len(voices(params)))


def asked_rows(params: PanelParams, rows: int) -> list[int]:
    """How many of the rows each teacher is asked for."""
    count = len(voices(params))
    return [len(range(at, rows, count)) if params.combine == "mix" else rows for at in range(count)]


def with_steps(params: PanelParams, prompt: list[Message]) -> list[Message]:
    """The prompt with the request for steps, when they are wanted."""
    if not params.rationale:
        return prompt
    request = params.steps.replace("{marker}", params.marker)
    return [*prompt[:-1], {**prompt[-1], "content": f"{prompt[-1]['content']}\n\n{request}"}]


def hear(
    params: PanelParams, ctx: Any, data: DataFolder, rows: Sequence[Row], prompts: Sequence[list[Message]], strict: bool
) -> Heard:
    """Ask every teacher about `rows` with `prompts`, one loaded at a time; `strict`: only the labels of `data` count. Raises
    StudioError when one fails for good; what was answered is kept."""
    spend = open_spend(params, ctx)
    heard = Heard([[] for _ in prompts], spend)
    teachers = voices(params)
    asked = [with_steps(params, prompt) for prompt in prompts]
    pulse = Pulse(ctx, params.samples * sum(asked_rows(params, len(prompts))), "asking the teacher")
    for at, voice in enumerate(teachers):
        mine = range(at, len(prompts), len(teachers)) if params.combine == "mix" else range(len(prompts))
        if not mine:
            continue
        ctx.progress(pulse.done, pulse.total, "opening the teacher")
        answerer = open_answerer(voice, ctx, spend)
        try:
            heard.names.append(answerer.name)
            heard.views += [answerer.view] if answerer.view else []
            room, before = _room(params, data, answerer), heard.cut
            for number in range(params.samples):
                drawn = Sampling(max_new_tokens=room, temperature=params.temperature, seed=ctx.seed + number)
                got = ask(
                    answerer, [asked[row] for row in mine], drawn, ctx.cache / "teacher", pulse, params.batch_size
                )
                heard.cached += got.cached
                heard.asked += got.asked
                log_refused(ctx, [rows[row].id for row in mine], got.replies)
                for row, reply in zip(mine, got.replies, strict=True):
                    sample = _read(params, data.template, reply, strict, answerer.name)
                    heard.samples[row].append(sample)
                    heard.cut += reply.cut and sample.answer not in data.template.labels
            log_cut_off(ctx, heard.cut - before, params.samples * len(mine), room)
        finally:
            answerer.engine.close()
    return heard


def _read(params: PanelParams, template: Template, reply: Reply, strict: bool, teacher: str) -> Sample:
    whole = params.rationale or template.answer == "text"  # a label alone shows by itself whether it is whole
    return read(
        reply.text,
        reply.confidence,
        marker=params.marker if params.rationale else "",
        labels=set(template.labels) if strict else None,
        cut=whole and reply.cut,
        teacher=teacher,
    )


def _room(params: PanelParams, data: DataFolder, answerer: Answerer) -> int:
    """Tokens of the longest reply."""
    if params.max_new_tokens:
        return params.max_new_tokens
    room = max_answer_tokens(data, getattr(answerer.engine, "encoder", None))
    return room + (STEPS_TOKENS if params.rationale else 0)
