"""Reads a source in a process of its own: `python -m backend.data.inspect_program QUESTION.json ANSWER.json`.

A file from outside may be broken, huge or hostile, so memory, CPU time and what is written are bounded before anything of it is
opened. Ends with EXIT_MEMORY where the memory ran out; leaves no answer where it was killed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.core.limits import EXIT_MEMORY, limit

if TYPE_CHECKING:
    from backend.data.params import DatasetParams


def answer(params: DatasetParams, rows: int) -> dict[str, Any]:
    """`{"inspection": ...}`, or `{"problems": [...]}` for a source that can't be read."""
    from backend.core.errors import StudioError
    from backend.data.inspect_source import inspect

    try:
        found = inspect(params, rows)
    except StudioError as error:
        return {"problems": [problem.model_dump(mode="json") for problem in error.problems]}
    return {"inspection": found.model_dump(mode="json")}


def main(question: Path, file: Path) -> None:
    asked = json.loads(question.read_text("utf-8"))
    limit(**asked["limits"])
    try:
        from backend.data.params import DatasetParams

        told = json.dumps(answer(DatasetParams.model_validate(asked["params"]), asked["rows"]), ensure_ascii=False)
    except MemoryError:
        sys.exit(EXIT_MEMORY)
    partial = file.with_suffix(".partial")
    partial.write_text(told, encoding="utf-8", errors="replace")
    partial.replace(file)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
