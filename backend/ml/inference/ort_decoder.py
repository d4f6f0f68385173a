"""Several sequences at once on an ONNX folder, with ONNX Runtime itself: rows come and go between two steps.

ONNX Runtime GenAI's `Engine` was tried first (0.14.1, CPU): its batches are fixed when they begin, an answer that ends
before the others of its batch makes `step` raise, and it shows no logits. The exported graphs need none of it: their
attention (GroupQueryAttention) takes the length of each row from the attention mask, so that rows of any length
share one buffer of keys and values, padded on the right, which is read and written in place.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from backend.core.errors import StudioError
from backend.core.machine import cores
from backend.core.schemas import ArtifactView
from backend.inference.protocol import PREFILL_TOKENS, Lookup
from backend.models.quantization import ADAPTER_FILE

SHORTEST = 128
"""The least length that a buffer is made for; it doubles from there."""
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_MOST_ALIKE = 0.999
_BLOCK = dict[str, Any]
"""Name of a cache input -> its array, [rows, heads, length, head size]."""


@dataclass(frozen=True)
class _Cache:
    """One cache input of the graph and the output that continues it."""

    past: str
    present: str
    heads: int
    size: int
    dtype: Any


class OrtPrefill:
    """A prompt while it is read, in a block of its own."""

    def __init__(self, decoder: OrtDecoder, ids: Sequence[int]) -> None:
        self.length = 0
        self.block = decoder.new_block(1, len(ids))
        self._decoder = decoder
        self._left = list(ids)

    def step(self) -> Any:
        part, self._left = self._left[:PREFILL_TOKENS], self._left[PREFILL_TOKENS:]
        self.length += len(part)
        logits = self._decoder.run(self.block, part, self.length)
        return None if self._left else logits[-1]


class OrtDecoder:
    """`view`: an artifact of kind onnx; `lookup` finds the model that an attached adapter shares; `sharing`: a decoder of the
    same model, whose weights in memory serve this one too. Raises StudioError when it can't be loaded, or when its graph
    does not keep rows apart (`serve.rows`)."""

    def __init__(self, view: ArtifactView, lookup: Lookup, sharing: OrtDecoder | None = None) -> None:
        model = lookup(view.facts["base"]) if view.facts.get("base") else view
        config = json.loads((model.path / "genai_config.json").read_text("utf-8"))["model"]
        try:
            self._session: Any = sharing._session if sharing else _session(model.path / config["decoder"]["filename"])
            self._adapter = {} if model is view else _adapter(view.path / ADAPTER_FILE)
        except Exception as error:  # onnxruntime has an exception of its own for each status
            raise StudioError("chat.onnx_load", ref=view.name, reason=str(error).splitlines()[0][:300]) from error
        self._caches = _caches(self._session, config["decoder"])
        self._logits = config["decoder"]["outputs"]["logits"]
        self.context = int(config["context_length"])
        self._bytes = sum(2 * one.heads * one.size * np.dtype(one.dtype).itemsize for one in self._caches) // 2
        self._block: _BLOCK = {}
        self._bindings: dict[int, Any] = {}  # of the block, by number of rows
        self.lengths: list[int] = []
        if not self._caches or not self._apart():
            raise StudioError("serve.rows", model=view.name)

    def bytes_for(self, lengths: Sequence[int]) -> int:
        return _doubled(1, len(lengths)) * self._buffer_length(lengths) * self._bytes

    def prefill(self, ids: Sequence[int], limit: int) -> OrtPrefill:
        return OrtPrefill(self, ids)

    def join(self, prefill: OrtPrefill) -> None:
        self.lengths.append(prefill.length)
        self._fit()
        for name, block in prefill.block.items():
            self._block[name][len(self.lengths) - 1, :, : prefill.length] = block[0, :, : prefill.length]

    def step(self, tokens: Sequence[int]) -> Any:
        self.lengths = [length + 1 for length in self.lengths]
        self._fit()
        rows = len(tokens)
        binding = self._bindings.get(rows) or self._bound(self._block, rows)
        self._bindings[rows] = binding
        return self._run(binding, np.array(tokens, dtype=np.int64)[:, None], self.lengths)[:, 0]

    def drop(self, at: int) -> None:
        last = len(self.lengths) - 1
        if at != last:
            for block in self._block.values():
                block[at, :, : self.lengths[last]] = block[last, :, : self.lengths[last]]
            self.lengths[at] = self.lengths[last]
        self.lengths.pop()
        if not self.lengths:
            self._block, self._bindings = {}, {}

    def new_block(self, rows: int, length: int) -> _BLOCK:
        return {one.past: np.zeros((rows, one.heads, length, one.size), one.dtype) for one in self._caches}

    def logits(self, ids: Sequence[int], last: int = 0) -> Any:
        return self.run(self.new_block(1, len(ids)), ids, len(ids))[-last:]

    def run(self, block: _BLOCK, ids: Sequence[int], length: int) -> Any:
        """Logits [tokens, vocabulary] of `ids`, which end at `length`; `block` takes their keys and values."""
        return self._run(self._bound(block, 1), np.array([ids], dtype=np.int64), [length])[0]

    def _run(self, binding: Any, ids: Any, lengths: Sequence[int]) -> Any:
        mask = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype(np.int64)
        binding.bind_cpu_input("input_ids", ids)
        binding.bind_cpu_input("attention_mask", mask)
        binding.bind_output(self._logits, "cpu")
        self._session.run_with_iobinding(binding)
        return binding.get_outputs()[-1].numpy()  # in the order of binding

    def _bound(self, block: _BLOCK, rows: int) -> Any:
        """Past and present are the same memory: the attention writes in place."""
        binding = self._session.io_binding()
        for one in self._caches:
            array = block[one.past][:rows]
            binding.bind_input(one.past, "cpu", 0, one.dtype, array.shape, array.ctypes.data)
            binding.bind_output(one.present, "cpu", 0, one.dtype, array.shape, array.ctypes.data)
        for name, weights in self._adapter.items():
            binding.bind_ortvalue_input(name, weights)
        return binding

    def _buffer_length(self, lengths: Sequence[int]) -> int:
        """How long the buffer is for rows of these lengths."""
        longest = max(lengths, default=0)
        return max(longest, min(_doubled(SHORTEST, longest), self.context))

    def _fit(self) -> None:
        """Make the buffer as large as the rows need, and smaller when half of its length is empty."""
        rows, length = len(self.lengths), self._buffer_length(self.lengths)
        held = next(iter(self._block.values())).shape if self._block else (0, 0, 0, 0)
        if held[0] >= rows and held[2] // 2 < length <= held[2]:
            return
        for name, block in self.new_block(_doubled(1, rows), length).items():
            if name in self._block:
                old = self._block[name][:rows, :, :length]
                block[: old.shape[0], :, : old.shape[2]] = old
            self._block[name] = block
        self._bindings = {}

    def _apart(self) -> bool:
        """Whether two prompts of different length say the same together as each alone."""
        prompts = [[index % 7 + 3 for index in range(length)] for length in (9, 4)]
        alone = [self.logits(ids, 1)[0] for ids in prompts]
        for ids in prompts:
            prefill = self.prefill(ids[:-1], len(ids))
            prefill.step()
            self.join(prefill)
        together = self.step([ids[-1] for ids in prompts])
        for _ in prompts:
            self.drop(0)
        return all(_alike(left, right) > _MOST_ALIKE for left, right in zip(alone, together, strict=True))


def _session(file: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the front needs the cores, too
    options.log_severity_level = 3  # it would warn of every place for an adapter
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def _adapter(file: Path) -> dict[str, Any]:
    """Inputs of the graph and their weights: a run with bound inputs takes no active adapter."""
    found: dict[str, Any] = onnxruntime.AdapterFormat.read_adapter(str(file)).get_parameters()
    return found


def _caches(session: Any, decoder: dict[str, Any]) -> list[_Cache]:
    """The cache inputs of a graph; none when it has other inputs than ids, mask and cache."""
    inputs = {one.name: one for one in session.get_inputs()}
    outputs = {one.name for one in session.get_outputs()}
    found = []
    for layer in range(int(decoder["num_hidden_layers"])):
        for kind in ("key", "value"):
            past = decoder["inputs"][f"past_{kind}_names"] % layer
            present = decoder["outputs"][f"present_{kind}_names"] % layer
            about = inputs.pop(past, None)
            if about is None or present not in outputs or about.type not in _TYPES or len(about.shape) != 4:
                return []
            found.append(_Cache(past, present, about.shape[1], about.shape[3], _TYPES[about.type]))
    return found if set(inputs) == {"input_ids", "attention_mask"} else []


def _doubled(start: int, least: int) -> int:
    """`start` doubled until it is `least` or more."""
    while start < least:
        start *= 2
    return start


def _alike(left: Any, right: Any) -> float:
    """The cosine of two rows of logits."""
    left, right = left.astype(np.float64), right.astype(np.float64)
    return float(left @ right / (np.linalg.norm(left) * np.linalg.norm(right)))
