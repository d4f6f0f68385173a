"""A teacher's rows per second, side by side: `python -m benchmarks.generate MODEL DATASET [--onnx MODEL] [--rows 200]`.

The names are of a store (SLMOPS_HOME). The same prompts, greedily and with the same limit of tokens, go through the studio's
torch engine (batches by length, shared beginning, finished rows leave), through `transformers.generate` with left padding in
batches of 8, and, with `--onnx`, through ONNX Runtime GenAI one by one: an fp32 conversion is the same model, an INT4 one
rounds its weights and may answer otherwise. Two rounds in turn; the better one counts. Prints the load of the machine and one
JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from itertools import islice
from typing import Any

import torch

from backend.api import Studio
from backend.data.dataset import DataFolder
from backend.inference.protocol import Sampling, answer_tokens
from backend.ml.inference.load import tokenizer_of
from backend.ml.inference.open import open_engine

PADDED_BATCH = 8
Ask = Callable[[], list[str]]


def padded_generate(
    model: Any, tokenizer: Any, prompts: list[list[int]], stops: list[int], max_tokens: int
) -> list[str]:
    """`transformers.generate`, greedy, prompts in the order of the data, padded on the left."""
    found = []
    for start in range(0, len(prompts), PADDED_BATCH):
        rows = prompts[start : start + PADDED_BATCH]
        width = max(map(len, rows))
        ids = torch.tensor([[stops[0]] * (width - len(row)) + row for row in rows])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
        with torch.inference_mode():
            out = model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=max_tokens,
                do_sample=False,
                eos_token_id=stops,
                pad_token_id=stops[0],
            )
        found += [text.strip() for text in tokenizer.batch_decode(out[:, width:], skip_special_tokens=True)]
    return found


def engine_generate(engine: Any, prompts: list[list[int]], sampling: Sampling, batch: int) -> list[str]:
    answers = dict(engine.answers(prompts, sampling, batch=batch))
    return [answers[index].strip() for index in range(len(prompts))]


def fastest(ways: dict[str, Ask], rounds: int = 2) -> tuple[dict[str, float], dict[str, list[str]]]:
    """Seconds of the better round of each way, taken in turn, and its answers."""
    seconds: dict[str, float] = {}
    answers: dict[str, list[str]] = {}
    for _ in range(rounds):
        for name, ask in ways.items():
            begun = time.perf_counter()
            answers[name] = ask()
            took = time.perf_counter() - begun
            seconds[name] = min(seconds.get(name, float("inf")), took)
            print(f"{name}: {took:.1f} s, load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    return seconds, answers


def measure(model: str, dataset: str, onnx: str | None, rows: int) -> dict[str, Any]:
    studio = Studio.open()
    view, folder = studio.model(model), DataFolder(studio.dataset(dataset).path)
    engine = open_engine(view, studio.artifact)
    asked = list(islice((row for split in ("pool", "train", "test") for row in folder.rows(split)), rows))
    prompts = [list(engine.encode(folder.template.prompt(row))) for row in asked]
    known = [row.output for row in asked if row.output is not None]
    max_tokens = answer_tokens(folder.template, known, lambda text: len(engine.encoder.ids(text)))
    sampling = Sampling(max_new_tokens=max_tokens)
    torch_model, tokenizer, stops = engine.model, tokenizer_of(view.path), sorted(engine.stops)  # type: ignore[attr-defined]
    ways: dict[str, Ask] = {
        "studio_torch": lambda: engine_generate(engine, prompts, sampling, 64),
        f"transformers_padded_{PADDED_BATCH}": lambda: padded_generate(
            torch_model, tokenizer, prompts, stops, max_tokens
        ),
    }
    if onnx:
        small = open_engine(studio.model(onnx), studio.artifact)
        ways["ort_genai_one_by_one"] = lambda: engine_generate(small, prompts, sampling, 1)
    seconds, answers = fastest(ways)
    ours = answers["studio_torch"]
    return {
        "rows": len(prompts),
        "prompt_tokens": sum(map(len, prompts)),
        "longest_answer": max_tokens,
        "rows_per_s": {name: round(len(prompts) / took, 2) for name, took in seconds.items()},
        "same_answers": {
            name: sum(a == b for a, b in zip(ours, given, strict=True)) / len(ours) for name, given in answers.items()
        },
    }


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("model")
    asked.add_argument("dataset")
    asked.add_argument("--onnx")
    asked.add_argument("--rows", type=int, default=200)
    chosen = asked.parse_args()
    print(json.dumps(measure(chosen.model, chosen.dataset, chosen.onnx, chosen.rows), indent=1))
