"""What the stages that apply changes by people to a dataset have in common.

The changes come from a file, or are those of a page as they stand when the job is queued.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from backend.core.errors import Problem, StudioError
from backend.core.refs import reference_id
from backend.core.schemas import Quote
from backend.core.stage import Params, World

_ROWS_PER_SECOND = 10_000
_BASE_MEMORY = 80_000_000
P = TypeVar("P", bound=Params)


class Frozen(Protocol):
    """Where the changes of a page are kept until they are applied."""

    def freeze(self, ref: str) -> Path: ...


def changes_problems(ref: str, file: str, read: Callable[[Path], object], pending: str, world: World) -> list[Problem]:
    """What is wrong with the `file` of changes; without one the dataset must be there, else the code `pending` says so."""
    if file:
        try:
            read(Path(file))
        except StudioError as error:
            return list(error.problems)
        return []
    known = world.describe(ref)
    return [Problem(code=pending, args={"ref": ref}, field="data")] if known and known.pending else []


def changes_quote(ref: str, world: World) -> Quote:
    """Each row is read and written once."""
    known = world.describe(ref)
    facts = known.facts if known else {}
    rows = sum(facts.get("rows", {}).values())
    text = facts.get("prompt_chars", 0) + facts.get("answer_chars", 0)
    return Quote(
        seconds=(0.5 + rows / _ROWS_PER_SECOND) / world.speed(),
        memory_bytes=_BASE_MEMORY + int(200 * rows),
        disk_bytes=int(rows * (text * 1.1 + 60)),
        forecast=facts,
    )


def with_changes(params: P, field: str, ref: str, there: Frozen) -> P:
    """The changes as they stand now, as a file in `field`: what people change later belongs to the next version."""
    if getattr(params, field) or reference_id(ref):
        return params
    return params.model_copy(update={field: str(there.freeze(ref))})
