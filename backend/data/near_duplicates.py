"""Which texts are nearly the same, and how varied texts are. No model, no dependency, any language.

Two texts are compared by the Jaccard index of their character trigrams, case, punctuation and spacing aside. The
search is exact: texts at least `t` alike share one of the `n - ceil(t n) + 1` rarest of their n pieces (prefix filter,
Bayardo et al. 2007), so only those are looked up.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import ceil

MAX_CHARS = 5_000
"""A longer text is compared by its beginning."""
_WORD = re.compile(r"\w+")
_NGRAM = 3


def words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def normalised(text: str) -> str:
    """The words of the text's beginning with one space between them; a text without words as it is."""
    return " ".join(words(text[:MAX_CHARS])) or text[:MAX_CHARS].strip()


def trigrams(text: str) -> frozenset[str]:
    """Every run of three characters of the words, a space around them; a text without words is its own piece."""
    return character_runs(normalised(text))


def character_runs(plain: str) -> frozenset[str]:
    """The trigrams of a text that is `normalised`."""
    padded = f" {plain} "
    return frozenset(padded[at : at + _NGRAM] for at in range(max(1, len(padded) - _NGRAM + 1)))


class NearDuplicateIndex:
    """Finds among the texts that were added one that is alike. `threshold` 0 < t <= 1; `texts`: those that will be added,
    as far as they are known, to learn which pieces are rare (it only makes the search faster)."""

    def __init__(self, threshold: float, texts: Iterable[str] = ()) -> None:
        self.threshold = threshold
        seen: Counter[str] = Counter(piece for text in texts for piece in trigrams(text))
        self._rank = {piece: at for at, (piece, _) in enumerate(sorted(seen.items(), key=lambda item: item[::-1]))}
        self._postings: dict[tuple[str, int], list[int]] = defaultdict(list)
        self._names: list[str] = []
        self._ranked: list[array[int]] = []

    def add(self, name: str, text: str, group: str = "") -> None:
        """Only texts of one group are compared."""
        ranked = self._sorted(text)
        for rank in ranked[: self._prefix(len(ranked))]:
            self._postings[group, rank].append(len(self._names))
        self._names.append(name)
        self._ranked.append(ranked)

    def find(self, text: str, group: str = "") -> tuple[str, float] | None:
        """(name, Jaccard index) of the most similar text, None when none reaches the threshold."""
        ranked = self._sorted(text)
        mine = set(ranked)
        best: tuple[str, float] | None = None
        met: set[int] = set()
        for rank in ranked[: self._prefix(len(ranked))]:
            met.update(self._postings.get((group, rank), ()))
        for at in sorted(met):
            other = self._ranked[at]
            if min(len(other), len(mine)) < self.threshold * max(len(other), len(mine)):
                continue
            shared = sum(rank in mine for rank in other)
            alike = shared / (len(mine) + len(other) - shared)
            if alike >= self.threshold - 1e-9 and (best is None or alike > best[1]):
                best = self._names[at], alike
        return best

    def _prefix(self, count: int) -> int:
        return count - ceil(self.threshold * count - 1e-9) + 1

    def _sorted(self, text: str) -> array[int]:
        """Its pieces by rank, the rarest first; one that was never seen before is rarer than all."""
        return array("l", sorted(self._rank.setdefault(piece, -1 - len(self._rank)) for piece in trigrams(text)))


def near_duplicate_share(texts: Sequence[str], threshold: float) -> float:
    """Share of the texts that an earlier one is at least `threshold` like."""
    known = NearDuplicateIndex(threshold, texts)
    found = 0
    for at, text in enumerate(texts):
        if known.find(text):
            found += 1
        else:
            known.add(str(at), text)
    return found / max(1, len(texts))


def distinct_n(texts: Iterable[str], n: int) -> float:
    """Distinct-n (Li et al. 2016): different runs of n words over all runs; 1 means that none comes twice."""
    total, seen = 0, set()
    for text in texts:
        found = words(text)
        for at in range(len(found) - n + 1):
            seen.add(tuple(found[at : at + n]))
            total += 1
    return len(seen) / total if total else 0.0
