"""Shapes of parameters that several stages ask: declared once, with title, description and bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic.fields import FieldInfo

from backend.core.paths import absolute


@dataclass(frozen=True)
class Labels:
    """Marks a field whose values are codes: value -> words of a form, in English."""

    words: dict[str, str]


def labels_of(info: FieldInfo) -> dict[str, str]:
    """The words of a field's values; empty where a value speaks for itself."""
    return next((mark.words for mark in info.metadata if isinstance(mark, Labels)), {})


def absolute_path(value: str) -> str:
    """A path means the same to every process, whatever folder it was started in; an empty one stays empty."""
    return str(absolute(value)) if value else value


@dataclass(frozen=True)
class FileMark:
    """Marks a field that names a file or a folder of the user's."""


def is_file(info: FieldInfo) -> bool:
    """Whether a field names a file or a folder of the user's."""
    return any(isinstance(mark, FileMark) for mark in info.metadata)


FilePath = Annotated[str, AfterValidator(absolute_path), FileMark()]
Name = Annotated[
    str,
    Field(
        max_length=100,
        title="Name",
        description="Name of the result. Leave blank to name it automatically.",
    ),
]
MeasuredSplit = Annotated[
    Literal["train", "validation", "test"],
    Labels({"train": "Training", "validation": "Validation", "test": "Test"}),
    Field(title="Split", description="Rows to evaluate. Keep the test rows for the final score."),
]
Epochs = Annotated[
    float,
    Field(
        gt=0,
        le=100,
        title="Epochs",
        description="Passes over the data. More can improve results but take longer; too many overfit.",
    ),
]
TrainingBatch = Annotated[
    int,
    Field(
        ge=1,
        le=1024,
        title="Batch size",
        description="Examples per step. Larger is more stable but uses more memory; lower it first if memory runs out.",
    ),
]
