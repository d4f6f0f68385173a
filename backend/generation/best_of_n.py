"""Best-of-n: a judge scores every answer that a row was given, and the highest score wins.

Answers that several teachers or samples share are scored once, and of equal scores the answer that more of them give wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from backend.core.errors import Problem, StudioError
from backend.core.progress import Progress
from backend.core.schemas import ArtifactView, Quote
from backend.core.stage import Context, World
from backend.data.dataset import Row, ScoredAnswer, Template
from backend.generation.answerer import AnswererParams, answer_quote, open_answerer
from backend.generation.batch import ask, log_refused
from backend.generation.ensemble import EnsembleParams, EnsembleSamples, answers_per_row
from backend.generation.judge import JUDGE_PROMPT_CHARS, judge_prompt, log_unreadable, parse_score, score_to_confidence
from backend.generation.voting import Sample, best_group, group_by_answer, majority_vote
from backend.inference import time_estimates
from backend.inference.protocol import Sampling
from backend.models import costs

SCORE_TOKENS = 4
"""Of a score and its end, for the quote."""


@dataclass
class Judgements:
    """Per row the winner and all candidates; `judged` answers, `unreadable` of these; `view`: the judge's model."""

    winners: list[Sample]
    scores: list[list[ScoredAnswer]]
    judge: str
    view: ArtifactView | None
    judged: int
    unreadable: int

    def metrics(self) -> dict[str, float]:
        """The mean score is that of the winners."""
        tops = [max(known) for row in self.scores if (known := [one.score for one in row if one.score is not None])]
        mean = {"score": sum(tops) / len(tops)} if tops else {}
        return {"judged": self.judged, "unreadable": self.unreadable, **mean}


def check_best_of_n(params: EnsembleParams, world: World) -> list[Problem]:
    if params.combine != "best_of_n":
        return []
    problems = []
    if bool(params.judge) + bool(params.judge_endpoint) != 1:
        problems.append(Problem(code="answers.one_judge", field="judge"))
    if answers_per_row(params) == 1:
        problems.append(Problem(code="answers.one_answer", field="others"))
    saved = world.endpoint(params.judge_endpoint) if params.judge_endpoint else None
    if params.budget and saved and not saved.priced:
        problems.append(Problem(code="endpoints.budget_no_price", field="budget"))
    return problems


def judge_params(params: EnsembleParams) -> AnswererParams:
    """The judge as one who answers, asked as the teachers are."""
    how = params.model_dump(include={"concurrency", "retries", "timeout", "batch_size", "budget"})
    return AnswererParams(model=params.judge, endpoint=params.judge_endpoint, **how)


def quote_best_of_n(params: EnsembleParams, facts: dict[str, Any], rows: int, world: World) -> Quote:
    """What judging takes if all answers of a row differ; `facts` of the dataset."""
    judge = judge_params(params)
    chars = facts.get("prompt_chars", 100.0) + facts.get("answer_chars", 20.0) + JUDGE_PROMPT_CHARS + len(params.rubric)
    load = time_estimates.Load(
        rows=rows * answers_per_row(params),
        prompt=costs.prompt_tokens(chars),
        answer=SCORE_TOKENS,
        data_bytes=chars * rows,
    )
    return answer_quote(judge, load, world)


def best_of_n(
    params: EnsembleParams, ctx: Context, template: Template, rows: Sequence[Row], sampled: EnsembleSamples
) -> Judgements:
    """Score the sampled answers of `rows`. Rows without a score that can be read go by the vote. Raises StudioError when no
    score at all can be read, or the judge fails for good; its replies are kept."""
    ignore_case = template.answer == "text"
    groups = [group_by_answer(samples, ignore_case) for samples in sampled.samples]
    asked = [(at, group[0].answer) for at, each in enumerate(groups) for group in each]
    progress = Progress(ctx, max(1, len(asked)), "querying the judge")
    ctx.progress(0, progress.total, "loading the model")
    answerer = open_answerer(judge_params(params), ctx, sampled.budget)
    try:
        prompts = [judge_prompt(params.rubric, template, rows[at], answer) for at, answer in asked]
        sampling = Sampling(max_new_tokens=params.judge_tokens)
        got = ask(answerer, prompts, sampling, ctx.cache / "judge", progress, params.batch_size)
    finally:
        answerer.engine.close()
    log_refused(ctx, [rows[at].id for at, _ in asked], got.replies)
    said = [parse_score(reply.text) for reply in got.replies]
    if asked and all(score is None for score in said):
        example = got.replies[0].text[:60]
        raise StudioError("answers.judge_useless", count=len(asked), judge=answerer.name, example=example)
    winners, scores, left = [], [], iter(said)
    for samples, each in zip(sampled.samples, groups, strict=True):
        mine = [next(left) for _ in each]
        winners.append(_winner(samples, each, mine, ignore_case))
        scores.append([_scored(group, score) for group, score in zip(each, mine, strict=True)])
    unreadable = sum(score is None for score in said)
    log_unreadable(ctx, unreadable, len(said))
    return Judgements(winners, scores, answerer.name, answerer.view, len(asked), unreadable)


def _winner(samples: list[Sample], groups: list[list[Sample]], scores: list[int | None], ignore_case: bool) -> Sample:
    at = best_group(groups, scores)
    score = None if at is None else scores[at]
    if at is None or score is None:
        return replace(majority_vote(samples, ignore_case), confidence=None)
    return replace(groups[at][0], confidence=score_to_confidence(score))


def _scored(group: list[Sample], score: int | None) -> ScoredAnswer:
    names = dict.fromkeys(sample.teacher for sample in group)
    return ScoredAnswer(answer=group[0].answer, teacher=" + ".join(names), score=score)
