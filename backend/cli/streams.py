"""Standard output and error of the command line: closed ones, pipes that nobody reads on, and encodings without all letters."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import NoReturn

_READER_GONE = 1
"""Exit code when who reads the output has gone: the same that typer gives."""


def prepare() -> None:
    """A closed standard stream becomes the null device, or the next file that is opened would take its number and be written
    into. What the encoding of a terminal can't show is written as an escape, not as an error."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        continue
    os.close(number)
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def holds_every_letter() -> bool:
    """Whether standard output can show all of Unicode."""
    return (sys.stdout.encoding or "utf-8").lower().replace("-", "").startswith("utf")


def close(code: int | str | None) -> NoReturn:
    """Write out what waits, and leave with `code`."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python flushes once more at its end
        code = code or _READER_GONE
    raise SystemExit(code)
