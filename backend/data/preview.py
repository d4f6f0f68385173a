"""What the model will see: rows rendered with the chat template of a model, and how many tokens they take. No torch."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder, Row, Template, answer_of, message_text
from backend.data.params import DatasetParams
from backend.data.reader import open_source
from backend.data.reading.model import Roles
from backend.data.reading.read import read

_SAMPLE_ROWS = 2000


class PreviewRow(BaseModel):
    """`text`: the conversation as the model reads it, the answer at its end. Token counts are None without a model."""

    model_config = ConfigDict(frozen=True)

    id: str
    input: str
    output: str | None
    text: str
    prompt_tokens: int | None = None
    answer_tokens: int | None = None


class Columns(BaseModel):
    """The columns of a file, and those that are taken when none is named; `messages`: a column of whole conversations."""

    model_config = ConfigDict(frozen=True)

    names: list[str]
    input: str = ""
    output: str = ""
    details: str = ""
    messages: str = ""


def columns(path: Path) -> Columns:
    """Raises StudioError when the file can't be read; a role that can't be told is left empty."""
    source = open_source(path)
    taken = read(source, DatasetParams(source=str(path)), _SAMPLE_ROWS).taken
    roles = taken.roles if taken else Roles()
    inputs = [*roles.input, "", ""]
    return Columns(
        names=source.columns, input=inputs[0], output=roles.output, details=inputs[1], messages=roles.messages
    )


def preview_folder(folder: Path, split: str = "train", n: int = 5, encoder: Encoder | None = None) -> list[PreviewRow]:
    """The first `n` rows of one split of a stored dataset."""
    data = DataFolder(folder)
    return [rendered(row, data.template, encoder) for row in islice(data.rows(split), n)]


def rendered(row: Row, template: Template, encoder: Encoder | None = None) -> PreviewRow:
    """One row as a model reads it; without a model's encoder the roles are words."""
    answer = answer_of(row) or ""
    if encoder is None:
        turns = [f"{message['role']}: {message_text(message)}" for message in template.prompt(row)]
        text = "\n".join([*turns, f"assistant: {answer}"])
        return PreviewRow(id=row.id, input=row.input, output=row.output, text=text)
    return PreviewRow(
        id=row.id,
        input=row.input,
        output=row.output,
        text=encoder.render(template.prompt(row)) + (encoder.answer_text(template, row) if answer else ""),
        prompt_tokens=len(encoder.prompt_ids(template, row)),
        answer_tokens=len(encoder.row_answer_ids(template, row)) if answer else None,
    )
