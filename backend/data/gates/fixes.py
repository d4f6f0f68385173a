"""One-click fixes: what can be done to the rows of a dataset, each a row of `FIXES`.

A fix changes rows or drops some. What it drops is what the gate of the same matter found. Rows of validation and test stay
where a training row gives them away: that one goes.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from backend.data.dataset import REJECTED, REJECTED_FILE, SPLITS, DataFolder, Row, Template, write_split, write_template
from backend.data.gates.base import Check, FoundRow, Options, answer_of
from backend.data.gates.encoding_damage import repaired
from backend.data.gates.label_names import label_merges
from backend.data.gates.masking import Masker
from backend.data.gates.near import Leaks
from backend.data.gates.patterns import HTML
from backend.data.gates.personal import personal_data
from backend.data.gates.registry import gate
from backend.data.gates.rows import CheckedRows
from backend.data.gates.secrets import secrets

OnTick = Callable[[int], None]
Change = Callable[[Row], Row]
_LINE_TAGS = re.compile(r"<(?:br|/p|/div|/li|/tr|/h[1-6])\s*/?>", re.IGNORECASE)
_HIDDEN = re.compile(r"<(script|style)\b[^>]*>.*?</\1>", re.IGNORECASE | re.DOTALL)


@dataclass
class Fixing:
    """A dataset folder that fixes are applied to, one after another. `named`: ids of rows for `drop_rows`; `counts`: fix ->
    split -> rows changed or dropped."""

    folder: Path
    work: Path
    threshold: float = 0.8
    named: frozenset[str] = frozenset()
    tick: OnTick = lambda rows: None
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.template = DataFolder(self.folder).template
        self._round = 0

    def apply(self, name: str) -> None:
        """One fix, by its name in `FIXES`."""
        FIXES[name].apply(self, name)

    def change(self, name: str, change: Change) -> None:
        """Every row goes through `change`."""
        counts = Counter[str]()
        rows = CheckedRows(self.folder)

        def changed(split: str) -> Iterator[Row]:
            for row in self._split(rows, split):
                new = change(row)
                counts[split] += new != row
                yield new

        self._write(changed)
        self.counts[name] = dict(+counts)

    def drop(self, name: str, gone: Iterable[str]) -> None:
        """The rows with these ids go."""
        ids, counts, rows = frozenset(gone), Counter[str](), CheckedRows(self.folder)

        def kept(split: str) -> Iterator[Row]:
            for row in self._split(rows, split):
                if row.id in ids:
                    counts[split] += 1
                else:
                    yield row

        self._write(kept)
        self.counts[name] = dict(+counts)

    def check(self, make: Callable[[Options], Check]) -> Check:
        """A check that has seen all rows as they are now."""
        rows = CheckedRows(self.folder)
        options = Options(template=self.template, look=rows.__getitem__, threshold=self.threshold, tick=self.tick)
        check = make(options)
        for block in rows.blocks(self.tick):
            check.see_block(block)
        return check

    def rows(self) -> Iterator[Row]:
        rows = CheckedRows(self.folder)
        return (row for split in SPLITS for row in rows.split(split))

    def renew_template(self, labels: list[str]) -> None:
        """Other labels, also where the system prompt lists them."""
        old = ", ".join(self.template.labels)
        system = self.template.system.replace(old, ", ".join(labels)) if old else self.template.system
        self.template = self.template.model_copy(update={"labels": labels, "system": system})
        write_template(self.folder, self.template)

    def _split(self, rows: CheckedRows, split: str) -> Iterator[Row]:
        for number, row in enumerate(rows.split(split), 1):
            if number % 500 == 0:
                self.tick(500)
            yield row

    def _write(self, rows_of: Callable[[str], Iterator[Row]]) -> None:
        self._round += 1
        target = self.work / f"round{self._round}"
        target.mkdir(parents=True)
        for split in SPLITS:
            write_split(target, split, rows_of(split))
        if (self.folder / REJECTED_FILE).is_file():
            write_split(target, REJECTED, rows_of(REJECTED))
        write_template(target, self.template)
        self.folder = target


@dataclass(frozen=True)
class Fix:
    """`title`: on pages; `apply` does it and counts."""

    title: str
    apply: Callable[[Fixing, str], None]


def _drop_found(gate_name: str) -> Callable[[Fixing, str], None]:
    """Drops what a gate finds."""

    def apply(fixing: Fixing, name: str) -> None:
        wanted = gate(gate_name)
        found = fixing.check(lambda options: wanted.make(wanted, options)).found()
        fixing.drop(name, (row.row for row in found.rows) if found else ())

    return apply


def _drop_leaks(fixing: Fixing, name: str) -> None:
    check = fixing.check(lambda options: Leaks(gate("leaks"), options))
    assert isinstance(check, Leaks)
    given: list[FoundRow] = check.training_rows()
    fixing.drop(name, (row.row for row in given))


def _merge_labels(fixing: Fixing, name: str) -> None:
    counts = Counter(answer for row in fixing.rows() if (answer := answer_of(row)) is not None)
    merges = label_merges(counts) if fixing.template.answer == "label" else {}

    def merged(row: Row) -> Row:
        new = {part: merges[value] for part in ("output", "gold") if (value := getattr(row, part)) in merges}
        return row.model_copy(update=new) if new else row

    fixing.change(name, merged)
    if merges:
        fixing.renew_template(sorted({merges.get(label, label) for label in fixing.template.labels}))


def _mask(find: str) -> Callable[[Fixing, str], None]:
    def apply(fixing: Fixing, name: str) -> None:
        masker = Masker(secrets if find == "secrets" else personal_data)
        free = fixing.template.answer != "label"
        fixing.change(name, lambda row: masker.row(row, free))

    return apply


def _on_texts(change: Callable[[str], str]) -> Callable[[Fixing, str], None]:
    """`change` for every text of a row; labels stay, so that they stay those of the template."""

    def apply(fixing: Fixing, name: str) -> None:
        fixing.change(name, lambda row: on_texts(row, change, fixing.template))

    return apply


def on_texts(row: Row, change: Callable[[str], str], template: Template) -> Row:
    """The row with each text changed: input, free answers, earlier messages, fields."""
    parts = ("rationale",) if template.answer == "label" else ("output", "gold", "rejected", "rationale")
    context = [
        message | {"content": change(message["content"])} if isinstance(message.get("content"), str) else message
        for message in row.context
    ]
    new = {"input": change(row.input), "context": context, "fields": {k: change(v) for k, v in row.fields.items()}}
    new |= {part: change(value) for part in parts if (value := getattr(row, part)) is not None}
    return row.model_copy(update=new)


def without_html(text: str) -> str:
    """Tags go, ends of blocks become line ends, entities their characters."""
    if not ("<" in text or "&" in text) or not HTML.search(text):
        return text
    plain = HTML.sub(
        lambda match: match[0] if match[0].startswith("&") else "", _LINE_TAGS.sub("\n", _HIDDEN.sub("", text))
    )
    lines = (" ".join(line.split()) for line in html.unescape(plain).replace("\xa0", " ").split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _drop_named(fixing: Fixing, name: str) -> None:
    fixing.drop(name, fixing.named)


FIXES: dict[str, Fix] = {
    "repair_encoding": Fix("Repair damaged characters", _on_texts(repaired)),
    "strip_html": Fix("Remove HTML", _on_texts(without_html)),
    "mask_secrets": Fix("Mask keys and passwords", _mask("secrets")),
    "mask_personal": Fix("Mask personal data", _mask("personal")),
    "merge_labels": Fix("Merge labels", _merge_labels),
    "drop_rows": Fix("Drop these rows", _drop_named),
    "drop_empty": Fix("Drop empty rows", _drop_found("empty")),
    "drop_contradictions": Fix("Drop contradictions", _drop_found("contradictions")),
    "drop_duplicates": Fix("Drop duplicates", _drop_found("duplicates")),
    "drop_near_duplicates": Fix("Drop near duplicates", _drop_found("near_duplicates")),
    "drop_leaks": Fix("Drop leaking training rows", _drop_leaks),
}
"""In the order in which they are applied, whatever order was asked for: texts first, so that what becomes equal is found."""
