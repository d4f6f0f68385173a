"""Rows that are the same after normalising: duplicates, and one input with different answers.

Only 64-bit hashes are kept (16 bytes a row), so that millions of rows can be seen in one pass.
"""

from __future__ import annotations

import unicodedata
from array import array
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from backend.data.dataset import Row
from backend.data.gates.base import Found, Gate, Options, answer_of, plain, prompt_text
from backend.data.gates.label_names import label_key


def row_key(row: Row) -> str:
    """What a model is given, so that inputs that differ in case, spaces or the form of their accents are the same."""
    return _same(prompt_text(row))


@lru_cache(maxsize=1)  # two gates ask of one row
def _same(prompt: str) -> str:
    text = plain(prompt)
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


class _Hashes:
    """A 64-bit hash for each row that was seen."""

    def __init__(self) -> None:
        self.values = array("q")

    def groups(self) -> Iterator[list[int]]:
        """The numbers of rows with equal hashes, ascending; only groups of two or more, by their first row."""
        found = np.frombuffer(self.values, dtype=np.int64) if self.values else np.empty(0, np.int64)
        order = np.argsort(found, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(found[order]) != 0]) if len(found) else np.empty(0, np.int64)
        sizes = np.diff(np.r_[starts, len(found)])
        several = np.flatnonzero(sizes > 1)
        for at in several[np.argsort(order[starts[several]])]:  # millions of groups are not held as objects
            yield order[starts[at] : starts[at] + sizes[at]].tolist()


class Duplicates:
    """Rows with the input and the answer of an earlier one of the same split."""

    def __init__(self, gate: Gate, options: Options) -> None:
        self.gate, self.options = gate, options
        self._hashes = _Hashes()

    def see(self, split: str, row: Row, text: str) -> None:
        self._hashes.values.append(hash((split, row_key(row), answer_of(row), row.rejected)))

    def found(self) -> Found | None:
        hits = self.options.hits()
        for first, *copies in self._hashes.groups():
            other = self.options.look(first)[1].id
            for number in copies:
                split, row = self.options.look(number)
                hits.add(split, row.id, row.input, other=other)
        return self.gate.finding("gates.duplicates", hits, len(self._hashes.values))


class Contradictions:
    """Equal inputs whose labels differ, in any splits; with free answers it is no fault, but said."""

    def __init__(self, gate: Gate, options: Options) -> None:
        self.gate, self.options = gate, options
        self.labels = options.template.answer == "label"
        self._inputs, self._answers = _Hashes(), array("q")
        self._keys: dict[str, int] = {}

    def see(self, split: str, row: Row, text: str) -> None:
        answer = answer_of(row)
        if answer is None:
            key = hash(row.id)
            self._inputs.values.append(key)
            self._answers.append(0)
            return
        self._inputs.values.append(hash((row_key(row), 0)))
        self._answers.append(self._answer(answer))

    def _answer(self, answer: str) -> int:
        if not self.labels:
            return hash(plain(answer))
        known = self._keys.get(answer)
        if known is None:
            known = self._keys[answer] = hash(label_key(answer))
        return known

    def found(self) -> Found | None:
        hits = self.options.hits()
        answers = self._answers
        for numbers in self._inputs.groups():
            if len({answers[number] for number in numbers}) < 2:
                continue
            first = self.options.look(numbers[0])[1]
            for number in numbers:
                split, row = self.options.look(number)
                hits.add(split, row.id, f"{row.input} → {answer_of(row)}", other=first.id if row is not first else "")
        if self.labels:
            return self.gate.finding("gates.contradictions", hits, len(answers))
        return self.gate.finding("gates.several_answers", hits, len(answers), severity="info")
