"""Labels that are one label written in several ways, and the name that they should have."""

from __future__ import annotations

import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Mapping

from backend.data.dataset import Row
from backend.data.gates.base import Found, Gate, Options, answer_of

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
    """Variant -> the name that it should have: the commonest way to write it, of equal ones the shortest."""
    groups: dict[str, list[str]] = defaultdict(list)
    for label in counts:
        groups[label_key(label)].append(label)
    merges: dict[str, str] = {}
    for names in groups.values():
        best = min(names, key=lambda name: (-counts[name], len(name), name))
        merges |= {name: best for name in names if name != best}
    return merges


class LabelTable:
    """Which label each row has, as numbers."""

    def __init__(self) -> None:
        self.rows: dict[str, array[int]] = defaultdict(lambda: array("I"))

    def counts(self) -> dict[str, int]:
        return {label: len(numbers) for label, numbers in self.rows.items()}


class LabelVariants:
    """Labels that differ in case, spaces, accents or marks only."""

    def __init__(self, gate: Gate, options: Options) -> None:
        self.gate, self.options = gate, options
        self.labels = options.template.answer == "label"
        self._table, self._seen = LabelTable(), 0

    def see(self, split: str, row: Row, text: str) -> None:
        if self.labels and (answer := answer_of(row)) is not None:
            self._table.rows[answer].append(self._seen)
        self._seen += 1

    def found(self) -> Found | None:
        merges = label_merges(self._table.counts())
        hits = self.options.hits()
        for variant, best in merges.items():
            for number in self._table.rows[variant]:
                split, row = self.options.look(number)
                hits.add(split, row.id, row.input, detail=f"{variant} → {best}")
        shown = ", ".join(f"“{variant}” → “{best}”" for variant, best in list(merges.items())[:3])
        return self.gate.finding("gates.label_variants", hits, self._seen, {"labels": len(merges), "merges": shown})
