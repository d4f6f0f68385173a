"""A project as one zip file: what it consists of, and which files may be in it.

`project.json` says what is there, `rows/<table>.jsonl` holds rows of the database, `artifacts/<kind>/<id>/` the folders with
their manifests. Every part has a SHA-256: that of a row file stands in `project.json`, those of an artifact's files in its own
manifest, whose digest stands in `project.json`. No endpoint, key, setting or draft of a form is in it.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from backend.core.schemas import Kind

FORMAT = 1
HEADER = "project.json"
SUFFIX = ".slmops.zip"
TEXT_LIMIT = 64_000_000
"""Largest `project.json`, manifest or line of a row file, in bytes: they are read whole."""
TABLES = ("run", "job", "metric_point", "log_line", "artifact", "artifact_parent", "review")
"""In the order in which they refer to each other."""
_ID = r"^\w[\w. -]{0,79}$"
_TEXTS = frozenset(
    {"", ".json", ".jsonl", ".txt", ".md", ".html", ".csv", ".yaml", ".jinja", ".model", ".npy", ".parquet", ".log"}
)
_WEIGHTS = {
    Kind.MODEL: frozenset({".safetensors"}),
    Kind.ADAPTER: frozenset({".safetensors"}),
    Kind.ONNX: frozenset({".onnx", ".data"}),
    Kind.CAPTURE: frozenset({".safetensors", ".data"}),
    Kind.PACKAGE: frozenset({".safetensors", ".onnx", ".data", ".zip", ".py"}),
}
"""What a kind holds beside texts and numbers. Code is in packages only, which nothing here runs."""
MADE_AGAIN = frozenset({".safetensors", ".onnx", ".data", ".zip", ".npy"})
"""Endings of the files that are left out of an export without weights."""
LEFT_OUT = "weights_left_out"
"""Fact of an artifact that came without them."""
_Type = type | tuple[type, ...]
_SIZES: dict[str, _Type] = dict.fromkeys(("parameters", "layers", "vocabulary", "context"), (int, float))
FACTS: dict[Kind | None, dict[str, _Type]] = {
    None: {**_SIZES, "template": dict, "hub": dict},
    Kind.DATASET: {"rows": dict, "labels": list, "dropped": dict, "license": str},
    Kind.ONNX: {"precision": str},
    Kind.EVALUATION: dict.fromkeys(("model_name", "model", "data", "split", "constrained"), str),
    Kind.AUDITION: {"candidates": list},
    Kind.REPORT: {"report": str},
    Kind.PACKAGE: {"zip": str, "zip_bytes": int},
}
"""What pages rely on of an artifact's facts, where they are there; None: of any kind."""


def sound_facts(kind: Kind, facts: dict[str, Any]) -> bool:
    """Whether the facts of an artifact are of the types that pages rely on; None is no fact."""
    wanted = FACTS[None] | FACTS.get(kind, {})
    return all(facts.get(name) is None or isinstance(facts[name], type_) for name, type_ in wanted.items())


class Part(BaseModel):
    """One artifact. `digest` is that of its manifest, over all its files; `left_out` are those that are not in the file."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=_ID)
    kind: Kind
    name: str = Field(max_length=200)
    digest: str = Field(pattern="^[0-9a-f]{64}$")
    left_out: list[str] = []

    @property
    def folder(self) -> str:
        return f"artifacts/{self.kind.value}/{self.id}"


class Header(BaseModel):
    """`rows`: table -> SHA-256 of its row file; `studio`: the version that wrote it."""

    model_config = ConfigDict(extra="forbid")

    format: int
    studio: str = Field(max_length=40)
    name: str = Field(min_length=1, max_length=200)
    created: str = Field(max_length=40)
    weights: bool
    rows: dict[str, str]
    artifacts: list[Part]


def allowed(kind: Kind, file: str) -> bool:
    """Whether an artifact of this kind may hold a file of this name; never one that is unpickled or run when it is read."""
    path = PurePosixPath(file)
    plain = not path.is_absolute() and ".." not in path.parts and "\\" not in file and ":" not in file
    hidden = any(part.startswith(".") for part in path.parts)
    return plain and not hidden and path.suffix.lower() in _TEXTS | _WEIGHTS.get(kind, frozenset())
