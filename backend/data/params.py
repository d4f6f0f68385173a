"""Parameters of a dataset: which columns are read, how rows are split, the prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from backend.core import stage
from backend.core.fields import Labels

DEMO_SOURCE = "demo:smart-home"
"""The source that stands for the examples that come with the studio."""


class DatasetParams(stage.Params):
    source: str = Field(
        DEMO_SOURCE,
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
    data_schema: str = Field(
        "auto",
        title="Schema",
        description="What the rows are, such as text and label, or chat messages. Automatic sees it from the columns, and asks "
        "when two readings fit.",
    )
    encoding: str = Field(
        "",
        title="Encoding",
        description="The encoding of the text, such as utf-8 or cp1252. Leave it empty and the studio finds it.",
        max_length=40,
    )
    delimiter: str = Field(
        "",
        title="Delimiter",
        description="The character between two cells of a table in text. Leave it empty and the studio finds it.",
        max_length=4,
    )
    header: Annotated[Literal["auto", "yes", "no"], Labels({"auto": "Automatic", "yes": "First row", "no": "None"})] = (
        Field("auto", title="Header", description="Whether the first row of a table holds the names of the columns.")
    )
    quotes: Annotated[
        Literal["auto", "yes", "no"], Labels({"auto": "Automatic", "yes": "As quotes", "no": "As plain characters"})
    ] = Field(
        "auto", title="Quotation marks", description="Whether quotation marks hold the cells of a table together."
    )
    records: str = Field(
        "",
        title="Part of the file",
        description="Where the rows are: the sheet of a workbook, the file in an archive, or the list in a JSON file "
        "(`data.items`). Leave it empty and the studio finds it.",
        max_length=300,
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
    input_columns: list[str] = Field(
        [],
        title="More input columns",
        description="Further columns that the model reads, in this order. {column} in the user prompt says where each goes.",
        max_length=50,
    )
    messages: str = Field(
        "",
        title="Conversation column",
        description="The column that holds whole conversations, as lists of messages.",
    )
    system_column: str = Field("", title="System column", description="The column with each row's own system prompt.")
    label_names: str = Field(
        "",
        title="Label name column",
        description="The column with the names of the labels, where the answer column holds their numbers.",
    )
    keep_columns: list[str] = Field(
        [],
        title="Carried columns",
        description="Columns that travel with each row to the evaluation, such as an id, a source or a customer. No model "
        "reads them.",
        max_length=50,
    )
    turns: Annotated[Literal["all", "last"], Labels({"all": "All", "last": "The last"})] = Field(
        "all",
        title="Learned turns",
        description="Which answers of a conversation are learned: every turn of the assistant, or the last one only.",
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
        "{input}",
        title="User prompt",
        description="How each input is put to the model. {input} marks its place, {column} that of a column by its name.",
    )
    prompt_language: Annotated[
        Literal["auto", "en", "es"], Labels({"auto": "That of the rows", "en": "English", "es": "Spanish"})
    ] = Field(
        "auto",
        title="Language of the prompt",
        description="The language of the words that the studio itself adds to the prompt. A system prompt of your own stays "
        "as it is.",
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
    split_by: Annotated[
        Literal["auto", "random", "column", "time"],
        Labels({"auto": "Automatic", "random": "At random", "column": "By column", "time": "By time"}),
    ] = Field(
        "auto",
        title="Split by",
        description="How the rows are divided. Automatic takes a column that says train or test, else divides at random. By "
        "time tests on the newest rows.",
    )
    split_column: str = Field(
        "",
        title="Split column",
        description="The column that says train, validation or test, or holds the time of each row.",
    )
    near_duplicates: float = Field(
        0.8,
        ge=0,
        le=1,
        title="Near duplicates from",
        description="Rows whose inputs are at least so alike (1: the same letters) stay in one split, so that no copy of a "
        "test row is learned. 0 looks at equal inputs only.",
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
