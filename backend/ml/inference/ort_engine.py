"""Answers from an ONNX Runtime GenAI folder, one prompt at a time. Imports neither torch nor transformers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime_genai as og

from backend.core.errors import StudioError
from backend.core.machine import physical_cores
from backend.core.schemas import ArtifactView
from backend.inference import text_engine
from backend.inference.protocol import Lookup, Sampling, Tick
from backend.models.quantization import ADAPTER_FILE
from backend.stats.logprobs import log_softmax


def _no_tick() -> None:
    return None


def load(folder: Path) -> Any:
    """The model in `folder`, with a thread for every core: left alone, the runtime takes half of those that the system shows,
    which are too few where none stands for two (228 against 163 tokens/s in one run)."""
    config = og.Config(str(folder))
    config.overlay(json.dumps({"model": {"decoder": {"session_options": {"intra_op_num_threads": physical_cores()}}}}))
    return og.Model(config)


class OrtEngine(text_engine.TextEngine):
    """`view` is an artifact of kind onnx; `lookup` finds the model that an attached adapter shares. Raises StudioError when a
    folder can't be loaded."""

    def __init__(self, view: ArtifactView, lookup: Lookup) -> None:
        super().__init__(view)
        base = view.facts.get("base")
        try:
            self.model = load(lookup(base).path if base else view.path)
            self._adapters = og.Adapters(self.model) if base else None
            if self._adapters:
                self._adapters.load(str(view.path / ADAPTER_FILE), view.id)
        except RuntimeError as error:
            raise StudioError("chat.onnx_load", ref=view.name, reason=_first_line(error)) from error
        self._active = view.id

    def stream_ids(self, prompt: Sequence[int], sampling: Sampling) -> Iterator[int]:
        for token, _chance in self._steps(prompt, sampling):
            if token in self.stops and not sampling.full_length:
                return
            yield token

    def answers(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling, tick: Tick = _no_tick, batch: int = 1
    ) -> Iterator[tuple[int, str]]:
        """One by one, each read from its start: the 4-bit kernels round differently for other numbers of tokens at once,
        so a prompt continued from a shared beginning, or asked beside others, can end in another answer than the same
        prompt asked alone (8 of one length at once moved logits of a tuned SmolLM2 by up to 1.2 and changed 2 answers)."""
        for index, prompt in enumerate(prompts):
            tick()
            ids = []
            for token in self.stream_ids(prompt, sampling):
                tick()
                ids.append(token)
            yield index, self.encoder.text(ids)

    def rated_answers(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling, tick: Tick = _no_tick, batch: int = 1
    ) -> Iterator[tuple[int, str, float, bool]]:
        for index, prompt in enumerate(prompts):
            tick()
            ids, chances = [], []
            for token, chance in self._steps(prompt, sampling, rated=True):
                tick()
                chances.append(chance)
                if token in self.stops:
                    break
                ids.append(token)
            yield index, *self.rated(ids, chances)

    def answer_logits(self, prompt: Sequence[int], answer: Sequence[int]) -> Any:
        return self.logits([*prompt, *answer])[len(prompt) - 1 : -1]

    def logits(self, ids: Sequence[int]) -> Any:
        """Of every position: a float array, (len(ids), vocabulary)."""
        generator = self._generator(len(ids) + 1, Sampling())
        generator.append_tokens(np.array(ids, dtype=np.int32))
        return generator.get_output("logits")[0]

    def close(self) -> None:
        self._adapters = self.model = None

    def _steps(self, prompt: Sequence[int], sampling: Sampling, rated: bool = False) -> Iterator[tuple[int, float]]:
        """Token ids, ends of turn too; with `rated` the ln p of each."""
        generator = self._generator(len(prompt) + sampling.max_new_tokens, sampling)
        generator.append_tokens(np.array(prompt, dtype=np.int32))
        for _ in range(sampling.max_new_tokens):
            logits = generator.get_logits()[0, -1] if rated else None
            generator.generate_next_token()
            token = int(generator.get_next_tokens()[0])
            yield token, 0.0 if logits is None else float(log_softmax(logits)[token])

    def _generator(self, room: int, sampling: Sampling) -> Any:
        params = og.GeneratorParams(self.model)
        options: dict[str, Any] = {"max_length": room, "do_sample": sampling.temperature > 0}
        if sampling.full_length:
            options["min_length"] = room
        if sampling.temperature > 0:
            options |= {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": 0}
            options["random_seed"] = sampling.seed
        params.set_search_options(**options)
        generator = og.Generator(self.model, params)
        if self._adapters:
            generator.set_active_adapter(self._adapters, self._active)
        return generator


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300]
