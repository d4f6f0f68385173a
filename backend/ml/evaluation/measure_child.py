"""Measure one model in a process of its own: `python -m backend.ml.evaluation.measure_child QUESTION.json ANSWER.json`.

Costs come first, so that the peak of memory is the model's own. How far it is from the original is measured against a file
that the original left when it was measured. Writes the answer file last.
"""

from __future__ import annotations

import json
import sys
from math import exp
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from backend.core.artifacts import write_json
from backend.core.schemas import ArtifactView
from backend.data.answer_task import answer_task, known_answers
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder, Row
from backend.inference.benchmark import measure_cost, reset_peak
from backend.inference.engine import Engine
from backend.inference.protocol import Sampling, max_answer_tokens
from backend.ml.inference.open import open_engine
from backend.process.memory import peak_memory
from backend.stats.logprobs import answer_logprobs, kl_divergences, log_softmax
from backend.stats.metrics import scores_of
from backend.stats.scores import Answers

MAX_POSITIONS = 256
"""Tokens of answers at which the whole distribution is compared: 50 MB for a vocabulary of 49,152."""
COST_PROMPTS = 10
_BATCH = 32


def measure(question: dict[str, Any]) -> dict[str, float]:
    """`view`: a model or an ONNX folder; `data`, `split`, `rows` (ids): what it is asked; `original`: the file of
    log-probabilities, written when `keep` is true, else compared with."""
    view = ArtifactView.model_validate(question["view"])
    data = DataFolder(Path(question["data"]))
    asked = frozenset(question["rows"])
    rows = [row for row in data.rows(question["split"]) if row.id in asked]
    reset_peak()
    engine = open_engine(view, _nothing)
    sampling = Sampling(max_new_tokens=max_answer_tokens(data, engine.encoder))
    messages = [data.template.prompt(row) for row in rows]
    found = measure_cost(engine, messages[:COST_PROMPTS], sampling, _no_tick).model_dump()
    found["peak_memory_bytes"] = float(peak_memory())
    answers = dict(engine.answers([engine.encode(each) for each in messages], sampling, _no_tick, _BATCH))
    found |= quality(data, rows, [answers[at] for at in range(len(rows))], engine.encoder)
    return found | _distance(engine, data, rows, question)


def quality(data: DataFolder, rows: list[Row], answers: list[str], encoder: Encoder) -> dict[str, float]:
    """Scores of `answers` to `rows` by a model with this encoder: every metric of the dataset's task."""
    known = known_answers(data)
    expected = [encoder.gold_text(data.template, row) for row in rows]
    return scores_of(answer_task(data, known, expected), Answers.of(expected, answers, data.template.labels, known))


def _distance(engine: Engine, data: DataFolder, rows: list[Row], question: dict[str, Any]) -> dict[str, float]:
    """Perplexity of the right answers, KL divergence from the original (nats a token) and share of tokens at which both
    hold the same one for likeliest, over the first POSITIONS tokens of the answers; perplexity alone for a vocabulary of its
    own."""
    file, losses = Path(question["original"]), []
    ours: list[Any] = []
    for row in rows:
        answer = engine.encoder.gold_ids(data.template, row)
        chances = log_softmax(engine.answer_logits(engine.encode(data.template.prompt(row)), answer))
        losses += (-answer_logprobs(chances, answer)).tolist()
        left = MAX_POSITIONS - sum(map(len, ours))
        if left > 0:
            ours.append(chances[:left].astype(np.float32))
    mine = np.concatenate(ours)
    if question["keep"]:
        np.save(file, mine)
    theirs = np.load(file, allow_pickle=False)
    perplexity = {"perplexity": exp(min(700.0, fmean(losses)))}
    if theirs.shape != mine.shape:
        return perplexity
    return {
        **perplexity,
        "kl": fmean(kl_divergences(theirs, mine)),
        "top_token_agreement": float((theirs.argmax(axis=-1) == mine.argmax(axis=-1)).mean()),
    }


def _nothing(ref: str) -> ArtifactView:
    raise KeyError(ref)


def _no_tick() -> None:
    return None


if __name__ == "__main__":
    asked = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    write_json(Path(sys.argv[2]), measure(asked))
