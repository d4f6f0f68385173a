"""What the model will see: rows rendered with the chat template of a model, and how many tokens they take. No torch."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder, Message, Row, Template, answer_of, message_text


class PreviewRow(BaseModel):
    """`text`: the conversation as the model reads it, the answer at its end; `turns`: the same as messages. Token counts are
    None without a model."""

    model_config = ConfigDict(frozen=True)

    id: str
    input: str
    output: str | None
    text: str
    turns: list[Message] = []
    prompt_tokens: int | None = None
    answer_tokens: int | None = None


def preview_folder(folder: Path, split: str = "train", n: int = 5, encoder: Encoder | None = None) -> list[PreviewRow]:
    """The first `n` rows of one split of a stored dataset."""
    data = DataFolder(folder)
    return [rendered(row, data.template, encoder) for row in islice(data.rows(split), n)]


def rendered(row: Row, template: Template, encoder: Encoder | None = None) -> PreviewRow:
    """One row as a model reads it; without a model's encoder the roles are words."""
    answer = answer_of(row) or ""
    prompt = template.prompt(row)
    turns = [*prompt, *([row.answer_message()] if answer else [])]
    if encoder is None:
        lines = [f"{message['role']}: {message_text(message)}" for message in prompt]
        text = "\n".join([*lines, f"assistant: {answer}"])
        return PreviewRow(id=row.id, input=row.input, output=row.output, text=text, turns=turns)
    return PreviewRow(
        id=row.id,
        input=row.input,
        output=row.output,
        turns=turns,
        text=encoder.render(prompt) + (encoder.answer_text(template, row) if answer else ""),
        prompt_tokens=len(encoder.prompt_ids(template, row)),
        answer_tokens=len(encoder.row_answer_ids(template, row)) if answer else None,
    )
