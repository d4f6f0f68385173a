"""Rows that are the same after normalising: duplicates, and one input with different answers.

Only 64-bit hashes are kept (24 bytes a row), so that millions of rows can be seen in one pass.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from backend.data.dataset import SPLITS, Row
from backend.data.gates.base import Found, Gate, Options, answer_of, answer_values, block_answers, plain, prompt_text
from backend.data.gates.label_names import label_key
from backend.data.row_blocks import RowBlock

Hashes = np.ndarray[Any, np.dtype[np.uint64]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]
_SPACES = r"^ |  | $|[\x09-\x0d\x1c-\x1f\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]"
"""What `str.split` would change; a text without it stays as it is (RE2)."""
_OF_ANSWER, _OF_REJECTED, _OF_SPLIT, _OF_ROW = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5], np.uint64
)
"""Odd numbers that tell the parts of a sum of hashes apart."""
_NONE = -0x61C8864680B583EB
"""The hash of what is not there."""


def row_key(row: Row) -> str:
    """What a model is given, so that inputs that differ in case, spaces or the form of their accents are the same."""
    text = plain(prompt_text(row))
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def row_keys(block: RowBlock) -> list[str]:
    """`row_key` of each row."""
    prompts = block_prompts(block)
    keys = plain_texts(prompts)
    for at in _not_ascii(prompts):
        keys[at] = unicodedata.normalize("NFKC", keys[at])
    return keys


def block_prompts(block: RowBlock) -> pa.Array:
    """`prompt_text` of each row."""
    return block.inputs if block.bare else block.of_rows(prompt_text)


def plain_texts(texts: pa.Array) -> list[str]:
    """`plain` of each text, "" for null."""
    found = cast(list[str], pc.ascii_lower(pc.fill_null(texts, "")).to_pylist())
    for at in _not_ascii(texts):
        found[at] = found[at].casefold()
    for at in np.flatnonzero(pc.fill_null(pc.match_substring_regex(texts, _SPACES), False)).tolist():
        found[at] = " ".join(found[at].split())
    return found


def _not_ascii(texts: pa.Array) -> list[int]:
    return np.flatnonzero(pc.fill_null(pc.invert(pc.string_is_ascii(texts)), False)).tolist()


def key_hashes(block: RowBlock) -> Hashes:
    """64 bits for each of the `row_keys`."""
    return _hashes(block.once(row_keys))


def _hashes(texts: list[str]) -> Hashes:
    return np.fromiter(map(hash, texts), np.int64, len(texts)).view(np.uint64)


def _by_value(texts: pa.DictionaryArray, make: Callable[[str], int]) -> Hashes:
    """A number for each text, made once for each value."""
    numbers = np.array([*map(make, texts.dictionary.to_pylist()), _NONE], np.int64).view(np.uint64)
    found: Hashes = numbers[texts.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
    return found


def _answer_hashes(block: RowBlock) -> Hashes:
    """Of the answer and the rejected one."""
    answers: Hashes = _by_value(block.once(answer_values), hash)
    if block.bare:
        return answers
    rejected = _by_value(block.of_rows(lambda row: row.rejected).dictionary_encode(), hash)
    answers = answers + rejected * _OF_REJECTED
    return answers


def equal_rows(keys: Hashes) -> tuple[Numbers, Numbers]:
    """(rows, starts): the numbers of rows with equal keys, ascending, group by group; only groups of two or more, by their
    first row. `starts`: where each group begins in `rows`, and at last where the last one ends."""
    found = np.sort(keys)
    twice = found[1:][found[1:] == found[:-1]]
    rows = np.flatnonzero(np.isin(keys, twice)) if len(twice) else np.empty(0, np.int64)
    rows = rows[np.argsort(keys[rows], kind="stable")]
    starts = np.flatnonzero(np.r_[True, np.diff(keys[rows]) != 0]) if len(rows) else rows
    sizes = np.diff(np.r_[starts, len(rows)])
    by_first = np.argsort(rows[starts])
    starts, sizes = starts[by_first], sizes[by_first]
    ends = np.r_[0, np.cumsum(sizes)].astype(np.int64)
    return rows[np.repeat(starts - ends[:-1], sizes) + np.arange(ends[-1])], ends


class Duplicates:
    """Rows with the input and the answer of an earlier one of the same split."""

    def __init__(self, gate: Gate, options: Options) -> None:
        self.gate, self.options = gate, options
        self._keys: list[Hashes] = [np.empty(0, np.uint64)]

    def see_block(self, block: RowBlock) -> None:
        keys = block.once(key_hashes) + block.once(_answer_hashes) * _OF_ANSWER
        self._keys.append(keys + np.uint64(SPLITS.index(block.split)) * _OF_SPLIT)

    def found(self) -> Found | None:
        hits, most, keys = self.options.hits(), self.options.most_listed, np.concatenate(self._keys)
        rows, starts = equal_rows(keys)
        firsts = np.repeat(rows[starts[:-1]], np.diff(starts))
        copies = np.flatnonzero(rows != firsts)
        for at in copies[:most].tolist():
            split, row = self.options.look(int(rows[at]))
            hits.add(split, row.id, row.input, other=self.options.look(int(firsts[at]))[1].id)
        hits.unlisted = len(copies) - len(copies[:most])
        return self.gate.finding("gates.duplicates", hits, len(keys))


class Contradictions:
    """Equal inputs whose labels differ, in any splits; with free answers it is no fault, but said."""

    def __init__(self, gate: Gate, options: Options) -> None:
        self.gate, self.options = gate, options
        self.labels = options.template.answer == "label"
        self._inputs: list[Hashes] = [np.empty(0, np.uint64)]
        self._answers: list[Hashes] = [np.empty(0, np.uint64)]

    def see_block(self, block: RowBlock) -> None:
        answers, keys = block.once(block_answers), block.once(key_hashes)
        if answers.null_count:  # a row without an answer is like no other
            alone = np.arange(block.first, block.first + len(block)).astype(np.uint64) * _OF_ROW
            keys = np.where(pc.is_null(answers).to_numpy(zero_copy_only=False), alone, keys)
        self._inputs.append(keys)
        if self.labels:
            self._answers.append(_by_value(block.once(answer_values), lambda answer: hash(label_key(answer))))
        else:
            self._answers.append(_hashes(plain_texts(answers)))

    def found(self) -> Found | None:
        hits, most, keys = self.options.hits(), self.options.most_listed, np.concatenate(self._inputs)
        rows, first_rows = self._several(keys)
        for number, first in zip(rows[:most].tolist(), first_rows[:most].tolist(), strict=True):
            split, row = self.options.look(number)
            other = self.options.look(first)[1].id if first != number else ""
            hits.add(split, row.id, f"{row.input} → {answer_of(row)}", other=other)
        hits.unlisted = len(rows) - len(rows[:most])
        if self.labels:
            return self.gate.finding("gates.contradictions", hits, len(keys))
        return self.gate.finding("gates.several_answers", hits, len(keys), severity="info")

    def _several(self, keys: Hashes) -> tuple[Numbers, Numbers]:
        """Rows of equal inputs with different answers, and the first row of each."""
        rows, starts = equal_rows(keys)
        if not len(rows):
            return rows, rows
        answers, firsts, sizes = np.concatenate(self._answers)[rows], starts[:-1], np.diff(starts)
        several = np.minimum.reduceat(answers, firsts) != np.maximum.reduceat(answers, firsts)
        return rows[np.repeat(several, sizes)], np.repeat(rows[firsts[several]], sizes[several])
