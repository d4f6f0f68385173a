"""The shards of a capture: a teacher's likeliest tokens per position, packed. Numpy only.

A value is the logit of a token minus the largest logit of its position, so it is at most 0 and needs no temperature:
log p_T = value / T - log_norm_T. Stored in 32 bits as it is; in 16 bits as a half (relative error 2^-11); in 8 bits as
n = round(255 sqrt(value / -reach)), which is finest where the probability is largest. With u = sqrt(value / -reach)
the error of an 8-bit value is at most reach (2 u + 1/510) / 510.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save

from backend.training.captures import Layout

Array = npt.NDArray[Any]
_WIDTHS: dict[int, type[np.generic]] = {2: np.uint16, 4: np.uint32}
MIN_LOGIT = -100.0
"""Values below it stand at it: e^-100 is no probability that anybody would miss."""


@dataclass(frozen=True)
class TopKBlock:
    """Positions of some rows, one after the other. `ids`, `values`: (positions, k); `log_norm`, `log_tail`: (positions,
    temperatures), the latter -inf where nothing is left out."""

    ids: Array
    values: Array
    log_norm: Array
    log_tail: Array


def pack(block: TopKBlock, layout: Layout) -> dict[str, Array]:
    """The arrays of a shard, in the widths of `layout`."""
    values: Array = np.clip(block.values.astype(np.float32), MIN_LOGIT, 0)
    packed: dict[str, Array] = {
        "ids": _pack_ids(block.ids, layout.id_bytes),
        "log_norm": block.log_norm.astype(np.float32),
        "log_tail": block.log_tail.astype(np.float16),
    }
    if layout.value_bits == 8:
        packed["reach"] = _half_above(-values.min(axis=1, keepdims=True, initial=-1e-3))
        packed["values"] = np.rint(255 * np.sqrt(-values / packed["reach"].astype(np.float32))).astype(np.uint8)
    else:
        packed["values"] = values.astype(np.float16 if layout.value_bits == 16 else np.float32)
    return packed


def unpack(packed: dict[str, Array], rows: slice = slice(None)) -> TopKBlock:
    """The positions `rows` of a shard."""
    values: Array = packed["values"][rows].astype(np.float32)
    if packed["values"].dtype == np.uint8:
        values = -packed["reach"][rows].astype(np.float32) * (values / 255) ** 2
    return TopKBlock(
        ids=_unpack_ids(packed["ids"][rows]),
        values=values,
        log_norm=packed["log_norm"][rows],
        log_tail=packed["log_tail"][rows].astype(np.float32),
    )


def write_shard(file: Path, arrays: dict[str, Array], about: dict[str, str]) -> None:
    """Write atomically, with `about` as metadata: a shard that is there is whole."""
    partial = file.with_name(f".{file.name}.partial")
    with partial.open("wb") as stream:
        stream.write(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, metadata=about))
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(file)


def read_shard(file: Path) -> dict[str, Array]:
    """All arrays of a shard. Raises SafetensorError when it is damaged."""
    arrays: dict[str, Array] = load(file.read_bytes())
    return arrays


def shard_metadata(file: Path) -> dict[str, str] | None:
    """The metadata of a shard, None when it is not there or damaged."""
    try:
        with safe_open(str(file), framework="numpy") as shard:  # type: ignore[no-untyped-call]
            return dict(shard.metadata())
    except (FileNotFoundError, SafetensorError):
        return None


def _half_above(numbers: Array) -> Array:
    """The next half that is not below."""
    half = numbers.astype(np.float16)
    return np.where(half.astype(np.float32) < numbers, np.nextafter(half, np.float16(np.inf)), half)


def _pack_ids(ids: Array, width: int) -> Array:
    if width == 3:
        plain = ids.astype("<u4")
        return np.ascontiguousarray(plain).view(np.uint8).reshape(*plain.shape, 4)[..., :3]
    return ids.astype(_WIDTHS[width])


def _unpack_ids(ids: Array) -> Array:
    if ids.ndim == 3:
        wide = np.zeros((*ids.shape[:2], 4), dtype=np.uint8)
        wide[..., :3] = ids
        return wide.view("<u4")[..., 0].astype(np.int64)
    return ids.astype(np.int64)
