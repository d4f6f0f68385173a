"""A tiny random model and its INT4 conversion by the quantize stage, made once per test session."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.schemas import ArtifactView, Kind
from backend.data.dataset import DataFolder, write_template
from backend.jobs.context import MemoryContext
from backend.stages.quantize import QuantizeParams, QuantizeResult, run
from tests.helpers import build_tiny_model, model_view, tiny_dataset


def build_lively_model(folder: Path, hidden: int = 32, scale: float = 25.0) -> Path:
    """A random model with large weights that says words: one with small weights repeats the last token of its prompt for
    ever, and most single tokens are half a character or nothing."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM

    build_tiny_model(folder, hidden=hidden, layers=3)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        for weights in model.model.layers.parameters():
            weights.mul_(scale if weights.dim() == 2 else 1)
        vocabulary = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab()
        words = [
            at for word, at in vocabulary.items() if len(word) > 1 and word.lstrip("Ġ").isalnum() and word.isascii()
        ]
        words += [at for word, at in vocabulary.items() if word.startswith("Ġ") and len(word) > 1]
        loud = torch.full((model.config.vocab_size, 1), 0.1)
        loud[words] = 1.0
        model.model.embed_tokens.weight.mul_(loud)
    model.save_pretrained(folder)
    return folder


SCALE = 6.0
CONTEXT = 60_000
"""Tokens that the model of `build_onnx` reads and says."""


def build_onnx(folder: Path, hidden: int = 64) -> Path:
    """A tiny random model for ONNX Runtime GenAI that can talk for many seconds without a stop; a larger `hidden` talks
    more slowly."""
    from onnxruntime_genai.models.builder import create_model

    model = build_lively_model(folder / "model", hidden=hidden, scale=SCALE)
    config = json.loads((model / "config.json").read_text("utf-8"))
    (model / "config.json").write_text(json.dumps({**config, "max_position_embeddings": CONTEXT}), "utf-8")
    made, cache = str(folder / "onnx"), str(folder / "cache")
    create_model(None, str(model), made, "fp32", "cpu", cache, hf_remote="false", hf_token="false")
    return folder / "onnx"


_MADE: dict[str, Any] = {}


class Converted:
    """`torch` and `onnx`: views of the same model before and after; `result` and `events` of the stage."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        root = factory.mktemp("converted")
        folder = build_lively_model(root / "model", hidden=64, scale=SCALE)
        (folder / "LICENSE").write_text("Apache License", encoding="utf-8")
        (folder / "NOTICE").write_text("Sentences by somebody", encoding="utf-8")
        self.data = tiny_dataset(root / "data")
        write_template(folder, DataFolder(self.data).template)
        self.torch = model_view(folder)
        ctx = MemoryContext(root / "job", [self.torch])
        self.result: QuantizeResult = run(QuantizeParams(model=self.torch.id, block_size=32), ctx)
        self.events = ctx.events
        sealed = next(event for event in ctx.events if event["event"] == "artifact")
        self.onnx: ArtifactView = self.torch.model_copy(
            update={
                "id": self.result.artifact,
                "kind": Kind.ONNX,
                "name": sealed["manifest"]["name"],
                "path": ctx.order.artifacts / "onnx" / self.result.artifact,
                "facts": sealed["manifest"]["facts"],
                "parents": sealed["manifest"]["parents"],
                "size_bytes": sealed["manifest"]["size_bytes"],
            }
        )


def converted(factory: pytest.TempPathFactory) -> Converted:
    if "it" not in _MADE:
        _MADE["it"] = Converted(factory)
    made: Converted = _MADE["it"]
    return made
