"""Who is asked for an answer and how often: one teacher or several, one sample each or many, with or without steps.

The parameters, checks and the asking itself; `backend.data.votes` reads the replies and counts them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from backend.chat.answerer import Answerer, AnswererParams, open_answerer, open_spend
from backend.chat.asking import ask
from backend.chat.engine import Sampling, answer_tokens
from backend.chat.pulse import Pulse
from backend.data.rows import DataFolder, Message
from backend.data.votes import Sample, read
from backend.errors import Problem
from backend.schemas import ArtifactView
from backend.stages.base import ModelRef

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
    combine: Literal["vote", "mix"] = Field(
        "vote",
        title="Several teachers",
        description="Vote: all answer every row and the most frequent answer wins. Mix: the rows are shared out in turn, "
        "so that each row is asked once.",
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
    """The samples of each row, in the order of the teachers; `views`: the local models among them; `spent`: tokens and money
    of endpoints."""

    samples: list[list[Sample]]
    names: list[str] = field(default_factory=list)
    views: list[ArtifactView] = field(default_factory=list)
    cached: int = 0
    asked: int = 0
    spent: dict[str, float] = field(default_factory=dict)


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
    return params.samples * (len(voices(params)) if params.combine == "vote" else 1)


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
    params: PanelParams, ctx: Any, data: DataFolder, prompts: Sequence[list[Message]], labels: Collection[str] | None
) -> Heard:
    """Ask every teacher, one loaded at a time. Raises StudioError when one fails for good; what was answered is kept."""
    heard = Heard([[] for _ in prompts])
    teachers = voices(params)
    asked = [with_steps(params, prompt) for prompt in prompts]
    marker = params.marker if params.rationale else ""
    whole = params.rationale or data.template.answer == "text"  # a label alone shows by itself whether it is whole
    spend = open_spend(params, ctx)
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
            room = _room(params, data, answerer)
            for number in range(params.samples):
                drawn = Sampling(max_new_tokens=room, temperature=params.temperature, seed=ctx.seed + number)
                got = ask(
                    answerer, [asked[row] for row in mine], drawn, ctx.cache / "teacher", pulse, params.batch_size
                )
                heard.cached += got.cached
                heard.asked += got.asked
                for row, reply in zip(mine, got.replies, strict=True):
                    heard.samples[row].append(read(reply.text, reply.confidence, marker, labels, whole and reply.cut))
        finally:
            answerer.engine.close()
    heard.spent = spend.metrics()
    return heard


def _room(params: PanelParams, data: DataFolder, answerer: Answerer) -> int:
    """Tokens of the longest reply."""
    if params.max_new_tokens:
        return params.max_new_tokens
    known = [row.output for row in data.rows("train") if row.output is not None]
    encoder = getattr(answerer.engine, "encoder", None)
    # An endpoint's tokenizer is unknown: a token for every second character is room enough in any language.
    room = answer_tokens(data.template, known, lambda text: len(encoder.ids(text)) if encoder else len(text) // 2 + 4)
    return room + (STEPS_TOKENS if params.rationale else 0)
