"""Parameters of a dataset: which columns are read, how rows are split, the prompt."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from backend.core import stage
from backend.core.fields import FileMark, Labels, absolute_path

DEMO_SOURCE = "demo:smart-home"
"""The source that stands for the examples that come with the studio."""


class DatasetParams(stage.Params):
    source: Annotated[str, FileMark()] = Field(
        DEMO_SOURCE,
        title="Source",
        description="File with your examples: CSV, TSV, JSON, JSON Lines or Parquet. `demo:smart-home` "
        "is the built-in demo.",
    )
    name: str = Field(
        "",
        title="Name",
        description="Name of the dataset. Leave blank to use the file name.",
        max_length=100,
    )
    languages: Annotated[list[Literal["en", "es"]], Labels({"en": "English", "es": "Spanish"})] = Field(
        ["en", "es"],
        title="Languages",
        description="Languages of the demo. Does not affect your own files.",
        min_length=1,
        max_length=2,
    )
    data_schema: str = Field(
        "auto",
        title="Schema",
        description="What the rows contain, such as text and label, or chat messages. Automatic infers "
        "it from the columns and asks if ambiguous.",
    )
    encoding: str = Field(
        "",
        title="Encoding",
        description="Text encoding, such as utf-8 or cp1252. Leave blank to detect it automatically.",
        max_length=40,
    )
    delimiter: str = Field(
        "",
        title="Delimiter",
        description="Character between cells of a text table. Leave blank to detect it automatically.",
        max_length=4,
    )
    header: Annotated[Literal["auto", "yes", "no"], Labels({"auto": "Automatic", "yes": "First row", "no": "None"})] = (
        Field("auto", title="Header", description="Whether the first row has the column names.")
    )
    quotes: Annotated[
        Literal["auto", "yes", "no"], Labels({"auto": "Automatic", "yes": "Delimiters", "no": "Plain characters"})
    ] = Field("auto", title="Quotation marks", description="Whether quotation marks delimit the cells of a table.")
    records: str = Field(
        "",
        title="Part of the file",
        description="Where the rows are: a sheet, a file in an archive, or a list in a JSON file "
        "(`data.items`). Leave blank to detect it.",
        max_length=300,
    )
    text_rows: Annotated[Literal["auto", "file"], Labels({"auto": "Automatic", "file": "Whole file"})] = Field(
        "auto",
        title="Rows of text files",
        description="Automatic: a row per heading, paragraph or line of a .txt or .md file. Whole file: one row each, for "
        "continued pre-training.",
    )
    input: str = Field(
        "",
        title="Input column",
        description="Column the model reads: the question or text. Leave blank to detect it.",
    )
    output: str = Field(
        "",
        title="Answer column",
        description="Column the model learns to write. Leave blank to detect it.",
    )
    details: str = Field(
        "",
        title="Second input column",
        description="Column appended to the input, for data split in two, such as Alpaca's “input”.",
    )
    input_columns: list[str] = Field(
        [],
        title="More input columns",
        description="Further input columns, in this order. {column} in the user prompt sets the place of each.",
        max_length=50,
    )
    messages: str = Field(
        "",
        title="Conversation column",
        description="Column with whole conversations, as lists of messages.",
    )
    system_column: str = Field("", title="System column", description="Column with each row's own system prompt.")
    label_names: str = Field(
        "",
        title="Label name column",
        description="Column with label names, if the answer column has label numbers.",
    )
    keep_columns: list[str] = Field(
        [],
        title="Metadata columns",
        description="Columns kept with each row for evaluation, such as an id or a source. Not read by models.",
        max_length=50,
    )
    turns: Annotated[Literal["all", "last"], Labels({"all": "All", "last": "Last"})] = Field(
        "all",
        title="Trained turns",
        description="Which answers of a conversation to train on: every assistant turn, or only the last.",
    )
    group: str = Field(
        "",
        title="Group column",
        description="Rows with the same value, such as one customer, stay in the same split for a fair test.",
    )
    answer: Annotated[
        Literal["auto", "label", "text"], Labels({"auto": "Automatic", "label": "Labels", "text": "Free text"})
    ] = Field(
        "auto",
        title="Answer type",
        description="Labels: a few fixed answers, right or wrong. Free text: anything else. Automatic "
        "infers it from the data.",
    )
    system: str = Field(
        "",
        title="System prompt",
        description="Instruction before every input. Leave blank for a short default with labels, none with free text.",
    )
    user: str = Field(
        "{input}",
        title="User prompt",
        description="How each input is presented to the model. {input} marks its place, {column} any column by name.",
    )
    prompt_language: Annotated[
        Literal["auto", "en", "es"], Labels({"auto": "Same as the rows", "en": "English", "es": "Spanish"})
    ] = Field(
        "auto",
        title="Prompt language",
        description="Language of the text added to the prompt. Your own system prompt is not changed.",
    )
    list_labels: bool = Field(
        False,
        title="List the labels",
        description="Lists every label in the instruction. Needed by untuned models; tuned ones are faster without.",
    )
    validation: float = Field(
        0.1,
        ge=0,
        le=0.5,
        title="Validation share",
        description="Share of rows reserved for comparing models as you work; 0.1 is one in ten. More is "
        "more reliable but leaves less for training.",
    )
    test: float = Field(
        0.1,
        ge=0,
        le=0.5,
        title="Test share",
        description="Share of rows no model sees until the final score; 0.1 is one in ten.",
    )
    split_by: Annotated[
        Literal["auto", "random", "column", "time"],
        Labels({"auto": "Automatic", "random": "At random", "column": "By column", "time": "By time"}),
    ] = Field(
        "auto",
        title="Split by",
        description="How rows are split. Automatic uses a train/test column, else splits at random. By "
        "time tests on the newest rows.",
    )
    split_column: str = Field(
        "",
        title="Split column",
        description="Column with train, validation or test, or the time of each row.",
    )
    near_duplicates: float = Field(
        0.8,
        ge=0,
        le=1,
        title="Near-duplicate threshold",
        description="Rows with inputs this similar (1: identical) stay in one split, so no test row "
        "leaks into training. 0 compares exact inputs only.",
    )
    validation_source: Annotated[str, FileMark()] = Field(
        "",
        title="Validation file",
        description="Your own file of validation rows. None are then taken from the source.",
    )
    test_source: Annotated[str, FileMark()] = Field(
        "", title="Test file", description="Your own file of test rows. None are then taken from the source."
    )
    max_rows: int = Field(
        0,
        ge=0,
        title="Maximum rows",
        description="Random sample of this size, for quick tests. 0 uses all.",
    )
    labelled_rows: int = Field(
        0,
        ge=0,
        title="Labelled rows",
        description="Training rows that keep their answer; the others become unlabelled, for a teacher "
        "to answer. 0 keeps all.",
    )
    pool_rows: int = Field(
        0,
        ge=0,
        title="Unlabelled rows",
        description="Unlabelled rows kept for a teacher. More teach more but take longer. 0 keeps all.",
    )
    on_bad_row: Annotated[Literal["stop", "skip"], Labels({"stop": "Stop and list", "skip": "Skip"})] = Field(
        "stop",
        title="Row errors",
        description="What to do with unusable rows: stop and list them so you can fix the file, or skip them.",
    )
    duplicates: Annotated[Literal["keep", "drop"], Labels({"keep": "Keep all", "drop": "Keep first"})] = Field(
        "keep",
        title="Duplicates",
        description="Rows with the same input and answer. Many copies cause overfitting.",
    )
    license: str = Field(
        "",
        title="License",
        description="License of the data, such as CC-BY-4.0, for anyone who uses it.",
        max_length=100,
    )

    @field_validator("source", "validation_source", "test_source")
    @classmethod
    def _absolute(cls, value: str) -> str:
        """A path means the same to every process, whatever folder it was started in."""
        return value if value.startswith("demo:") or "${" in value else absolute_path(value)
