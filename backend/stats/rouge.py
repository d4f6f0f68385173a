"""ROUGE-1, ROUGE-2 and ROUGE-L, each as F-measure of one pair of texts (Lin 2004, "ROUGE: a package for automatic evaluation of
summaries").

Ours and not the package rouge-score (0.1.2 of 2022): that one is no longer kept, pulls nltk and absl-py, and its tokenizer
drops every letter outside a-z, so that its main part had to be replaced anyway. The figures are the same for the same words,
without stemming; a test holds them. The longest common subsequence is counted in bits (Hyyrö 2004, "Bit-parallel
LCS-length computation revisited").
"""

from __future__ import annotations

from collections import Counter

from backend.stats.token_f1 import words


def rouge_1(expected: str, given: str) -> float:
    return _ngram_f(words(expected), words(given), 1)


def rouge_2(expected: str, given: str) -> float:
    return _ngram_f(words(expected), words(given), 2)


def rouge_l(expected: str, given: str) -> float:
    gold, said = words(expected), words(given)
    return _f(_common_length(gold, said), len(gold), len(said))


def _ngram_f(gold: list[str], said: list[str], n: int) -> float:
    one, other = (Counter(zip(*(each[at:] for at in range(n)), strict=False)) for each in (gold, said))
    return _f((one & other).total(), one.total(), other.total())


def _f(shared: int, gold: int, said: int) -> float:
    return 2 * shared / (gold + said) if gold and said else 0.0


def _common_length(gold: list[str], said: list[str]) -> int:
    places: dict[str, int] = {}
    for at, word in enumerate(gold):
        places[word] = places.get(word, 0) | 1 << at
    full = row = (1 << len(gold)) - 1
    for word in said:
        there = row & places.get(word, 0)
        row = ((row + there) | (row - there)) & full
    return len(gold) - row.bit_count()
