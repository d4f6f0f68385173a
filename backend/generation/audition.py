"""A candidate answers the rows of an audition: what each answer took is kept with it, so that a second time nothing is asked
again and the figures are those of the first time."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.core.progress import Progress
from backend.data.dataset import Message
from backend.generation.answerer import Answerer
from backend.generation.batch import replies
from backend.generation.cache import content_key, prompt_key
from backend.inference.protocol import Sampling


@dataclass
class TimedAnswer:
    """One answer. `seconds`, `tokens` (of the answer) and `usd` since the answer before: their sums are those of the whole,
    however many were asked at once. `kept`: it was there from an earlier time; `truncated`, `refused`: see `batch.Reply`."""

    text: str
    seconds: float
    tokens: float
    usd: float
    kept: bool = False
    truncated: bool = False
    refused: str = ""


def timed_answers(
    answerer: Answerer,
    prompts: Sequence[list[Message]],
    sampling: Sampling,
    about: dict[str, Any],
    folder: Path,
    progress: Progress,
    batch: int,
) -> list[TimedAnswer]:
    """One answer per prompt, in order. `about`: what changes the figures apart from the answerer (how many at once)."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{content_key({**answerer.identity, **about, **sampling.model_dump()})}.jsonl"
    answers = _read(file)
    keys = [prompt_key(prompt) for prompt in prompts]
    missing = {key: prompt for key, prompt in zip(keys, prompts, strict=True) if key not in answers}
    progress.add(len(prompts) - len(missing))
    if missing:
        with file.open("a", encoding="utf-8") as stream:
            for key, found in _ask(answerer, missing, sampling, progress, batch, len(prompts) - len(missing)):
                answers[key] = found
                if not found.text and answerer.view is None:  # a later run asks again
                    continue
                stream.write(json.dumps({"key": key, **vars(found)}) + "\n")
                stream.flush()
    return [answers[key] for key in keys]


def _ask(
    answerer: Answerer, missing: dict[str, list[Message]], sampling: Sampling, progress: Progress, batch: int, kept: int
) -> Any:
    engine, budget = answerer.engine, answerer.budget
    if hasattr(engine, "kept"):
        engine.kept = kept
    encoder = getattr(engine, "encoder", None)
    keys = list(missing)
    at, tokens, usd = time.perf_counter(), budget.completion_tokens, budget.usd
    for index, reply in replies(answerer, list(missing.values()), sampling, progress, batch):
        now = time.perf_counter()
        written = len(encoder.ids(reply.text)) + 1 if encoder else budget.completion_tokens - tokens
        cost = now - at, float(written), budget.usd - usd
        yield keys[index], TimedAnswer(reply.text, *cost, truncated=reply.truncated, refused=reply.refused)
        at, tokens, usd = now, budget.completion_tokens, budget.usd
        progress.add()


def _read(file: Path) -> dict[str, TimedAnswer]:
    """What is there already; a last line that a crash cut off is left out."""
    found = {}
    for line in file.read_text("utf-8").splitlines() if file.is_file() else ():
        try:
            kept = json.loads(line)
        except ValueError:
            continue
        key = kept.pop("key")
        kept["truncated"] = kept.pop("cut", kept.get("truncated", False))  # a cache of version 0.1
        found[key] = TimedAnswer(**{**kept, "kept": True})
    return found
