"""What constrained decoding brings and costs: `python -m benchmarks.constrained DATASET MODEL [MODEL ...]`.

The names are of a store (SLMOPS_HOME). Each model answers the validation and test rows of a dataset with labels, greedily, one
by one: free, held to the labels token by token, and by likelihood (the label whose tokens and end of turn the model gives the
highest probability, the prompt read anew for each). Rounds in turn; the better one counts, in seconds of CPU, which other
work on the machine changes little. `mask_us`: median time to find the tokens that are allowed, in microseconds. Prints one JSON
object.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from backend.api import Studio
from backend.data.dataset import DataFolder, Template, gold_answer
from backend.inference.constraint import Constraint
from backend.inference.engine import Engine
from backend.inference.guides import Guide
from backend.inference.protocol import Sampling, max_answer_tokens
from backend.ml.inference.open import open_engine

Ask = Callable[[list[int]], tuple[str, int]]
"""Prompt -> the answer and its tokens."""


def generated(engine: Engine, sampling: Sampling) -> Ask:
    def ask(prompt: list[int]) -> tuple[str, int]:
        ids = list(engine.stream_ids(prompt, sampling))
        return engine.encoder.text(ids).strip(), len(ids) + 1

    return ask


def likeliest(engine: Engine, labels: list[str]) -> Ask:
    ids = {label: engine.encoder.answer_ids(label) for label in labels}

    def ask(prompt: list[int]) -> tuple[str, int]:
        found = min(labels, key=lambda label: engine.loss(prompt, ids[label]))
        return found, len(ids[found])

    return ask


def timed_masks(engine: Engine, prompts: list[list[int]], sampling: Sampling) -> float:
    """Microseconds that the guides take for each token."""
    spent: list[float] = []
    original = Guide.allowed

    def allowed(self: Guide, vocabulary: int) -> Any:
        begun = time.perf_counter()
        found = original(self, vocabulary)
        spent.append(time.perf_counter() - begun)
        return found

    Guide.allowed = allowed  # type: ignore[method-assign]
    for prompt in prompts:
        list(engine.stream_ids(prompt, sampling))
    Guide.allowed = original  # type: ignore[method-assign]
    return 1e6 * sorted(spent)[len(spent) // 2]


def measure(
    engine: Engine, prompts: list[list[int]], right: list[str], template: Template, most: int, rounds: int
) -> dict[str, Any]:
    form = Constraint(kind="labels", value=tuple(template.labels))
    held = Sampling(max_new_tokens=max(most, form.most_bytes() + 1), constraint=form)
    begun = time.process_time()
    engine.sampler(held)
    compiled = time.process_time() - begun
    ways = {
        "free": generated(engine, Sampling(max_new_tokens=most)),
        "constrained": generated(engine, held),
        "likelihood": likeliest(engine, template.labels),
    }
    found: dict[str, Any] = {}
    for _ in range(rounds):
        for name, ask in ways.items():
            begun = time.process_time()
            said = [ask(prompt) for prompt in prompts]
            took = time.process_time() - begun
            print(f"{name}: {took:.1f} s of CPU, load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
            answers = [text for text, _ in said]
            seconds = min(took, found.get(name, {}).get("cpu_s", took))
            found[name] = {
                "malformed": sum(text not in template.labels for text in answers),
                "accuracy": round(sum(a == b for a, b in zip(answers, right, strict=True)) / len(right), 3),
                "cpu_s": round(seconds, 2),
                "tokens": sum(count for _, count in said),
            }
    return found | {"first_use_cpu_s": round(compiled, 2), "mask_us": round(timed_masks(engine, prompts, held))}


def main(dataset: str, models: list[str], rows: int, rounds: int) -> dict[str, Any]:
    studio = Studio.open()
    data = DataFolder(studio.dataset(dataset).path)
    asked = [row for split in ("validation", "test") for row in data.rows(split)][:rows]
    right = [gold_answer(row) or "" for row in asked]
    found: dict[str, Any] = {"rows": len(asked), "labels": len(data.template.labels)}
    for name in models:
        print(name, file=sys.stderr, flush=True)
        engine = open_engine(studio.model(name), studio.artifact)
        prompts = [list(engine.encode(data.template.prompt(row))) for row in asked]
        most = max_answer_tokens(data, engine.encoder)
        found[name] = measure(engine, prompts, right, data.template, most, rounds)
        engine.close()
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("dataset")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    print(json.dumps(main(given.dataset, given.models, given.rows, given.rounds), indent=1))
