"""A served model next to ORT GenAI used directly: `python -m benchmarks.serve MODEL [--rounds 3] [--requests 1000]`.

The name is that of an ONNX model in a store (SLMOPS_HOME). In every round, in turn and for 1, 4 and 16 clients: so many
requests through `slmops serve` at once, the same prompts through ONNX Runtime GenAI one after another, and as one padded
batch that begins and ends together (what its Generator offers; its Engine of 0.14.1 raises when an answer of a batch ends
early). All answers are drawn at temperature 2, so that a model of short labels talks on too, and cut at `--tokens`. Then the
memory of server and model over `--requests` requests. Prints one JSON object, with the machine's load before and after.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np
import onnxruntime_genai as og
import psutil
from backend.ml.inference.ort_engine import OrtEngine

from backend.api import Studio
from backend.inference.protocol import Sampling

CLIENTS = (1, 4, 16)
TEMPERATURE = 2.0
QUESTIONS = [
    "What is the weather like?",
    "Turn on the light in the kitchen, please.",
    "Play music",
    "Write a short poem.",
]
Figures = dict[str, list[float]]


def question(number: int) -> list[dict[str, str]]:
    """A system message of its own: then both sides see the same token ids."""
    text = f"{QUESTIONS[number % len(QUESTIONS)]} ({number})"
    return [{"role": "system", "content": "Answer."}, {"role": "user", "content": text}]


class Client:
    """Asks the server; `first` and `tokens` of each answer."""

    def __init__(self, url: str, model: str, tokens: int) -> None:
        self._http = httpx.Client(base_url=url, timeout=600, trust_env=False, limits=httpx.Limits(max_connections=64))
        self._model, self._tokens = model, tokens

    def ask(self, number: int) -> tuple[float, int]:
        """Seconds to the first text, and the tokens of the answer."""
        body = {
            "model": self._model,
            "messages": question(number),
            "max_tokens": self._tokens,
            "temperature": TEMPERATURE,
        }
        body |= {"seed": number, "stream": True, "stream_options": {"include_usage": True}}
        begun = time.perf_counter()
        first, used = 0.0, 0
        with self._http.stream("POST", "/chat/completions", json=body) as answer:
            answer.raise_for_status()
            for line in answer.iter_lines():
                if not line.startswith("data: {"):
                    continue
                chunk = json.loads(line.removeprefix("data: "))
                if chunk["choices"] and chunk["choices"][0]["delta"].get("content") and not first:
                    first = time.perf_counter() - begun
                used = (chunk["usage"] or {"completion_tokens": used})["completion_tokens"]
        return first, used


@contextmanager
def served(model: str) -> Any:
    """A server of the command line on a free port: its process and its address."""
    command = [sys.executable, "-c", "from backend.cli import main; main()", "serve", model, "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield process, process.stdout.readline().split(": ")[-1].strip()
    finally:
        process.terminate()
        process.wait()


def alone(engine: OrtEngine, numbers: list[int], tokens: int) -> int:
    """One after another, drawn as the server draws."""
    count = 0
    for number in numbers:
        sampling = Sampling(max_new_tokens=tokens, temperature=TEMPERATURE, seed=number)
        count += sum(1 for _ in engine.stream_ids(engine.encode(question(number)), sampling))
    return count


def batch(engine: OrtEngine, numbers: list[int], tokens: int) -> int:
    """One padded batch; rows that have ended go on to be computed."""
    prompts = [list(engine.encode(question(number))) for number in numbers]
    width, pad = max(map(len, prompts)), min(engine.stops)
    params = og.GeneratorParams(engine.model)
    params.set_search_options(
        batch_size=len(prompts), max_length=width + tokens, do_sample=True, temperature=TEMPERATURE, top_k=0
    )
    generator = og.Generator(engine.model, params)
    generator.append_tokens(np.array([[pad] * (width - len(one)) + one for one in prompts], dtype=np.int32))
    alive = set(range(len(prompts)))
    count = 0
    for _ in range(tokens):
        if generator.is_done():
            break
        generator.generate_next_token()
        drawn = generator.get_next_tokens()
        alive -= {at for at in alive if int(drawn[at]) in engine.stops}
        count += len(alive)
    return count


def rate(ask: Callable[[], int]) -> float:
    begun = time.perf_counter()
    count = ask()
    return count / (time.perf_counter() - begun)


def compare(client: Client, engine: OrtEngine, tokens: int, rounds: int) -> dict[str, Any]:
    rates: Figures = {}
    firsts: Figures = {}

    def through_server(numbers: list[int]) -> int:
        with ThreadPoolExecutor(len(numbers)) as pool:
            answers = list(pool.map(client.ask, numbers))
        firsts.setdefault(str(len(numbers)), []).extend(first for first, used in answers if used)
        return sum(used for _, used in answers)

    for turn in range(rounds):
        for clients in CLIENTS:
            numbers = [100 * turn + at for at in range(clients)]
            ways: dict[str, Callable[[list[int]], int]] = {
                "served": through_server,
                "direct_one_by_one": lambda found: alone(engine, found, tokens),
                "direct_batch": lambda found: batch(engine, found, tokens),
            }
            for name, way in ways.items():
                rates.setdefault(f"{name}_{clients}", []).append(rate(lambda way=way, numbers=numbers: way(numbers)))  # type: ignore[misc]
    return {
        "tokens_per_s": {
            name: {"best": max(found), "median": statistics.median(found)} for name, found in rates.items()
        },
        "ttft_s": {name: quantiles(found) for name, found in firsts.items()},
    }


def quantiles(values: list[float]) -> dict[str, float]:
    ranked = sorted(values)
    return {f"p{q}": ranked[min(len(ranked) - 1, len(ranked) * q // 100)] for q in (50, 95)}


def memory(client: Client, process: psutil.Process, requests: int) -> list[dict[str, int]]:
    """Resident bytes of server and model, ten times over the run."""
    found = []
    done = 0
    while done < requests:
        found.append(
            {"requests": done, "server": process.memory_info().rss, "model": process.children()[0].memory_info().rss}
        )
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(client.ask, range(done, done + requests // 10)))
        done += requests // 10
    found.append(
        {"requests": done, "server": process.memory_info().rss, "model": process.children()[0].memory_info().rss}
    )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=1000)
    given = parser.parse_args()
    view = Studio.open().model(given.model)
    load = os.getloadavg()
    with served(view.name) as (process, url):
        engine = OrtEngine(view, {}.__getitem__)
        found = compare(Client(url, view.name, given.tokens), engine, given.tokens, given.rounds)
        engine.close()
        short = Client(url, view.name, 16)
        found["memory"] = memory(short, psutil.Process(process.pid), given.requests)
    print(
        json.dumps({**found, "load_before": load, "load_after": os.getloadavg(), "cores": psutil.cpu_count()}, indent=1)
    )


if __name__ == "__main__":
    main()
