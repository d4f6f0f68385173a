"""Labels that are one label written in several ways, and the name that they should have."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from backend.data.gates.base import Found, Gate, Options, answer_values
from backend.data.row_blocks import RowBlock

_TRAILING = " .,;:!?…\"'`´’”»"
_LEADING = " \"'`´‘“«"


def label_key(label: str) -> str:
    """Case, accents, forms of characters, `_`, `-`, spaces and marks at the ends aside; the label itself where nothing is
    left."""
    text = unicodedata.normalize("NFKD", label).casefold()
    text = "".join(char for char in text if not unicodedata.combining(char) and unicodedata.category(char) != "Cf")
    text = " ".join(text.replace("_", " ").replace("-", " ").split()).rstrip(_TRAILING).lstrip(_LEADING)
    return text or label


def label_merges(counts: Mapping[str, int]) -> dict[str, str]:
    """Variant -> the name that it should have: the commonest way to write it, of equal ones the shortest. One with an
    accent goes before those without: it was left out for haste more often than added."""
    groups: dict[str, list[str]] = defaultdict(list)
    for label in counts:
        groups[label_key(label)].append(label)
    merges: dict[str, str] = {}
    for names in groups.values():
        best = min(names, key=lambda name: (not _accented(name), -counts[name], len(name), name))
        merges |= {name: best for name in names if name != best}
    return merges


def _accented(name: str) -> bool:
    return any(map(unicodedata.combining, unicodedata.normalize("NFD", name)))


class LabelTable:
    """Which label each row has, as numbers."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._parts: list[np.ndarray[Any, Any]] = []
        self._counts = np.zeros(0, np.int64)

    def add(self, found: pa.DictionaryArray) -> None:
        """The answers of the rows that follow, null where there is none."""
        known = [self._codes.setdefault(label, len(self._codes)) for label in found.dictionary.to_pylist()]
        codes = np.array([*known, -1], np.min_scalar_type(-max(1, len(self._codes))))
        rows = codes[found.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
        counts = np.bincount(rows[rows >= 0], minlength=len(self._codes))
        counts[: len(self._counts)] += self._counts
        self._counts = counts
        self._parts.append(rows)

    def __len__(self) -> int:
        return len(self._codes)

    def counts(self) -> dict[str, int]:
        return {label: int(self._counts[code]) for label, code in self._codes.items()}

    def rows(self, label: str, most: int | None = None) -> list[int]:
        """The numbers of the rows with this label, the first `most` of them."""
        code, first, found = self._codes[label], 0, list[int]()
        for part in self._parts:
            found += (first + np.flatnonzero(part == code)[:most]).tolist()
            first += len(part)
            if most is not None and len(found) >= most:
                break
        return found[:most]


class LabelVariants:
    """Labels that differ in case, spaces, accents or marks only."""

    def __init__(self, gate: Gate, options: Options) -> None:
        self.gate, self.options = gate, options
        self.labels = options.template.answer == "label"
        self._table, self._seen = LabelTable(), 0

    def see_block(self, block: RowBlock) -> None:
        if self.labels:
            self._table.add(block.once(answer_values))
        self._seen += len(block)

    def found(self) -> Found | None:
        counts = self._table.counts()
        merges, hits = label_merges(counts), self.options.hits()
        for variant, best in merges.items():
            listed = self._table.rows(variant, self.options.most_listed)
            for number in listed:
                split, row = self.options.look(number)
                hits.add(split, row.id, row.input, detail=f"{variant} → {best}")
            hits.unlisted += counts[variant] - len(listed)
        shown = ", ".join(f"“{variant}” → “{best}”" for variant, best in list(merges.items())[:3])
        return self.gate.finding("gates.label_variants", hits, self._seen, {"labels": len(merges), "merges": shown})
