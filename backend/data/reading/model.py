"""A reading of a file, as it is stored with the dataset and shown by page, command line and card."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from backend.core.errors import Problem
from backend.data.sources.options import SourceFacts

ColumnKind = Literal[
    "text",
    "label",
    "number",
    "boolean",
    "date",
    "id",
    "row_number",
    "constant",
    "split",
    "messages",
    "list",
    "object",
    "binary",
    "empty",
]
"""What the values of a column are, all rows looked at. `text`: free text; `label`: one of a few words or codes."""
Role = Literal[
    "input",
    "output",
    "messages",
    "system",
    "history",
    "rejected",
    "group",
    "split",
    "time",
    "label_names",
    "tools",
    "speaker",
    "desired",
    "carried",
    "unused",
]
"""What a column is for. `carried`: it travels with the row (an id, a source, a slice) and no model reads it."""


class ColumnReading(BaseModel):
    """One column: what is in it and what it is taken for, with the reason. `distinct` counts up to 10,001; `mean_chars`
    over the filled values; `examples`: at most three, 80 characters each."""

    model_config = ConfigDict(extra="forbid")

    name: str
    kind: ColumnKind
    role: Role = "unused"
    reason: Problem | None = None
    filled: int = 0
    distinct: int = 0
    mean_chars: float = 0.0
    examples: list[str] = []


class Roles(BaseModel):
    """Columns by role. `input`: in the order of the prompt; `outputs`: the columns of 0 and 1 of a multi-label task in place
    of `output`; `messages` replaces the input, and the output where none is named; `label_names`: a column with the names of
    the label's numbers; `speaker`: who speaks, where each turn of a conversation (`group`) is a row; `desired`: whether the
    answer is a good one (KTO). A dotted name reaches into an object."""

    model_config = ConfigDict(extra="forbid")

    input: list[str] = []
    output: str = ""
    outputs: list[str] = []
    messages: str = ""
    system: str = ""
    history: str = ""
    rejected: str = ""
    label_names: str = ""
    tools: str = ""
    speaker: str = ""
    desired: str = ""
    group: str = ""
    split: str = ""
    time: str = ""
    carried: list[str] = []


class Candidate(BaseModel):
    """One way to read the file. `confidence` 0 to 1; `flags`: how the command line chooses it; `template`: how the input
    columns become the prompt, with `{column}` placeholders; `first_choice`: the number of the first choice, where answers of
    multiple choice are numbers; `month_first`: how dates such as 03/04/2026 are meant."""

    model_config = ConfigDict(extra="forbid")

    schema_name: str
    task: str
    roles: Roles
    confidence: float
    reason: Problem
    template: str = "{input}"
    flags: str = ""
    first_choice: int = 0
    month_first: bool = False


class Reading(BaseModel):
    """The whole reading. `sampled`: only a part of the rows was looked at, and there are about `estimated`; `taken`: the
    candidate that is used; `alternatives`: the others that fit, best first; `question`: set when none was sure, and nothing may
    be trained on before it is answered; `notes`: what was taken or left out, said to the user."""

    model_config = ConfigDict(extra="forbid")

    file: str
    source: SourceFacts
    rows: int
    sampled: bool = False
    estimated: int = 0
    columns: list[ColumnReading] = []
    taken: Candidate | None = None
    alternatives: list[Candidate] = []
    question: Problem | None = None
    answer: Literal["label", "text"] = "text"
    labels: list[str] = []
    system: str = ""
    notes: list[Problem] = []
