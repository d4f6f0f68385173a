"""llama.cpp by token ids, in an interpreter that has `llama-cpp-python`: `python llama_child.py QUESTION.json ANSWER.json`.

Uses the C functions alone, so that nothing of the wrapper is timed: one decode a token and an argmax over its logits.
Question: `gguf`, `prompts` and `truths` (lists of token ids), `stops`, `room` (tokens of an answer), `threads`, `timed`
(prompts that are timed), `full` and `full_prompts` (tokens of a decode of fixed length, and how many), `positions` and
`chances` (log-probabilities of that many tokens of the truths, and the .npy file for them). Answer: ids of each answer,
times, peak of memory, losses.
"""

from __future__ import annotations

import ctypes
import json
import re
import statistics
import sys
import time
from pathlib import Path

import llama_cpp as ll
import numpy as np


class Llama:
    """One model with one sequence."""

    def __init__(self, path: str, threads: int, context: int) -> None:
        ll.llama_backend_init()
        ll.llama_log_set(_QUIET, ctypes.c_void_p(0))
        self.model = ll.llama_model_load_from_file(path.encode(), ll.llama_model_default_params())
        if not self.model:
            raise SystemExit(f"llama.cpp can't load {path}")
        params = ll.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = context
        params.n_threads = params.n_threads_batch = threads
        self.context = ll.llama_init_from_model(self.model, params)
        self.words = ll.llama_vocab_n_tokens(ll.llama_model_get_vocab(self.model))

    def read(self, ids: list[int], start: int, wanted: int) -> np.ndarray:
        """Logits of the last `wanted` tokens of `ids`, which begin at position `start`: [wanted, vocabulary]. The array is
        llama.cpp's own memory until the next call."""
        if start == 0:
            ll.llama_memory_clear(ll.llama_get_memory(self.context), True)
        batch = ll.llama_batch_init(len(ids), 0, 1)
        batch.n_tokens = len(ids)
        for at, token in enumerate(ids):
            batch.token[at], batch.pos[at], batch.n_seq_id[at], batch.seq_id[at][0] = token, start + at, 1, 0
            batch.logits[at] = at >= len(ids) - wanted
        if ll.llama_decode(self.context, batch):
            raise SystemExit("llama_decode failed")
        ll.llama_batch_free(batch)
        first = ll.llama_get_logits(self.context)
        return np.ctypeslib.as_array(first, shape=(wanted, self.words))

    def answer(self, prompt: list[int], room: int, stops: set[int]) -> tuple[list[int], list[float]]:
        """Greedy: the ids, and the moment at which each was known (the stop's too)."""
        token = int(self.read(prompt, 0, 1)[0].argmax())
        ids, moments = [], [time.perf_counter()]
        while token not in stops:
            ids.append(token)
            if len(ids) == room:
                break
            token = int(self.read([token], len(prompt) + len(ids) - 1, 1)[0].argmax())
            moments.append(time.perf_counter())
        return ids, moments


@ll.llama_log_callback
def _QUIET(level: int, text: bytes, data: object) -> None:
    return None


def main() -> None:
    asked = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    longest = max(len(prompt) for prompt in asked["prompts"])
    longest += max(asked["room"], asked["full"], *(len(truth) for truth in asked["truths"]))
    model = Llama(asked["gguf"], asked["threads"], longest + 8)
    stops, found = set(asked["stops"]), times(model, asked)
    found["peak_memory_bytes"] = peak()
    found["answers"] = [model.answer(prompt, asked["room"], stops)[0] for prompt in asked["prompts"]]
    found["losses"] = distance(model, asked)
    Path(sys.argv[2]).write_text(json.dumps(found), "utf-8")


def peak() -> float:
    """Bytes that this process held at most (Linux)."""
    return 1024.0 * int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])


def times(model: Llama, asked: dict) -> dict[str, object]:
    """Medians, after one answer that is not measured."""
    stops, firsts, totals, rates = set(asked["stops"]), [], [], []
    model.answer(asked["prompts"][0], asked["room"], stops)
    for prompt in asked["prompts"][: asked["timed"]]:
        begun = time.perf_counter()
        moments = model.answer(prompt, asked["room"], stops)[1]
        firsts.append(moments[0] - begun)
        totals.append(moments[-1] - begun)
    for prompt in asked["prompts"][: asked["full_prompts"]]:
        moments = model.answer(prompt, asked["full"], set())[1]
        rates.append((len(moments) - 1) / (moments[-1] - moments[0]))
    return {
        "ttft_ms": 1000 * statistics.median(firsts),
        "latency_ms_p50": 1000 * statistics.median(totals),
        "decode_tokens_per_s": statistics.median(rates),
    }


def distance(model: Llama, asked: dict) -> list[float]:
    """-ln p of each token of the truths; log-probabilities of the first `positions` of them go to the file `chances`."""
    losses, kept, room = [], [], asked["positions"]
    for prompt, truth in zip(asked["prompts"], asked["truths"], strict=True):
        logits = model.read([*prompt, *truth], 0, len(truth) + 1)[:-1].astype(np.float64)
        peak = logits.max(axis=-1, keepdims=True)
        chances = logits - peak - np.log(np.exp(logits - peak).sum(axis=-1, keepdims=True))
        losses += (-chances[np.arange(len(truth)), truth]).tolist()
        if room > 0:
            kept.append(chances[:room].astype(np.float32))
            room -= len(kept[-1])
    np.save(asked["chances"], np.concatenate(kept))
    return losses


if __name__ == "__main__":
    main()
