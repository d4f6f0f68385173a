"""What every gate is made of: a row of the registry, a check that sees each block of rows once, and what it collects."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from backend.core.errors import Problem
from backend.data.chat_template import Encoder
from backend.data.dataset import Row, Template
from backend.data.gates.masking import masked
from backend.data.gates.model import Example, Finding, Severity
from backend.data.row_blocks import RowBlock

EXAMPLES = 5
LISTED_ROWS = 1_000
"""Ids that a finding itself carries; the report's file has all."""
EXCERPT_CHARS = 200
MEASURING = ("validation", "test")
"""The splits that a model is measured on."""


class FoundRow(NamedTuple):
    """A row that a finding concerns. `other`: the row that it is compared with; `detail`: why, in a word or two."""

    split: str
    row: str
    detail: str = ""
    other: str = ""


@dataclass
class Found:
    """A finding and all its rows."""

    finding: Finding
    rows: list[FoundRow] = field(default_factory=list)


@dataclass(frozen=True)
class Options:
    """What gates need beside the rows. `look(n)`: split and row of the n-th that was seen; `threshold`: Jaccard index from
    which rows are near copies, 0 to 1; `max_length` and `context`: tokens, 0 where nobody said; `tick(rows)` is called while a
    check compares, and may raise Cancelled; `most_listed`: rows that a finding names, None for all; the others are counted;
    `confirmed`: ids of rows whose answer a person accepted or wrote in a review; `most_examined`: rows that a gate for patterns
    examines of those that may hold one, None for all; of the others only a sample."""

    template: Template
    look: Callable[[int], tuple[str, Row]]
    threshold: float = 0.8
    encoder: Encoder | None = None
    max_length: int = 0
    context: int = 0
    tick: Callable[[int], None] = lambda rows: None
    most_listed: int | None = None
    confirmed: Collection[str] = ()
    most_examined: int | None = None

    def hits(self) -> Hits:
        """For a check to collect in."""
        return Hits(most_listed=self.most_listed)


class Check(Protocol):
    """Sees all rows of all splits, once, then says what it found."""

    def see_block(self, block: RowBlock) -> None:
        """Rows of one split, in their order."""

    def found(self) -> Found | None:
        """Call it once, at the end; None when all is well."""


class ByRow(ABC):
    """A check that looks at one row after another; it keeps none of them."""

    def see_block(self, block: RowBlock) -> None:
        for row in block.rows():
            self.see(block.split, row)

    @abstractmethod
    def see(self, split: str, row: Row) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One row of the registry. `needs`: `rows` are looked at one by one, `pairs` are compared, `tokenizer` needs a model;
    `fix`: the name of the one-click fix, "" for none; `quick`: cheap enough for the import; `error_above`: the share of rows
    from which a warning becomes an error."""

    name: str
    title: str
    needs: Literal["rows", "pairs", "tokenizer"]
    severity: Severity
    make: Callable[[Gate, Options], Check]
    fix: str = ""
    quick: bool = False
    error_above: float | None = None

    def finding(
        self, code: str, hits: Hits, seen: int, args: Mapping[str, Any] | None = None, severity: Severity | None = None
    ) -> Found | None:
        """What `hits` say, of `seen` rows in all; None when there are none."""
        if not hits.count:
            return None
        grave = self.error_above is not None and hits.count > self.error_above * seen
        finding = Finding(
            gate=self.name,
            severity=severity or ("error" if grave else self.severity),
            problem=Problem(code=code, args={"count": hits.count, "rows": seen, **(args or {})}, blocking=False),
            count=hits.count,
            examples=hits.examples,
            rows=[found.row for found in hits.rows[:LISTED_ROWS]],
            fix=self.fix,
        )
        return Found(finding, hits.rows)


@dataclass
class Hits:
    """Collects the rows that a gate finds. `unlisted`: how many more there are, where listing all would say nothing."""

    rows: list[FoundRow] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    unlisted: int = 0
    most_listed: int | None = None

    @property
    def count(self) -> int:
        return len(self.rows) + self.unlisted

    def add(self, split: str, row: str, text: str, detail: str = "", other: str = "", other_text: str = "") -> None:
        """`text`: what is shown of the row, shortened, personal data and secrets masked."""
        if self.most_listed is not None and len(self.rows) >= self.most_listed:
            self.unlisted += 1
            return
        self.rows.append(FoundRow(split, row, detail, other))
        if len(self.examples) < EXAMPLES:
            shown, compared = (masked(excerpt(each)) for each in (text, other_text))
            self.examples.append(
                Example(row=row, split=split, text=shown, other=other, other_text=compared, detail=detail)
            )


def excerpt(text: str, at: int = 0) -> str:
    """At most 200 characters around the place `at`, on one line."""
    start = max(0, at - EXCERPT_CHARS // 3) if at > EXCERPT_CHARS // 2 else 0
    shown = " ".join(text[start : start + 2 * EXCERPT_CHARS].split())
    shown = ("…" if start else "") + shown
    return shown if len(shown) <= EXCERPT_CHARS else shown[: EXCERPT_CHARS - 1] + "…"


def texts_of(row: Row) -> Iterator[str]:
    """Every text of a row that is trained on, measured with or stored: input, answers, earlier messages, fields, calls."""
    yield row.input
    for answer in (row.output, row.gold, row.rejected, row.rationale):
        if answer:
            yield answer
    for message in row.context:
        if content := message.get("content"):
            yield content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    yield from row.fields.values()
    if row.tool_calls:
        yield json.dumps(row.tool_calls, ensure_ascii=False)


def whole_text(row: Row) -> str:
    """All texts of a row in one, for patterns."""
    if row.output is not None and not (row.context or row.fields or row.gold or row.rejected or row.tool_calls):
        return f"{row.input}\n{row.output}"
    return "\n".join(texts_of(row))


def block_texts(block: RowBlock) -> pa.Array:
    """`whole_text` of each row."""
    if not block.bare:
        return block.of_rows(whole_text)
    return pc.binary_join_element_wise(block.inputs, block.outputs, "\n", null_handling="skip")


def block_answers(block: RowBlock) -> pa.Array:
    """`answer_of` each row."""
    return block.outputs if block.bare else block.of_rows(answer_of)


def output_values(block: RowBlock) -> pa.DictionaryArray:
    """The answers to learn, each value once."""
    return block.outputs.dictionary_encode()


def answer_values(block: RowBlock) -> pa.DictionaryArray:
    """`answer_of` each row, each value once."""
    return block.once(output_values) if block.bare else block.once(block_answers).dictionary_encode()


def prompt_text(row: Row) -> str:
    """What a model is given of a row beside the system message, which all rows may share."""
    if not row.context:
        return row.input
    said = (message.get("content") for message in row.context if message.get("role") not in ("system", "developer"))
    return "\n".join([*(text for text in said if isinstance(text, str)), row.input])


def plain(text: str) -> str:
    """Case and spaces aside: what makes two inputs the same."""
    return " ".join(text.casefold().split())


def answer_of(row: Row) -> str | None:
    """What a person says is right, or the answer to learn."""
    return row.gold if row.gold is not None else row.output
