"""Which rows of a dataset are meant: the filter of the table, and of what is done to all rows that it shows."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from backend.data.dataset import Row

Sort = Literal["", "id", "length", "answer", "confidence"]
""""": as the rows stand in the file."""


class RowFilter(BaseModel):
    """Every condition that is set must hold. `search`: in the input or the answer, in any case; `label`: the answer is this
    one; `tag`: a person put it on the row; `least` and `most`: characters of the input; `ids`: one of these rows (those of a
    finding)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    search: str = ""
    label: str = ""
    tag: str = ""
    least: int = 0
    most: int | None = None
    ids: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return self == RowFilter()

    def matches(self, row: Row) -> bool:
        """Of a row as it is stored."""
        return (
            len(row.input) >= self.least
            and (self.most is None or len(row.input) <= self.most)
            and (not self.label or row.output == self.label)
            and (not self.tag or self.tag in row.tags)
            and (not self.ids or row.id in self.ids)
            and (not self.search or self.search.casefold() in searched(row))
        )


def searched(row: Row) -> str:
    """The text of a row that a search looks at."""
    return f"{row.input}\n{row.output or ''}".casefold()
