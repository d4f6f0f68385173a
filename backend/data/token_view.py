"""What a model reads of a dataset: the tokens of a row, and which of them carry loss; the lengths of all rows. No torch."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from backend.core.errors import StudioError
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder, Row, Template
from backend.data.encoding import IGNORE_INDEX, encode_rows

SAMPLE_ROWS = 20_000
"""Above so many rows lengths are measured on evenly spaced ones."""
MAX_PIECES = 20_000
_BINS = 30
_PERCENTILES = (50, 90, 95, 99)
_UNLIMITED = 2**31


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class TokenPiece(_View):
    """One token. `text`: what it adds to the text, "" while a character is not complete; `control`: it belongs to the chat
    template and no text can hold it; `loss`: the model learns to say it."""

    text: str
    id: int
    kind: Literal["control", "text"]
    loss: bool


class TokenView(_View):
    """A row as training reads it, with the other answers of its conversation that are learned in the same sequence.
    `pieces`: at most MAX_PIECES, `left_out` more behind them; `answers`: how many answers carry loss; `learned`: tokens with
    loss; `merged`: whether the conversation is one sequence."""

    row_id: str
    pieces: list[TokenPiece]
    left_out: int
    tokens: int
    prompt_tokens: int
    answer_tokens: int
    control_tokens: int
    learned: int
    answers: int
    merged: bool


class Lengths(_View):
    """Of the rows measured: how many fall into each bin (`counts[i]`: from `edges[i]` to below `edges[i + 1]` tokens), the
    mean, the longest, and percentiles (`{50: 120, ...}`)."""

    edges: list[int]
    counts: list[int]
    mean: float
    longest: int
    percentiles: dict[int, int]


class TokenLengths(_View):
    """Of a split: `rows` in it, `measured` of them (a sample where there are more than SAMPLE_ROWS), and with `max_length`
    tokens how many of the measured have a prompt that loses its beginning (`truncated`) or an answer that does not fit
    (`dropped`)."""

    rows: int
    measured: int
    sampled: bool
    max_length: int
    total: Lengths
    prompt: Lengths
    answer: Lengths
    truncated: int
    dropped: int


def token_view(data: Path, row_id: str, split: str, model: Path) -> TokenView:
    """One row of a dataset folder with the tokenizer and chat template of a model folder. Raises StudioError for an unknown
    row, or where the chat template has no place for its tools."""
    folder, encoder = DataFolder(data), Encoder(model)
    row = next((row for row in folder.rows(split) if row.id == row_id), None)
    if row is None:
        raise StudioError("tokens.no_row", row=row_id, split=split, data=folder.path.name)
    others = [row]
    if row.conversation:
        others = [each for each in folder.rows(split) if each.conversation == row.conversation]
    return view_row(encoder, folder.template, row, others)


def view_row(encoder: Encoder, template: Template, row: Row, conversation: list[Row]) -> TokenView:
    """As `token_view`. `conversation`: the rows of its conversation, the row itself too."""
    prompt = encoder.prompt_ids(template, row)
    answer = encoder.row_answer_ids(template, row) if row.output is not None else []
    alone, ids = prompt + answer, prompt + answer
    labels = [IGNORE_INDEX] * len(prompt) + answer
    for item in encode_rows(encoder, template, conversation, _UNLIMITED, merge=True).items:
        if answer and item["input_ids"][: len(alone)] == alone and item["labels"][len(prompt) : len(alone)] == answer:
            ids, labels = item["input_ids"], item["labels"]
    loss = [label != IGNORE_INDEX for label in labels]
    control = [each in encoder.control.ids for each in ids]
    texts = list(piece_texts(encoder, ids[:MAX_PIECES]))
    return TokenView(
        row_id=row.id,
        pieces=[
            TokenPiece(text=text, id=ids[at], kind="control" if control[at] else "text", loss=loss[at])
            for at, text in enumerate(texts)
        ],
        left_out=len(ids) - len(texts),
        tokens=len(ids),
        prompt_tokens=len(prompt),
        answer_tokens=len(answer),
        control_tokens=sum(control),
        learned=sum(loss),
        answers=sum(now and not before for before, now in zip([False, *loss], loss, strict=False)),
        merged=len(ids) > len(alone) or sum(loss) > len(answer),
    )


def piece_texts(encoder: Encoder, ids: list[int]) -> Iterator[str]:
    """What every token adds to the text: joined they are the decoded text, a character of several tokens stands at its last."""
    decode = encoder.tokenizer.decode
    start, read = 0, 0
    for end in range(1, len(ids) + 1):
        before = decode(ids[start:read], skip_special_tokens=False)
        now = decode(ids[start:end], skip_special_tokens=False)
        if now.endswith("\ufffd") and end - read < 4 and end < len(ids):  # UTF-8 has at most 4 bytes
            yield ""
            continue
        yield now[len(before) :]
        start, read = read, end


def token_lengths(data: Path, model: Path, split: str, max_length: int) -> TokenLengths:
    """Lengths of the rows of a split, read one by one; a row without an answer counts its prompt alone. Raises StudioError as
    `token_view`."""
    folder, encoder = DataFolder(data), Encoder(model)
    count = _lines(data / f"{split}.jsonl")
    every = max(1, ceil(count / SAMPLE_ROWS))
    prompts, answers, truncated, dropped = list[int](), list[int](), 0, 0
    for row in folder.rows(split, every):
        prompt = len(encoder.prompt_ids(folder.template, row))
        answer = len(encoder.row_answer_ids(folder.template, row)) if row.output is not None else 0
        prompts.append(prompt)
        answers.append(answer)
        dropped += answer >= max_length
        truncated += answer < max_length < prompt + answer
    totals = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
    return TokenLengths(
        rows=count,
        measured=len(prompts),
        sampled=every > 1,
        max_length=max_length,
        total=_lengths(totals),
        prompt=_lengths(prompts),
        answer=_lengths(answers),
        truncated=truncated,
        dropped=dropped,
    )


def _lines(file: Path) -> int:
    if not file.is_file():
        return 0
    with file.open("rb") as stream:
        return sum(1 for _ in stream)


def _lengths(values: list[int]) -> Lengths:
    ordered = sorted(values)
    longest = ordered[-1] if ordered else 0
    width = max(1, ceil((longest + 1) / _BINS))
    counts = [0] * ceil((longest + 1) / width)
    for value in values:
        counts[value // width] += 1
    return Lengths(
        edges=[width * at for at in range(len(counts) + 1)],
        counts=counts,
        mean=sum(values) / max(1, len(values)),
        longest=longest,
        percentiles={each: ordered[ceil(each / 100 * len(ordered)) - 1] for each in _PERCENTILES} if ordered else {},
    )
