"""The same questions to a torch model and to its export, which runs in a process of its own: how far apart are they?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from backend.checks.asked_model import AskedModel, Died, Refused, TimedAnswer
from backend.checks.comparison import Comparison, Question, Told
from backend.core.progress import Pulse
from backend.inference.protocol import Sampling
from backend.ml.inference.torch_engine import TorchEngine
from backend.stats.logprobs import answer_chances, divergences

_LEAST = 64
"""Positions of a question that are compared whatever the vocabulary."""
_VALUES = 60_000_000
"""Positions x vocabulary of a question at most: 240 MB a side."""


def compare(
    engine: TorchEngine,
    asked_model: AskedModel,
    questions: Sequence[Question],
    prompts: Sequence[str],
    room: int,
    scratch: Path,
    pulse: Pulse,
) -> Comparison:
    """Ask both. `prompts`: rendered texts for the runtime's tokenizer; `room`: new tokens of an answer; `pulse` counts the
    questions."""
    pulse.add(0, "asking the original")
    first = _greedy(engine, questions, room, pulse)
    pulse.add(0, "comparing with the original")
    found = Comparison(asked=len(questions), prompts=len(prompts))
    try:
        for question, heard in zip(questions, first, strict=True):
            try:
                found.told.append(_ask(engine, asked_model, question, heard, room, scratch))
            except Refused as error:
                found.refused.append(f"{question.text[:60]!r}: {error}")
            pulse.add()
        # A text with a zero byte ends there for the runtime, which is written in C.
        found.tokens_wrong = [
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
    engine: TorchEngine, asked_model: AskedModel, question: Question, original: TimedAnswer, room: int, scratch: Path
) -> Told:
    size = engine.model.config.vocab_size
    ids = [*question.prompt, *question.answer][-max(_LEAST, _VALUES // size) :]
    file = scratch / "logits.npy"
    asked_model.logits(ids, file)
    theirs, ours = engine.logits(ids), np.load(file)
    file.unlink()
    begin = len(ids) - len(question.answer) - 1
    losses = [-float(answer_chances(logits[begin:-1], question.answer).sum()) for logits in (theirs, ours)]
    return Told(
        question=question,
        original=original,
        export=asked_model.answer(question.prompt, room),
        kl=divergences(theirs, ours),
        loss=(losses[0], losses[1]),
        finite=bool(np.isfinite(ours).all()),
    )


def _greedy(engine: TorchEngine, questions: Sequence[Question], room: int, pulse: Pulse) -> list[TimedAnswer]:
    prompts = [question.prompt for question in questions]
    found: dict[int, TimedAnswer] = {}
    for at, ids, chances in engine.rated_ids(prompts, Sampling(max_new_tokens=room), pulse):
        text = engine.encoder.text(ids)
        found[at] = TimedAnswer(ids=ids, text=text, ended=len(chances) > len(ids), first_ms=0, ms=0)
    return [found[at] for at in range(len(questions))]
