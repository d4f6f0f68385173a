"""The random order of rows: it follows from a seed and from content, not from the place in a file."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.data.near_clusters import MAX_TEXTS


def ranks(seed: int, keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """(n, 2): where each comes in the random order, the smallest first. Beyond 100,000 by arithmetic
    (splitmix64, Steele et al. 2014)."""
    if len(keys) > MAX_TEXTS:
        with np.errstate(over="ignore"):
            start = np.uint64(int(rank(seed, "")[:16], 16))
            return np.stack([_mixed(keys[:, 0] ^ start), keys[:, 1]], axis=1)
    digests = [bytes.fromhex(rank(seed, f"{high:016x}{low:016x}")) for high, low in keys.tolist()]
    return np.frombuffer(b"".join(digests), ">u8").astype(np.uint64).reshape(-1, 2)


def _mixed(values: NDArray[np.uint64]) -> NDArray[Any]:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def rank(seed: int, text: str) -> str:
    """Where a text comes in the random order: 32 hexadecimal digits."""
    return hashlib.blake2b(f"{seed}\x1f{text}".encode(), digest_size=16).hexdigest()


def shuffled_places(content: NDArray[np.uint64], seed: int) -> NDArray[np.int64]:
    """The rows (by place) in the random order; equal ones in that of the file. `content`: (rows, 2) fingerprints."""
    found = ranks(seed, content)
    return np.lexsort((found[:, 1], found[:, 0]))
