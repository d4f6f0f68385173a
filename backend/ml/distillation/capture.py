"""A teacher reads rows with their answers; what it holds for likely at every token of an answer goes into shards.

Rows are read in batches of similar length, the beginning that a batch shares once, and the output head runs on the
answers' positions only. A shard that is there is whole, so a stopped capture goes on after the last one.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from backend.core.stage import Context
from backend.data.encoding import IGNORE_INDEX, EncodedExamples
from backend.ml.distillation.shards import Array, TopKBlock, pack, shard_metadata, write_shard
from backend.ml.inference.device import device
from backend.ml.training.checkpoints import explain_disk_full
from backend.ml.training.shared_prefix import answer_hidden_states, head_logits
from backend.training.captures import Layout, fingerprint

_MAX_BATCH_TOKENS = 16_384
"""Upper limit of rows x length of a batch."""
_MAX_LOGITS = 2**24
"""Upper limit of positions x vocabulary that the head computes at once: 67 MB, and a few copies of it."""


@dataclass(frozen=True)
class AnswerRow:
    """One row: its ids, where its answer begins, and its fingerprint."""

    ids: list[int]
    answer_start: int
    row_hash: int

    @property
    def answer(self) -> int:
        """Tokens of the answer, its end of turn included."""
        return len(self.ids) - self.answer_start


@dataclass
class CaptureTotals:
    """Over all positions of some shards: the teacher's negative log-likelihood of the answers, and the mass that was left
    out at the first temperature."""

    loss: float = 0.0
    tail: float = 0.0
    tokens: int = 0

    def add(self, about: dict[str, str]) -> None:
        self.loss += float(about["loss"])
        self.tail += float(about["tail"])
        self.tokens += int(about["tokens"])


def unique_rows(examples: EncodedExamples) -> list[AnswerRow]:
    """The rows to read, the longest first, each once: equal rows have equal probabilities."""
    found: dict[int, AnswerRow] = {}
    for item in examples.items:
        start = item["labels"].count(IGNORE_INDEX)
        row_hash = fingerprint(item["input_ids"], start)
        found.setdefault(row_hash, AnswerRow(item["input_ids"], start, row_hash))
    return sorted(found.values(), key=lambda row: (-len(row.ids), row.row_hash))


class CaptureWriter:
    """`Reader(model, layout, batch_size).read(rows, shard_rows, folder, ctx)` fills the folder with shards."""

    def __init__(self, model: Any, layout: Layout, batch_size: int) -> None:
        self.model = model.to(device())
        self.layout = layout
        self.batch_size = batch_size

    def read(self, rows: list[AnswerRow], shard_rows: int, folder: Path, ctx: Context) -> tuple[CaptureTotals, float]:
        """Write the shards that are missing. Returns the sums over all, and the tokens (prompts too) that were read a
        second, 0 when all shards were there."""
        total, done, read, begun = sum(len(row.ids) for row in rows), 0, 0, time.perf_counter()
        sums = CaptureTotals()
        for number, start in enumerate(range(0, len(rows), shard_rows)):
            part = rows[start : start + shard_rows]
            file = folder / f"shard-{number:05d}.safetensors"
            about = shard_metadata(file)
            if about is None or about["rows"] != _rows_hash(part):
                about = self._shard(part, file, ctx, done, total)
                read += sum(len(row.ids) for row in part)
            elif not read:
                begun = time.perf_counter()
            sums.add(about)
            done += sum(len(row.ids) for row in part)
            ctx.progress(done, total, "reading the answers")
        return sums, read / (time.perf_counter() - begun)

    def _shard(self, rows: list[AnswerRow], file: Path, ctx: Context, done: int, total: int) -> dict[str, str]:
        blocks, loss = [], 0.0
        for batch in _batches(rows, self.batch_size):
            ctx.raise_if_cancelled()
            block, batch_loss = self._block(batch)
            blocks.append(block)
            loss += batch_loss
            done += sum(len(row.ids) for row in batch)
            ctx.progress(done, total, "reading the answers")
        whole = TopKBlock(
            *(np.concatenate([getattr(block, name) for block in blocks]) for name in TopKBlock.__annotations__)
        )
        arrays = pack(whole, self.layout)
        arrays["marks"] = _fingerprints(rows)
        arrays["lengths"] = np.array([row.answer for row in rows], dtype=np.int32)
        tail = float(np.exp(whole.log_tail[:, 0].astype(np.float64)).sum())
        about = {"loss": repr(loss), "tail": repr(tail), "tokens": str(len(whole.ids)), "rows": _rows_hash(rows)}
        with explain_disk_full(file.parent):
            write_shard(file, arrays, about)
        return about

    @torch.inference_mode()
    def _block(self, rows: Sequence[AnswerRow]) -> tuple[TopKBlock, float]:
        hidden, labels = answer_hidden_states(self.model, _collate(rows, self.model.device))
        step = max(1, _MAX_LOGITS // self.model.get_output_embeddings().weight.shape[0])
        pieces: list[tuple[Array, ...]] = []
        loss = 0.0
        for at in range(0, len(labels), step):
            logits, asked = head_logits(self.model, hidden[at : at + step]).float(), labels[at : at + step]
            loss += float(functional.cross_entropy(logits, asked, reduction="sum"))
            pieces.append(tuple(part.cpu().numpy() for part in top_k_logits(logits, asked, self.layout)))
        return TopKBlock(*(np.concatenate(parts) for parts in zip(*pieces, strict=True))), loss


def top_k_logits(logits: torch.Tensor, labels: torch.Tensor, layout: Layout) -> tuple[torch.Tensor, ...]:
    """The arrays of a Block: the k likeliest tokens of each position (the label always among them), their logits below the
    largest, and per temperature the log-normaliser and the logarithm of the mass of the others."""
    values, ids = logits.topk(layout.k, dim=1)
    below = logits - values[:, :1]
    left_out = (ids != labels[:, None]).all(dim=1)
    ids[left_out, -1] = labels[left_out]
    others = below.scatter(1, ids, -torch.inf)
    norms, tails = [], []
    for temperature in layout.temperatures:
        norms.append((below / temperature).logsumexp(dim=1))
        tails.append((others / temperature).logsumexp(dim=1) - norms[-1])
    return ids, below.gather(1, ids), torch.stack(norms, dim=1), torch.stack(tails, dim=1)


def _fingerprints(rows: list[AnswerRow]) -> Array:
    return np.array([row.row_hash for row in rows], dtype=np.int64)


def _rows_hash(rows: list[AnswerRow]) -> str:
    """Tells by which rows a shard was made."""
    return hashlib.sha256(_fingerprints(rows).tobytes()).hexdigest()[:16]


def _batches(rows: list[AnswerRow], size: int) -> list[list[AnswerRow]]:
    """Neighbours, the longest first; long rows in smaller batches."""
    batches, start = [], 0
    while start < len(rows):
        count = max(1, min(size, _MAX_BATCH_TOKENS // len(rows[start].ids)))
        batches.append(rows[start : start + count])
        start += count
    return batches


def _collate(rows: Sequence[AnswerRow], where: Any) -> dict[str, torch.Tensor]:
    ids = [torch.tensor(row.ids) for row in rows]
    labels = [torch.tensor([IGNORE_INDEX] * row.answer_start + row.ids[row.answer_start :]) for row in rows]
    inputs = {
        "input_ids": pad_sequence(ids, batch_first=True),
        "attention_mask": pad_sequence([torch.ones_like(each) for each in ids], batch_first=True),
        "labels": pad_sequence(labels, batch_first=True, padding_value=IGNORE_INDEX),
    }
    return {name: tensor.to(where) for name, tensor in inputs.items()}
