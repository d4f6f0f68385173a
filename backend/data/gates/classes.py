"""Whether the classes of a dataset can be learned: one only, too many, rare ones, one that is nearly all."""

from __future__ import annotations

from statistics import median

from backend.data.gates.base import LISTED_ROWS, Found, Gate, Hits, Options, output_values
from backend.data.gates.label_names import LabelTable
from backend.data.gates.model import Severity
from backend.data.row_blocks import RowBlock

MIN_CLASS_ROWS = 8
"""A class with fewer rows is rare: split 80/10/10 it would have none or one to be measured on."""
MIN_MEDIAN_ROWS = 5
"""With fewer rows in the middle class there are too many classes."""
MOST_SHARE = 0.8
MOST_RATIO = 20
"""A class is nearly all with this share of the rows, or so many times the rows of the middle class."""
_SHOWN = 3


class _Classes:
    """Counts the classes of rows with an answer. Free answers are no classes; that all are the same shows all the same."""

    def __init__(self, gate: Gate, options: Options) -> None:
        self.gate, self.options = gate, options
        self.labels = options.template.answer == "label"
        self.table, self.seen, self.labelled = LabelTable(), 0, 0

    def see_block(self, block: RowBlock) -> None:
        if self.labels or len(self.table) < 2:
            self.table.add(block.once(output_values))
        self.labelled += len(block) - block.outputs.null_count
        self.seen += len(block)

    def hits(self, labels: list[str], most: int | None = None) -> Hits:
        """The rows of these classes, at most `most` of each by id."""
        found, counts = self.options.hits(), self.table.counts()
        for label in labels:
            listed = self.table.rows(label, most)
            for number in listed:
                split, row = self.options.look(number)
                found.add(split, row.id, row.input, detail=label[:80])
            found.unlisted += counts[label] - len(listed)
        return found

    def named(self, labels: list[str]) -> str:
        counts = self.table.counts()
        shown = [f"“{label[:40]}” ({counts[label]})" for label in labels[:_SHOWN]]
        return ", ".join([*shown, "…"] if len(labels) > _SHOWN else shown)


class OneClass(_Classes):
    def found(self) -> Found | None:
        if len(self.table) != 1 or self.labelled < 2:
            return None
        (label,) = self.table.counts()
        return self.gate.finding("gates.one_class", self.hits([label], LISTED_ROWS), self.seen, {"label": label[:80]})


class ClassesForRows(_Classes):
    """Classes whose middle one has fewer than five rows; an error where it has one."""

    def found(self) -> Found | None:
        counts = self.table.counts()
        if not self.labels or len(counts) < 2 or (middle := median(counts.values())) >= MIN_MEDIAN_ROWS:
            return None
        few = sorted((label for label in counts if counts[label] < MIN_MEDIAN_ROWS), key=lambda label: counts[label])
        severity: Severity = "error" if middle < 2 else "warning"
        args = {"classes": len(counts), "middle": f"{middle:g}"}
        return self.gate.finding("gates.too_many_classes", self.hits(few), self.seen, args, severity)


class RareClasses(_Classes):
    def found(self) -> Found | None:
        counts = self.table.counts()
        if not self.labels or len(counts) < 2 or median(counts.values()) < MIN_MEDIAN_ROWS:
            return None
        rare = sorted((label for label in counts if counts[label] < MIN_CLASS_ROWS), key=lambda label: counts[label])
        args = {"classes": len(rare), "named": self.named(rare), "least": MIN_CLASS_ROWS}
        return self.gate.finding("gates.rare_classes", self.hits(rare), self.seen, args)


class Imbalance(_Classes):
    def found(self) -> Found | None:
        counts = self.table.counts()
        if not self.labels or len(counts) < 2:
            return None
        largest = max(counts, key=lambda label: counts[label])
        share = counts[largest] / self.labelled
        if share < MOST_SHARE and (len(counts) < 3 or counts[largest] < MOST_RATIO * median(counts.values())):
            return None
        args = {"label": largest[:80], "share": round(100 * share)}
        return self.gate.finding("gates.imbalance", self.hits([largest], LISTED_ROWS), self.seen, args)
