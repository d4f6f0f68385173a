"""What the model will see: rows rendered with the chat template of a model, and how many tokens they take. No torch."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder, Message, Row, Template
from backend.data.prepare import first_examples, make_template, to_row

if TYPE_CHECKING:
    from backend.data.params import DatasetParams

_SAMPLE_ROWS = 2000


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
    answer = row.output or ""
    turns = [*template.prompt(row), *([{"role": "assistant", "content": answer}] if answer else [])]
    if encoder is None:
        lines = [f"{message['role']}: {message['content']}" for message in template.prompt(row)]
        text = "\n".join([*lines, f"assistant: {answer}"])
        return PreviewRow(id=row.id, input=row.input, output=row.output, text=text, turns=turns)
    return PreviewRow(
        id=row.id,
        input=row.input,
        output=row.output,
        turns=turns,
        text=encoder.render(template.prompt(row)) + (answer + encoder.special("eos") if answer else ""),
        prompt_tokens=len(encoder.prompt_ids(template, row)),
        answer_tokens=len(encoder.answer_ids(answer)) if answer else None,
    )
