"""What the model will see: rows rendered with the chat template of a model, and how many tokens they take. No torch."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from backend.core.errors import StudioError
from backend.data.chat_template import Encoder
from backend.data.columns import ColumnMapping, map_columns
from backend.data.dataset import DataFolder, Row, Template, answer_of, message_text
from backend.data.prepare import first_examples, make_template, to_row
from backend.data.reader import open_source

if TYPE_CHECKING:
    from backend.data.params import DatasetParams

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
    try:
        found = map_columns(source, ColumnMapping())
    except StudioError:
        found = ColumnMapping()
    roles = {role: getattr(found, role) for role in ("input", "output", "details", "messages")}
    return Columns(names=source.columns, **roles)


def preview(params: DatasetParams, n: int = 5, encoder: Encoder | None = None) -> list[PreviewRow]:
    """The first `n` rows of a source, before anything is stored. Raises StudioError as the stage would."""
    examples, _ = first_examples(params, max(n, _SAMPLE_ROWS))
    template = make_template(params, [row.output for row in examples if row.output is not None])
    return [_rendered(to_row(example), template, encoder) for example in examples[:n]]


def preview_folder(folder: Path, split: str = "train", n: int = 5, encoder: Encoder | None = None) -> list[PreviewRow]:
    """The first `n` rows of one split of a stored dataset."""
    data = DataFolder(folder)
    return [_rendered(row, data.template, encoder) for row in islice(data.rows(split), n)]


def _rendered(row: Row, template: Template, encoder: Encoder | None) -> PreviewRow:
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
