"""Parameters of a dataset: which columns are read, how rows are split, the prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from backend.core import stage
from backend.core.fields import Labels
from backend.data import demo


class DatasetParams(stage.Params):
    source: str = Field(
        demo.SOURCE,
        title="Source",
        description="The file with your examples: CSV, TSV, JSON, JSON Lines or Parquet. `demo:smart-home` stands "
        "for the examples that come with the studio.",
    )
    name: str = Field(
        "",
        title="Name",
        description="What the dataset is called. Leave it empty to take the name of the file.",
        max_length=100,
    )
    languages: Annotated[list[Literal["en", "es"]], Labels({"en": "English", "es": "Spanish"})] = Field(
        ["en", "es"],
        title="Languages",
        description="The languages of the demo. A file of your own is taken as it is.",
        min_length=1,
        max_length=2,
    )
    input: str = Field(
        "",
        title="Input column",
        description="The column that the model reads: the question or the text. Leave it empty and the studio finds "
        "it.",
    )
    output: str = Field(
        "",
        title="Answer column",
        description="The column that the model learns to write. Leave it empty and the studio finds it.",
    )
    details: str = Field(
        "",
        title="Second input column",
        description="A column whose text is added below the input, for data that splits it in two, such as Alpaca's "
        "“input”.",
    )
    group: str = Field(
        "",
        title="Group column",
        description="Rows with the same value here, such as one customer, stay in the same split. That keeps the "
        "test fair.",
    )
    answer: Annotated[
        Literal["auto", "label", "text"], Labels({"auto": "Automatic", "label": "Labels", "text": "Free text"})
    ] = Field(
        "auto",
        title="Kind of answer",
        description="Labels: always one of a few fixed answers, counted as right or wrong. Free text: anything else. "
        "Automatic sees it from the data.",
    )
    system: str = Field(
        "",
        title="System prompt",
        description="An instruction that the model reads before every input. Leave it empty for a short one with "
        "labels, and none with free text.",
    )
    user: str = Field(
        "{input}", title="User prompt", description="How each input is put to the model; {input} marks its place."
    )
    list_labels: bool = Field(
        False,
        title="List the labels",
        description="Names every label in the instruction. An untuned model needs that; a tuned one answers faster "
        "without.",
    )
    validation: float = Field(
        0.1,
        ge=0,
        le=0.5,
        title="Validation share",
        description="Part of the rows that is kept aside to compare models while you work; 0.1 is one row in ten. "
        "More is more exact and leaves less to learn from.",
    )
    test: float = Field(
        0.1,
        ge=0,
        le=0.5,
        title="Test share",
        description="Part of the rows that no model sees before the end, for an honest final score; 0.1 is one row "
        "in ten.",
    )
    validation_source: str = Field(
        "",
        title="Validation file",
        description="A file of your own with the validation rows. None are then taken from the source.",
    )
    test_source: str = Field(
        "", title="Test file", description="A file of your own with the test rows. None are then taken from the source."
    )
    max_rows: int = Field(
        0,
        ge=0,
        title="Maximum rows",
        description="Use a random sample of this many rows, to try things out quickly. 0 takes all.",
    )
    labelled_rows: int = Field(
        0,
        ge=0,
        title="Labelled rows",
        description="How many training rows keep their answer; the others join the pool for a teacher to answer. 0 "
        "keeps all.",
    )
    pool_rows: int = Field(
        0,
        ge=0,
        title="Pool rows",
        description="How many rows without an answer to keep for a teacher. More of them teach more and take longer. "
        "0 keeps all.",
    )
    on_bad_row: Annotated[
        Literal["stop", "skip"], Labels({"stop": "Stop and name them", "skip": "Skip and count them"})
    ] = Field(
        "stop",
        title="Row errors",
        description="What happens to rows that can't be used. Stopping names them, so that you can correct the file; "
        "skipping leaves them out.",
    )
    duplicates: Annotated[Literal["keep", "drop"], Labels({"keep": "Keep all", "drop": "Keep the first"})] = Field(
        "keep",
        title="Duplicates",
        description="Rows with the same input and the same answer. Many copies make a model overfit.",
    )
    license: str = Field(
        "",
        title="License",
        description="The license of the data, such as CC-BY-4.0, so that others know what they may do with it.",
        max_length=100,
    )

    @field_validator("source", "validation_source", "test_source")
    @classmethod
    def _absolute(cls, value: str) -> str:
        """A path means the same to every process, whatever folder it was started in."""
        if not value or value.startswith("demo:") or "${" in value:
            return value
        return str(Path(value).expanduser().absolute())
