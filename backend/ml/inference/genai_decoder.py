"""One sequence at a time on an ONNX folder, by the generator of ONNX Runtime GenAI. Imports neither torch nor transformers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime_genai as og

from backend.core.errors import StudioError
from backend.core.machine import physical_cores
from backend.core.schemas import ArtifactView
from backend.inference.protocol import PREFILL_TOKENS, Lookup
from backend.models.quantization import ADAPTER_FILE

_CACHE_BYTES = 4
"""Of a number in the KV cache on a CPU."""


def load(folder: Path) -> Any:
    """The model in `folder`, with a thread for every core: left alone, the runtime takes half of those that the system shows,
    which are too few where none stands for two (228 against 163 tokens/s in one run)."""
    config = og.Config(str(folder))
    config.overlay(json.dumps({"model": {"decoder": {"session_options": {"intra_op_num_threads": physical_cores()}}}}))
    return og.Model(config)


class GenAIPrefill:
    """A prompt while a generator of its own reads it."""

    def __init__(self, generator: Any, ids: Sequence[int]) -> None:
        self.generator = generator
        self.length = 0
        self._left = np.array(ids, dtype=np.int32)

    def step(self) -> Any:
        part, self._left = self._left[:PREFILL_TOKENS], self._left[PREFILL_TOKENS:]
        self.length += len(part)
        self.generator.append_tokens(part)
        return None if len(self._left) else self.generator.get_logits()[0, -1]


class GenAIDecoder:
    """`view` is an artifact of kind onnx; `lookup` finds the model that an attached adapter shares. Raises StudioError when a
    folder can't be loaded."""

    def __init__(self, view: ArtifactView, lookup: Lookup) -> None:
        base = view.facts.get("base")
        folder = lookup(base).path if base else view.path
        model = json.loads((folder / "genai_config.json").read_text("utf-8"))["model"]
        self.context, sizes = int(model["context_length"]), model["decoder"]
        self._bytes = 2 * sizes["num_hidden_layers"] * sizes["num_key_value_heads"] * sizes["head_size"] * _CACHE_BYTES
        try:
            self.model = load(folder)
            self._adapters = og.Adapters(self.model) if base else None
            if self._adapters:
                self._adapters.load(str(view.path / ADAPTER_FILE), view.id)
        except RuntimeError as error:
            raise StudioError(
                "chat.onnx_load", ref=view.name, reason=str(error).strip().splitlines()[0][:300]
            ) from error
        self._adapter = view.id
        self._generator: Any = None
        self.lengths: list[int] = []

    def bytes_for(self, lengths: Sequence[int]) -> int:
        return sum(lengths) * self._bytes

    def prefill(self, ids: Sequence[int], limit: int) -> GenAIPrefill:
        return GenAIPrefill(self._new_generator(limit), ids)

    def join(self, prefill: GenAIPrefill) -> None:
        self._generator, self.lengths = prefill.generator, [prefill.length]

    def step(self, tokens: Sequence[int]) -> Any:
        self.lengths[0] += 1
        self._generator.append_tokens(np.array(tokens, dtype=np.int32))
        return self._generator.get_logits()[0]

    def drop(self, at: int) -> None:
        self._generator, self.lengths = None, []

    def logits(self, ids: Sequence[int], last: int = 0) -> Any:
        generator = self._new_generator(min(len(ids) + 1, self.context))
        generator.append_tokens(np.array(ids, dtype=np.int32))
        return generator.get_output("logits")[0, -last:]

    def _new_generator(self, limit: int) -> Any:
        params = og.GeneratorParams(self.model)
        params.set_search_options(max_length=limit, do_sample=False)
        generator = og.Generator(self.model, params)
        if self._adapters:
            generator.set_active_adapter(self._adapters, self._adapter)
        return generator
