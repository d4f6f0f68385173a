"""What several tests share: views of artifacts, a tiny real model, a tiny dataset."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from backend.core.errors import Problem
from backend.core.schemas import ArtifactView, Kind
from backend.data.dataset import Row, Template, write_split, write_template
from backend.data.facts import data_facts

T = TypeVar("T")
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def view(path: Path, kind: Kind | str, id: str = "a1", parents: list[str] | None = None, **facts: Any) -> ArtifactView:
    """An ArtifactView of a folder that is not in a store."""
    return ArtifactView(
        id=id,
        kind=Kind(kind),
        name=id,
        project="p",
        path=path,
        facts=facts,
        parents=parents or [],
        size_bytes=1,
        license="Apache-2.0",
        digest=id,
        job_id=None,
        created=datetime.now(UTC),
    )


PATIENCE = 60.0
"""Seconds within which anything has to happen, on a busy machine too: only a test that fails waits for so long."""


def until(condition: Callable[[], T], about: Callable[[], object] = lambda: "") -> T:
    """Poll until `condition` holds; its value. `about` tells what there is instead."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {PATIENCE} s: {about()}")


def in_loop(work: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` in a thread of its own: the browser of other tests keeps a loop in the main thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def tiny_dataset(folder: Path, rows: int = 60) -> Path:
    """A label task that a model of a few thousand weights can learn: the colour named in the sentence."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = ["red", "green", "blue"]
    made = [Row(id=str(n), input=f"{labels[n % 3]} item {n}", output=labels[n % 3]) for n in range(rows)]
    write_template(folder, Template(system="Name the colour.", answer="label", labels=labels))
    for split, part in (("train", made[: rows // 2]), ("validation", made[rows // 2 : rows * 3 // 4])):
        write_split(folder, split, part)
    write_split(folder, "test", made[rows * 3 // 4 :])
    pool = [Row(id=f"p{n}", input=f"{labels[n % 3]} thing {n}", gold=labels[n % 3]) for n in range(12)]
    write_split(folder, "pool", pool)
    return folder


def blocking(problems: Iterable[Problem]) -> list[Problem]:
    """Without the hints."""
    return [problem for problem in problems if problem.blocking]


def dataset_view(folder: Path, id: str = "dataset-d1") -> ArtifactView:
    return view(folder, Kind.DATASET, id, **data_facts(folder))


def build_tiny_model(folder: Path, hidden: int = 32, layers: int = 2, texts: Sequence[str] = ()) -> Path:
    """A random Llama (vocabulary 1,024) with a byte-level BPE trained on the spot, also on `texts`; pad == eos as in
    SmolLM2."""
    import torch
    from tokenizers import Tokenizer
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer.from_str(_trained_tokenizer(tuple(texts)))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|im_end|>"
    )
    fast.chat_template = CHATML
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=1024,
        hidden_size=hidden,
        intermediate_size=hidden * 2,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


@cache
def _trained_tokenizer(texts: tuple[str, ...]) -> str:
    """As JSON; training takes longer than making the model."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=1024, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    words = ["red", "green", "blue", "item", "thing", "colour", "system", "user", "assistant"]
    corpus = [f"{a} {b} {n} Name the {c}." for a in words for b in words for c in words for n in range(4)]
    tokenizer.train_from_iterator([*corpus, *texts], trainer)
    return tokenizer.to_str()


def model_view(folder: Path, id: str = "model-m1") -> ArtifactView:
    """A view of a full model folder with the facts that stages ask for."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    facts = {
        "parameters": 1024 * config["hidden_size"],
        "layers": config["num_hidden_layers"],
        "hidden_size": config["hidden_size"],
        "vocabulary": config["vocab_size"],
        "context": config["max_position_embeddings"],
        "architecture": config["model_type"],
        "tied": True,
        "format": "torch",
        "precision": "fp32",
    }
    return view(folder, Kind.MODEL, id, **facts)
