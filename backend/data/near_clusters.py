"""Which texts belong together because they are nearly the same: clusters of all near duplicates at once, exact and fast.

Two texts are near duplicates when the Jaccard index of their character trigrams, or that of their sets of words, reaches the
threshold; a cluster is what is connected by such pairs (single linkage). The search is exact. Pairs that can't reach the
threshold are passed over by prefix filter, length filter and position filter (AllPairs, Bayardo et al. 2007; PPJoin, Xiao et
al. 2008) and by signatures of 256 to 2,048 bits: each bit in which two differ is at least one piece that only one of them has.
Pairs that are in one cluster already are passed over, too.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backend.data.near_duplicates import character_runs, normalised

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Labels = NDArray[np.int32]
"""The cluster of each text: texts of one number belong together."""
MAX_TEXTS = 100_000
"""More texts are not compared here."""
MAX_PIECES = 60_000_000
"""Trigrams of all texts: 240 MB of numbers."""
MAX_PAIRS = 1_000_000_000
"""Pairs that are looked at, filters included: about half a minute."""
_PAIRS_AT_ONCE = 1_000_000
_PIECES_AT_ONCE = 4_000_000
_TEXTS_AT_ONCE = 10_000
_SIGNATURE_BITS = 8, 11
"""Powers of two: at least, at most."""
_WORDS_AT_ONCE = 4
_EXACT = 1e-9


class TooLarge(Exception):
    """The texts are too many, too long or too much alike to be compared in reasonable time."""


def near_clusters(texts: Sequence[str], threshold: float, each: Callable[[float], None] = lambda done: None) -> Labels:
    """The cluster of each text. 0 < `threshold` <= 1; `each` is called with the share that is done, 0 to 1. Raises TooLarge."""
    plain = [normalised(text) for text in texts]
    known: dict[str, int] = {}
    at = np.fromiter((known.setdefault(text, len(known)) for text in plain), np.int64, len(plain))
    if len(known) > MAX_TEXTS:
        raise TooLarge
    clusters = np.arange(len(known), dtype=np.int32)
    if threshold < 1:
        clusters = _joined(known, character_runs, threshold, clusters, lambda done: each(done / 2))
        clusters = _joined(known, _words, threshold, clusters, lambda done: each((1 + done) / 2))
    return clusters[at]


def _words(plain: str) -> list[str]:
    return plain.split() or [plain]


def merged(clusters: Labels, one: NDArray[Any], two: NDArray[Any]) -> Labels:
    """The clusters after those of the texts `one[i]` and `two[i]` have become one, for every i."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(one):
        return clusters
    size = int(clusters.max()) + 1
    ends = np.ones(len(one), np.int8), (clusters[one], clusters[two])
    found: NDArray[Any] = connected_components(coo_array(ends, shape=(size, size)), directed=False)[1]
    return found[clusters]


def _joined(
    texts: Iterable[str],
    pieces: Callable[[str], Iterable[str]],
    threshold: float,
    clusters: Labels,
    each: Callable[[float], None],
) -> Labels:
    """`clusters` after texts that are alike by one kind of pieces were joined."""
    sets = _PieceSets.of(texts, pieces)
    clusters = clusters[sets.order]
    for done, one, two in _pairs(sets, threshold):
        apart = clusters[one] != clusters[two]
        one, two = sets.alike(one[apart], two[apart], threshold)
        clusters = merged(clusters, one, two)
        each(done)
    found = np.empty_like(clusters)
    found[sets.order] = clusters
    return found


