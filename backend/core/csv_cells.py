"""Cells of tables that people open in a spreadsheet.

A text that a spreadsheet would run as a formula gets an apostrophe in front; so does one that would look as if it had got one
already. So exactly one apostrophe is taken off what matches, and every text comes back as it was.
"""

from __future__ import annotations

import re
from typing import Any

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")


def escape_formula(cell: Any) -> Any:
    """A text that begins with one of `= + - @`, a tab or a carriage return, apostrophes before it or not, with one more
    apostrophe; anything else as it is."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def plain_cell(cell: str) -> str:
    """The text before `escape_formula`."""
    return cell[1:] if _ESCAPED.match(cell) else cell
