"""Whether the reading of all rows is the one that a sample promised."""

from __future__ import annotations

from backend.core.errors import Problem
from backend.data.reading.model import Candidate, Reading

_SAID = {"group", "split", "time", "carried"}
"""Roles whose taking the notes of the reading say anyway."""
_BY_ANSWER = ("text_label", "input_output")
"""Schemas that differ by the kind of answer alone."""


def broken_promise(sample: Reading, whole: Reading, answer: str) -> Problem | None:
    """What is learned from other columns, or as another kind of `answer`, than the sample showed; None where all is as it was
    said. The flags that are named make both readings the same."""
    if sample.taken is None or whole.taken is None:
        return None
    told = [_key(reading, kind) for reading, kind in ((sample, sample.answer), (whole, answer))]
    if told[0] == told[1]:
        return None
    shown = {"sample": _flags(sample.taken, sample.answer), "whole": _flags(whole.taken, answer)}
    return Problem(code="reading.sample_differs", field="source", args={"file": whole.file, **shown})


def _key(reading: Reading, answer: str) -> tuple[str, str, dict[str, object]]:
    assert reading.taken is not None
    schema = reading.taken.schema_name
    return answer, "" if schema in _BY_ANSWER else schema, reading.taken.roles.model_dump(exclude=_SAID)


def _flags(taken: Candidate, answer: str) -> str:
    return f"{taken.flags} --answer {answer}".strip()
