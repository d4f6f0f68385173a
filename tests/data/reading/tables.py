"""Files in memory, as a source gives them, and values to fill them with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.data.params import DatasetParams
from backend.data.reading.model import Reading
from backend.data.reading.read import read
from backend.data.row_errors import Record, RowErrors
from backend.data.sources.options import SourceFacts

ROWS = 36


@dataclass
class Rows:
    """A source: rows as records, columns the union of their keys."""

    rows: list[dict[str, Any]]
    path: Path = Path("rows.jsonl")
    facts: SourceFacts = field(default_factory=lambda: SourceFacts(format="jsonl", title="JSON Lines"))
    columns: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.columns = list(dict.fromkeys(key for row in self.rows for key in row))

    def records(self, row_errors: RowErrors) -> Iterator[Record]:
        return (Record(place, row) for place, row in enumerate(self.rows, 1))

    def count(self) -> int:
        return len(self.rows)


def reading(columns: dict[str, Any], rows: int = ROWS, facts: dict[str, Any] | None = None, **params: Any) -> Reading:
    """The reading of a table: a column is a function of the row's number, a list that repeats, or a value."""
    made = [{name: _value(column, n) for name, column in columns.items()} for n in range(rows)]
    made = [{name: value for name, value in row.items() if value is not ...} for row in made]
    source = Rows(made, facts=SourceFacts(**({"format": "jsonl", "title": "JSON Lines"} | (facts or {}))))
    return read(source, DatasetParams(**params))


def _value(column: Any, n: int) -> Any:
    return column(n) if callable(column) else column[n % len(column)] if isinstance(column, list) else column


def text(n: int) -> str:
    return f"The parcel number {n * 7919} came late and the box was {('wet', 'open', 'torn')[n % 3]}."


def texto(n: int) -> str:
    return f"El paquete número {n * 7919} llegó tarde y la caja estaba {('mojada', 'abierta', 'rota')[n % 3]}."


def long(n: int) -> str:
    return " ".join(text(n + k) for k in range(5))


def context(n: int) -> str:
    return long(n // 3)


def question(n: int) -> str:
    return f"What happened to parcel {n * 31}?"


def answer(n: int) -> str:
    return f"It went to shelf {n * 13} in hall {n}."


def short(n: int) -> str:
    return f"Parcel {n * 7919} was late."


def number(n: int) -> int:
    return n


def code(n: int) -> str:
    return f"R{n:04d}"


def day(n: int) -> str:
    return f"2024-03-{n % 28 + 1:02d}"


def price(n: int) -> float:
    return round(n * 3.37 + 0.45, 2)


def uuid(n: int) -> str:
    return f"{n:08x}-1111-4222-8333-{n * 97:012x}"


def chat(n: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": question(n)}, {"role": "assistant", "content": answer(n)}]


def system_chat(n: int) -> list[dict[str, str]]:
    return [{"role": "system", "content": "Be brief."}, *chat(n)]


def customer_chat(n: int) -> list[dict[str, str]]:
    return [{"role": "customer", "content": question(n)}, {"role": "customer", "content": text(n)}]


def sharegpt(n: int) -> list[dict[str, str]]:
    return [{"from": "human", "value": question(n)}, {"from": "gpt", "value": answer(n)}]


def prompt(n: int) -> list[dict[str, str]]:
    return chat(n)[:1]


def completion(n: int) -> list[dict[str, str]]:
    return chat(n)[1:]


MOODS = ["bad", "good", "fine"]
ESTADOS = ["malo", "bueno", "regular"]
