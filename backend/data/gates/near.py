"""Near copies within a split, and what is known of a measuring split from another one.

Texts are kept in Arrow's memory, and beside them 16 to 40 bytes a row.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from backend.data.dataset import SPLITS, Row
from backend.data.gates.base import EXAMPLES, MEASURING, Found, FoundRow, Gate, Hits, Options, output_values
from backend.data.gates.label_names import label_key
from backend.data.gates.near_pairs import copies_between, near_copies, search_every
from backend.data.gates.same_rows import Hashes, Numbers, block_prompts, key_hashes, row_keys
from backend.data.gates.sketches import TextColumn
from backend.data.row_blocks import RowBlock

_PARAGRAPH_CHARS = 200
_SHARED_BY = 0.1
"""A paragraph that this share of the rows has is an instruction, not a context of its own."""


class _Seen:
    """Rows whose inputs are compared: `ids`; `keys`, equal where inputs are the same; and `splits`, places in SPLITS."""

    def __init__(self) -> None:
        self._ids: list[pa.Array] = []
        self._keys: list[Hashes] = [np.empty(0, np.uint64)]
        self._splits: list[np.ndarray[Any, np.dtype[np.int8]]] = [np.empty(0, np.int8)]

    def add(self, block: RowBlock) -> None:
        self._ids.append(block.ids)
        self._keys.append(block.once(key_hashes))
        self._splits.append(np.full(len(block), SPLITS.index(block.split), np.int8))

    @cached_property
    def ids(self) -> TextColumn:
        """When all rows were added."""
        return TextColumn(self._ids)

    @property
    def keys(self) -> Hashes:
        return np.concatenate(self._keys)

    @property
    def splits(self) -> np.ndarray[Any, np.dtype[np.int8]]:
        return np.concatenate(self._splits)


class NearDuplicates:
    """Rows whose input is nearly that of an earlier one of the same split, with the same label. Exact copies have their own
    gate and are left out. With free answers only the inputs are compared."""

    def __init__(self, gate: Gate, options: Options) -> None:
        self.gate, self.options = gate, options
        self.labels = options.template.answer == "label"
        self._seen, self._texts = _Seen(), list[pa.Array]()
        self._groups: list[np.ndarray[Any, np.dtype[np.int32]]] = [np.empty(0, np.int32)]
        self._codes: dict[str, int] = {}

    def see_block(self, block: RowBlock) -> None:
        self._seen.add(block)
        self._texts.append(block_prompts(block))
        found = block.once(output_values) if self.labels else pa.array([""] * len(block)).dictionary_encode()
        names = [label_key(name) for name in found.dictionary.to_pylist()]
        codes = np.array([*(self._codes.setdefault(name, len(self._codes)) for name in names), -1], np.int32)
        self._groups.append(codes[found.indices.fill_null(-1).to_numpy(zero_copy_only=False)])

    def found(self) -> Found | None:
        splits = self._seen.splits
        keys = self._seen.keys + splits.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        numbers = np.sort(np.unique(keys, return_index=True)[1])
        first = np.zeros(len(keys), bool)
        first[numbers] = True
        groups = (np.concatenate(self._groups)[numbers] * len(SPLITS) + splits[numbers]).tolist()
        texts, hits = TextColumn(self._texts).where(first), Hits()
        every = search_every(len(keys))
        for one, other, alike in near_copies(texts, groups, self.options.threshold, self.options.tick, every):
            at, earlier = int(numbers[one]), int(numbers[other])
            _add(hits, SPLITS[splits[at]], at, earlier, f"{alike:.2f}", self._seen, self.options)
        args = {"threshold": f"{self.options.threshold:g}"}
        return self.gate.finding("gates.near_duplicates", hits, len(keys), args)


class Leaks:
    """Rows of validation and test that training rows give away: the same input, a near copy, a context or a conversation that
    both have; and rows of the test that validation gives away."""

    def __init__(self, gate: Gate, options: Options) -> None:
        self.gate, self.options = gate, options
        self._seen, self._texts = _Seen(), list[pa.Array]()
        self._contexts, self._owners = array("q"), array("q")

    def see_block(self, block: RowBlock) -> None:
        self._seen.add(block)
        self._texts.append(pa.array(block.once(row_keys), pa.string()))
        if block.split == "pool":
            return
        for at, contexts in _block_contexts(block):
            self._contexts.extend(contexts)
            self._owners.extend([block.first + at] * len(contexts))

    def found(self) -> Found | None:
        known, hits = _Known(self._seen, self._texts, self._contexts, self._owners, self.options), Hits()
        kinds = dict.fromkeys(("same", "near", "context"), 0)
        for split, sources in ((MEASURING[0], ("train",)), (MEASURING[1], ("train", MEASURING[0]))):
            said: set[int] = set()
            for source in sources:
                for kind, number, other, detail in known.between(split, source):
                    if number not in said:
                        said.add(number)
                        kinds[kind] += 1
                        _add(hits, split, number, other, detail, self._seen, self.options)
        measured = sum(len(known.rows(split)) for split in MEASURING)
        return self.gate.finding("gates.leaks", hits, measured, kinds)

    def training_rows(self) -> list[FoundRow]:
        """The rows that give one away, of train or validation: what goes so that the measuring rows stay."""
        known = _Known(self._seen, self._texts, self._contexts, self._owners, self.options)
        gone: dict[int, FoundRow] = {}
        for split, source in ((MEASURING[1], "train"), (MEASURING[1], MEASURING[0]), (MEASURING[0], "train")):
            for number in {number for _kind, number, _other, _detail in known.between(source, split)}:
                gone.setdefault(number, FoundRow(source, self._seen.ids[number]))
        return [gone[number] for number in sorted(gone)]


def _add(hits: Hits, split: str, number: int, other: int, detail: str, seen: _Seen, options: Options) -> None:
    """Texts are looked up for the examples alone: there may be hundreds of thousands of rows."""
    shown = len(hits.examples) < EXAMPLES
    text, other_text = (options.look(at)[1].input if shown else "" for at in (number, other))
    hits.add(split, seen.ids[number], text, detail=detail, other=seen.ids[other], other_text=other_text)


class _Known:
    """What rows of two splits have in common."""

    def __init__(
        self, seen: _Seen, texts: list[pa.Array], contexts: array[int], owners: array[int], options: Options
    ) -> None:
        self.options, self.keys, self.splits, self.texts = options, seen.keys, seen.splits, TextColumn(texts)
        self.contexts, self.owners = (np.array(values, np.int64) for values in (contexts, owners))
        _, self._of, counts = np.unique(self.contexts, return_inverse=True, return_counts=True)
        most = max(10, _SHARED_BY * int((self.splits != SPLITS.index("pool")).sum()))
        self._own = counts <= most

    def rows(self, split: str) -> Numbers:
        return np.flatnonzero(self.splits == SPLITS.index(split))

    def between(self, split: str, source: str) -> Iterator[tuple[str, int, int, str]]:
        """(kind, row of `split`, row of `source`, detail)."""
        mine, theirs = self.rows(split), self.rows(source)
        keys, firsts = np.unique(self.keys[theirs], return_index=True)
        at = np.searchsorted(keys, self.keys[mine])
        same = np.zeros(len(mine), bool)
        same[at < len(keys)] = keys[at[at < len(keys)]] == self.keys[mine][at < len(keys)]
        for number, place in zip(mine[same].tolist(), at[same].tolist(), strict=True):
            yield "same", number, int(theirs[firsts[place]]), "same"
        yield from self._contexts_between(split, source)
        rest = self._distinct(mine[~same])
        others = np.sort(theirs[firsts])
        texts, given = (self.texts.where(_mask(len(self.keys), rows)) for rows in (rest, others))
        order = np.argsort(self.keys[mine], kind="stable")
        ordered = self.keys[mine][order]
        for one, other, alike in copies_between(texts, given, self.options.threshold, self.options.tick):
            start = np.searchsorted(ordered, self.keys[rest[one]], "left")
            end = np.searchsorted(ordered, self.keys[rest[one]], "right")
            for number in mine[order[start:end]].tolist():
                yield "near", number, int(others[other]), f"{alike:.2f}"

    def _contexts_between(self, split: str, source: str) -> Iterator[tuple[str, int, int, str]]:
        """By contexts that are not an instruction which many rows have."""
        if not len(self.contexts):
            return
        of_split = self.splits[self.owners]
        theirs = np.flatnonzero(of_split == SPLITS.index(source))
        shared, firsts = np.unique(self._of[theirs], return_index=True)
        first = dict(zip(shared.tolist(), self.owners[theirs[firsts]].tolist(), strict=True))
        for at in np.flatnonzero((of_split == SPLITS.index(split)) & self._own[self._of]).tolist():
            if (other := first.get(int(self._of[at]))) is not None:
                yield "context", int(self.owners[at]), other, "context"

    def _distinct(self, rows: Numbers) -> Numbers:
        """The first row of each input."""
        return rows[np.sort(np.unique(self.keys[rows], return_index=True)[1])]


def _mask(count: int, rows: Numbers) -> np.ndarray[Any, np.dtype[np.bool_]]:
    found = np.zeros(count, bool)
    found[rows] = True
    return found


def _block_contexts(block: RowBlock) -> Iterator[tuple[int, list[int]]]:
    """(place in the block, hashes of contexts) of the rows that have one."""
    if not block.bare:
        yield from ((at, found) for at, row in enumerate(block.rows()) if (found := _contexts(row)))
        return
    long = np.flatnonzero(pc.greater_equal(pc.utf8_length(block.inputs), _PARAGRAPH_CHARS)).tolist()
    for at in long:
        if found := _contexts(Row(id="", input=block.inputs[at].as_py())):
            yield at, found


def _contexts(row: Row) -> list[int]:
    """Hashes of what rows of one source share: a conversation, earlier turns, long paragraphs."""
    found = [hash(("conversation", row.conversation))] if row.conversation else []
    texts = [
        row.input,
        *(str(message.get("content") or "") for message in row.context if message.get("role") != "system"),
    ]
    for text in texts:
        if len(text) >= _PARAGRAPH_CHARS:
            parts = (part.strip() for part in text.split("\n"))
            found += [hash(("paragraph", " ".join(part.split()))) for part in parts if len(part) >= _PARAGRAPH_CHARS]
    return list(dict.fromkeys(found))
