"""A served model next to one sequence at a time: `python -m benchmarks.serve MODEL [--rounds 3] [--requests 1000]`.

The name is that of an ONNX model in a store (SLMOPS_HOME). In every round, in turn and for 1, 4 and 16 clients: so many
requests through `slmops serve` at once; the same prompts one after another through the engine of Playground and evaluation
(ONNX Runtime GenAI's generator, our sampler), and through that generator with its own sampler; and as one padded batch of it
that begins and ends together (its Engine of 0.14.1 raises when an answer of a batch ends early). All answers are drawn at
temperature 2, so that a model of short labels talks on too, and cut at `--tokens`. Then the memory of server and model over
`--requests` requests. Prints one JSON object, with the machine's load before and after.

`python -m benchmarks.serve MODEL --agreement DATASET [--rows 300] [--clients 8] [--tokens 64]` counts equal answers instead:
greedy and drawn ones of the server, asked alone, next to the engine's; greedy ones of the server, asked by so many clients at
once, next to those asked alone.
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

from backend.api import Studio
from backend.core.schemas import ArtifactView
from backend.data.dataset import DataFolder, Message, Template
from backend.inference.engine import Engine
from backend.inference.protocol import Sampling
from backend.ml.inference.open import open_engine
from backend.serve.engine_process import templated

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

    def text(self, messages: list[Message], sampling: Sampling) -> str:
        """The whole answer."""
        body = {"model": self._model, "messages": messages, "max_tokens": sampling.max_new_tokens}
        body |= {"temperature": sampling.temperature, "top_p": sampling.top_p, "seed": sampling.seed}
        answer = self._http.post("/chat/completions", json=body).raise_for_status().json()
        said: str = answer["choices"][0]["message"]["content"]
        return said


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


def alone(engine: Engine, numbers: list[int], tokens: int) -> int:
    """One after another, drawn as the server draws."""
    count = 0
    for number in numbers:
        sampling = Sampling(max_new_tokens=tokens, temperature=TEMPERATURE, seed=number)
        count += sum(1 for _ in engine.stream_ids(engine.encode(question(number)), sampling))
    return count


def generated(engine: Engine, numbers: list[int], tokens: int) -> int:
    """By the runtime alone, as one padded batch; rows that have ended go on to be computed."""
    prompts = [engine.encode(question(number)) for number in numbers]
    width, pad = max(map(len, prompts)), min(engine.stops)
    model = engine.decoder.model  # type: ignore[attr-defined]
    params = og.GeneratorParams(model)
    params.set_search_options(
        batch_size=len(prompts), max_length=width + tokens, do_sample=True, temperature=TEMPERATURE, top_k=0
    )
    generator = og.Generator(model, params)
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


def compare(client: Client, engine: Engine, tokens: int, rounds: int) -> dict[str, Any]:
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
                "engine_one_by_one": lambda found: alone(engine, found, tokens),
                "genai_one_by_one": lambda found: sum(generated(engine, [number], tokens) for number in found),
                "genai_batch": lambda found: generated(engine, found, tokens),
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


def agreement(client: Client, engine: Engine, view: ArtifactView, rows: list[str], given: Any) -> dict[str, Any]:
    """Shares of equal answers to `rows`."""
    template = Template.model_validate(view.facts.get("template") or {})
    asked = [[{"role": "user", "content": text}] for text in rows]
    ways = {
        "greedy": [Sampling(max_new_tokens=given.tokens) for _ in rows],
        "drawn": [
            Sampling(max_new_tokens=given.tokens, temperature=0.8, top_p=0.95, seed=seed) for seed in range(len(rows))
        ],
    }
    found: dict[str, Any] = {"rows": len(rows), "clients": given.clients}
    server: dict[str, list[str]] = {}
    for name, samplings in ways.items():
        pairs = list(zip(asked, samplings, strict=True))
        own = [engine.answer(engine.encode(templated(template, one)), sampling) for one, sampling in pairs]
        server[name] = [client.text(*pair) for pair in pairs]
        found[f"{name}_server_alone_as_engine"] = equal(own, server[name])
    with ThreadPoolExecutor(given.clients) as pool:
        together = list(pool.map(client.text, asked, ways["greedy"]))
    return found | {"greedy_together_as_alone": equal(server["greedy"], together)}


def equal(left: list[str], right: list[str]) -> float:
    return sum(one == other for one, other in zip(left, right, strict=True)) / len(left)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--agreement", metavar="DATASET")
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--clients", type=int, default=8)
    given = parser.parse_args()
    studio = Studio.open()
    view = studio.model(given.model)
    load = os.getloadavg()
    with served(view.name) as (process, url):
        engine = open_engine(view, studio.artifact)
        client = Client(url, view.name, given.tokens)
        if given.agreement:
            data = DataFolder(studio.dataset(given.agreement).path)
            rows = [row.input for split in ("test", "validation", "train", "pool") for row in data.rows(split)]
            found = agreement(client, engine, view, rows[: given.rows], given)
        else:
            found = compare(client, engine, given.tokens, given.rounds)
            engine.close()
            short = Client(url, view.name, 16)
            found["memory"] = memory(short, psutil.Process(process.pid), given.requests)
    print(
        json.dumps({**found, "load_before": load, "load_after": os.getloadavg(), "cores": psutil.cpu_count()}, indent=1)
    )


if __name__ == "__main__":
    main()
