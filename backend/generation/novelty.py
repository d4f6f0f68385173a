"""Novelty filter: of the generated texts, known ones and near duplicates of held-out rows are dropped."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field

from backend.data.dataset import SPLITS, DataFolder, Row
from backend.data.filter_report import Drop
from backend.data.near_duplicates import NearDuplicateIndex
from backend.generation.self_instruct import parse_texts


@dataclass
class GeneratedRows:
    """New rows, with the class that each was asked for; what was refused; the tally of requests and replies
    (`truncated`: of those that were cut off, at `max_new_tokens` tokens)."""

    rows: list[Row] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)
    requests: int = 0
    asked: int = 0
    cached: int = 0
    unreadable: int = 0
    truncated: int = 0
    max_new_tokens: int = 0
    example: str = ""

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(drop.reason for drop in self.drops))


class NoveltyFilter:
    """Drops what is known already, what leaks from validation or test, and what can't be an input."""

    def __init__(self, data: DataFolder, wanted: int, threshold: float) -> None:
        """`wanted` rows are taken, then no more; `threshold`: see `NearDuplicateIndex`."""
        self.wanted = wanted
        rows = {split: list(data.rows(split)) for split in SPLITS}
        texts = [row.input for part in rows.values() for row in part]
        self.longest = max(200, 3 * max(len(row.input) for row in [*rows["train"], *rows["pool"]]))
        self.held_out, self.known = NearDuplicateIndex(threshold, texts), NearDuplicateIndex(threshold, texts)
        for split, part in rows.items():
            for row in part:
                (self.held_out if split in ("validation", "test") else self.known).add(row.id, row.input)

    def add_reply(self, reply: str, truncated: bool, label: str, found: GeneratedRows) -> None:
        """Sort the texts of a reply into `found`; of one that was `truncated` off only what is whole."""
        texts = parse_texts(reply, truncated)
        found.truncated += truncated
        found.unreadable += not texts
        found.example = found.example or reply[:60]
        for text in texts:
            if len(found.rows) == self.wanted:
                return
            row = Row(id=f"g{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}", input=text)
            reason, other = self._reject_reason(text)
            if reason:
                found.drops.append(Drop(row, reason, other))
                continue
            self.known.add(row.id, text)
            found.rows.append(row)
            found.labels.append(label)

    def _reject_reason(self, text: str) -> tuple[str, str]:
        if not 2 <= len(text) <= self.longest:
            return "input_length", ""
        if near := self.held_out.find(text):
            return "leak", near[0]
        if near := self.known.find(text):
            return "near_duplicate", near[0]
        return "", ""
