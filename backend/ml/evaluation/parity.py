"""The same questions to a torch model and to its export, which runs in a process of its own: how far apart are they?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from backend.checks.asked_model import AskedModel, Died, Refused, TimedAnswer
from backend.checks.comparison import AnswerPair, Comparison, Question
from backend.core.progress import Progress
from backend.inference.protocol import Sampling
from backend.ml.inference.torch_engine import TorchEngine
from backend.stats.logprobs import answer_logprobs, kl_divergences

_MIN_POSITIONS = 64
"""Positions of a question that are compared whatever the vocabulary."""
_MAX_LOGITS = 60_000_000
"""Positions x vocabulary of a question at most: 240 MB a side."""


def compare(
    engine: TorchEngine,
    asked_model: AskedModel,
    questions: Sequence[Question],
    prompts: Sequence[str],
    max_new_tokens: int,
    scratch: Path,
    progress: Progress,
) -> Comparison:
    """Ask both. `prompts`: rendered texts for the runtime's tokenizer; `max_new_tokens`: of an answer; `progress` counts
    the questions."""
    progress.add(0, "querying the original")
    first = _greedy(engine, questions, max_new_tokens, progress)
    progress.add(0, "comparing with the original")
    found = Comparison(asked=len(questions), prompts=len(prompts))
    try:
        for question, first_answer in zip(questions, first, strict=True):
            try:
                found.pairs.append(_ask(engine, asked_model, question, first_answer, max_new_tokens, scratch))
            except Refused as error:
                found.refused.append(f"{question.text[:60]!r}: {error}")
            progress.add()
        # A text with a zero byte ends there for the runtime, which is written in C.
        found.mismatched_texts = [
            text[-60:]
            for text in prompts
            if "\0" not in text and asked_model.runtime_ids(text) != engine.encoder.ids(text)
        ]
    except Died as error:
        found.died = str(error)
    except Refused as error:
        found.refused.append(str(error))
    return found


def _ask(
    engine: TorchEngine,
    asked_model: AskedModel,
    question: Question,
    original: TimedAnswer,
    max_new_tokens: int,
    scratch: Path,
) -> AnswerPair:
    size = engine.model.config.vocab_size
    ids = [*question.prompt, *question.answer][-max(_MIN_POSITIONS, _MAX_LOGITS // size) :]
    file = scratch / "logits.npy"
    asked_model.logits(ids, file)
    theirs, ours = engine.logits(ids), np.load(file)
    file.unlink()
    begin = len(ids) - len(question.answer) - 1
    losses = [-float(answer_logprobs(logits[begin:-1], question.answer).sum()) for logits in (theirs, ours)]
    return AnswerPair(
        question=question,
        original=original,
        export=asked_model.answer(question.prompt, max_new_tokens),
        kl=kl_divergences(theirs, ours),
        loss=(losses[0], losses[1]),
        finite=bool(np.isfinite(ours).all()),
    )


def _greedy(
    engine: TorchEngine, questions: Sequence[Question], max_new_tokens: int, progress: Progress
) -> list[TimedAnswer]:
    prompts = [question.prompt for question in questions]
    found: dict[int, TimedAnswer] = {}
    for at, ids, chances in engine.rated_ids(prompts, Sampling(max_new_tokens=max_new_tokens), progress):
        text = engine.encoder.text(ids)
        found[at] = TimedAnswer(ids=ids, text=text, ended=len(chances) > len(ids), first_ms=0, ms=0)
    return [found[at] for at in range(len(questions))]
