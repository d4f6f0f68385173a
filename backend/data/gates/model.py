"""What a check of a dataset found."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from backend.core.errors import Problem

Severity = Literal["error", "warning", "info"]
"""`error`: the dataset is not ready; `warning`: it may be trained on, with this said."""


class Example(BaseModel):
    """A row that shows a finding. `other`: the row that it is compared with, `other_text` what stands there where that
    differs; texts are excerpts of at most 200 characters, personal data masked."""

    model_config = ConfigDict(extra="forbid")

    row: str
    split: str
    text: str
    other: str = ""
    other_text: str = ""
    detail: str = ""


class Finding(BaseModel):
    """One gate's result. `gate`: its name in the registry; `problem`: the sentence, non-blocking; `count`: rows (or pairs)
    that it concerns; `examples`: at most five; `rows`: their ids, at most 1,000 (all lie in the report's file); `fix`: the name
    of the one-click fix, "" for none; `accepted`: the reason a person gave for leaving it as it is."""

    model_config = ConfigDict(extra="forbid")

    gate: str
    severity: Severity
    problem: Problem
    count: int
    examples: list[Example] = []
    rows: list[str] = []
    fix: str = ""
    accepted: str = ""


class ScoreCard(BaseModel):
    """The whole: `ready`, `warnings` or `not_ready`; `not_checked`: gates that did not run, with the reason."""

    model_config = ConfigDict(extra="forbid")

    verdict: Literal["ready", "warnings", "not_ready"]
    findings: list[Finding] = []
    not_checked: list[Problem] = []
    rows: int = 0
