"""Rows that are longer than a model's context. Whatever answers rows leaves them out, alike in every engine, and says how many
and which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from backend.core.errors import StudioError
from backend.data.dataset import Row, Template

MAX_NAMED = 20
"""Rows that a log names."""


def places_that_fit(engine: Any, prompts: Sequence[Any]) -> list[int]:
    """Of the prompts (as `engine` encoded them) that leave a token for an answer: all of them where an endpoint answers, which
    alone knows its context."""
    context = getattr(engine, "context", None)
    return [at for at, prompt in enumerate(prompts) if context is None or len(prompt) < context]


def rows_that_fit(
    engine: Any, template: Template, rows: Sequence[Row], log: Callable[[str, str], None], model: str
) -> list[Row]:
    """The rows that a model can read; the others go into the log. Raises StudioError when none is left."""
    fitting = places_that_fit(engine, [engine.encode(template.prompt(row)) for row in rows])
    if len(fitting) == len(rows):
        return list(rows)
    if not fitting:
        raise StudioError("good.all_too_long", count=len(rows), model=model, context=engine.context)
    kept = set(fitting)
    long = [row.id for at, row in enumerate(rows) if at not in kept]
    log(f"{told(long, len(rows), engine.context)} They are left out.", "warning")
    return [rows[at] for at in fitting]


def told(long: Sequence[str], of: int, context: int) -> str:
    """Which rows are too long: a sentence for a log."""
    more = f" and {len(long) - MAX_NAMED} more" if len(long) > MAX_NAMED else ""
    names = ", ".join(long[:MAX_NAMED])
    return f"{len(long)} of {of} rows are longer than the context of {context} tokens: {names}{more}."