@dataclass
class _PieceSets:
    """The texts from the one with the fewest pieces to that with the most. `matrix`: texts x pieces, the rarest piece first;
    `sizes`: pieces of each; `order`: the text's place in what was given; `signatures`: texts x words of 64 bits."""

    matrix: csr_array
    sizes: NDArray[np.int64]
    order: NDArray[np.int64]
    signatures: NDArray[np.uint64]

    @classmethod
    def of(cls, texts: Iterable[str], pieces: Callable[[str], Iterable[str]]) -> _PieceSets:
        from scipy.sparse import csr_array

        vocabulary: dict[str, int] = {}
        found, starts = array("i"), array("q", [0])
        for text in texts:
            found.extend({vocabulary.setdefault(piece, len(vocabulary)) for piece in pieces(text)})
            starts.append(len(found))
            if len(found) > MAX_PIECES:
                raise TooLarge
        ids = np.frombuffer(found, np.int32)
        rank = np.empty(len(vocabulary), np.int32)
        rank[np.argsort(np.bincount(ids, minlength=len(vocabulary)), kind="stable")] = np.arange(len(vocabulary))
        indptr = np.frombuffer(starts, np.int64)
        shape = (len(indptr) - 1, len(vocabulary))
        order = np.argsort(np.diff(indptr), kind="stable")
        matrix = csr_array((np.ones(len(ids), np.int8), rank[ids], indptr), shape=shape)[order]
        matrix.sort_indices()
        return cls(matrix, np.diff(matrix.indptr).astype(np.int64), order, _signatures(matrix))

    def alike(
        self, one: NDArray[Any], two: NDArray[Any], threshold: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Those of the pairs that reach the threshold."""
        if not len(one):
            return one, two
        keys = np.unique(one * len(self.sizes) + two)
        one, two = np.divmod(keys, len(self.sizes))
        ends = np.cumsum(self.sizes[one] + self.sizes[two]) // _PIECES_AT_ONCE
        shared = [
            self.matrix[one[part]].astype(np.int32).multiply(self.matrix[two[part]]).sum(axis=1)
            for part in np.split(np.arange(len(one)), np.flatnonzero(np.diff(ends)) + 1)
        ]
        common = np.concatenate(shared)
        enough = common >= threshold * (self.sizes[one] + self.sizes[two] - common) - _EXACT
        return one[enough], two[enough]


def _signatures(matrix: csr_array) -> NDArray[np.uint64]:
    """About four bits for each piece that a text has on average; a piece sets the one that its number is hashed to."""
    least, most = _SIGNATURE_BITS
    power = min(most, max(least, int(4 * matrix.nnz / max(1, matrix.shape[0])).bit_length()))
    packed = np.empty((matrix.shape[0], (1 << power) // 8), np.uint8)
    for start in range(0, matrix.shape[0], _TEXTS_AT_ONCE):
        block = matrix[start : start + _TEXTS_AT_ONCE]
        bits = np.zeros((block.shape[0], 1 << power), bool)
        texts = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
        bits[texts, (block.indices.astype(np.uint32) * np.uint32(2654435761)) >> np.uint32(32 - power)] = True
        packed[start : start + len(bits)] = np.packbits(bits, axis=1)
    return packed.view(np.uint64)


@dataclass
class _Entries:
    """The rare pieces of all texts, by piece, then by text: `text`, and `place` of the piece in it. `last`: where the texts
    end that are not too long for this one and have the piece, too; `leads`: whether a pair may begin with this entry."""

    text: NDArray[np.int64]
    place: NDArray[np.int64]
    last: NDArray[np.int64]
    leads: NDArray[np.bool_]


def _entries(sets: _PieceSets, threshold: float) -> _Entries:
    sizes, count = sets.sizes, len(sets.sizes)
    kept = sizes - np.ceil(threshold * sizes - _EXACT).astype(np.int64) + 1
    text = np.repeat(np.arange(count), kept)
    place = np.arange(len(text)) - np.repeat(np.cumsum(kept) - kept, kept)
    piece = sets.matrix.indices[sets.matrix.indptr[text] + place].astype(np.int64)
    order = np.argsort(piece, kind="stable")
    text, place, piece = text[order], place[order], piece[order]
    too_long = np.searchsorted(sizes, np.floor(sizes / threshold + _EXACT).astype(np.int64), "right")
    last = np.searchsorted(piece * (count + 1) + text, piece * (count + 1) + too_long[text])
    leading = sizes - np.ceil(2 * threshold / (1 + threshold) * sizes - _EXACT).astype(np.int64) + 1
    return _Entries(text, place, last, place < leading[text])


def _pairs(sets: _PieceSets, threshold: float) -> Iterable[tuple[float, NDArray[np.int64], NDArray[np.int64]]]:
    """(share that is done, texts, texts): pairs that may reach the threshold, by and by; one may come twice."""
    entries = _entries(sets, threshold)
    first = np.flatnonzero(entries.leads)
    partners = np.maximum(entries.last[first] - first - 1, 0)
    ends = np.cumsum(partners)
    if not len(ends) or ends[-1] > MAX_PAIRS:
        if len(ends):
            raise TooLarge
        return
    for part in np.split(np.arange(len(first)), np.flatnonzero(np.diff(ends // _PAIRS_AT_ONCE)) + 1):
        counts = partners[part]
        left = np.repeat(first[part], counts)
        right = left + 1 + np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts)
        one, two = entries.text[left], entries.text[right]
        needed = threshold / (1 + threshold) * (sets.sizes[one] + sets.sizes[two]) - _EXACT
        rest = np.minimum(sets.sizes[one] - entries.place[left], sets.sizes[two] - entries.place[right])
        one, two, needed = (values[rest >= needed] for values in (one, two, needed))
        near = _may_be_near(sets.signatures, one, two, sets.sizes[one] + sets.sizes[two] - 2 * needed)
        yield float(ends[part[-1]] / max(1, ends[-1])), one[near], two[near]


def _may_be_near(
    signatures: NDArray[np.uint64], one: NDArray[Any], two: NDArray[Any], allowed: NDArray[np.float64]
) -> NDArray[np.int64]:
    """The places of the pairs whose signatures differ in no more bits than they are `allowed` to differ in pieces."""
    left = np.arange(len(one))
    differing = np.zeros(len(one), np.int64)
    for at in range(0, signatures.shape[1], _WORDS_AT_ONCE):
        part = signatures[:, at : at + _WORDS_AT_ONCE]
        differing += np.bitwise_count(part[one[left]] ^ part[two[left]]).sum(axis=1, dtype=np.int64)
        near = differing <= allowed[left]
        left, differing = left[near], differing[near]
    return left
