"""A dataset on disk: `train|validation|test|pool.jsonl` and `template.json`.

The template belongs to the dataset version. Training, evaluation, chat and package read it from here, so that a model is
always asked with the words that it was trained on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView
from backend.data.prompt_words import DEFAULT, PROMPT_WORDS, Language

SPLITS = ("train", "validation", "test", "pool")
REJECTED = "rejected"
"""Rows that hold nothing but a worse answer: kept for preference training, in a file that is no split."""
REJECTED_FILE = f"{REJECTED}.jsonl"
Message = dict[str, Any]
"""A turn as OpenAI's chat format has it: `role` and `content`; `tool_calls`, `tool_call_id`, `name` where it has them. The
first of a prompt may carry `tools`, what the model may call: so they go wherever the prompt goes."""


class ScoredAnswer(BaseModel):
    """An answer that was a candidate for a row, who gave it, and the judge's score (1 to 5; None: not readable)."""

    model_config = ConfigDict(extra="forbid")

    answer: str
    teacher: str
    score: int | None = None


class Row(BaseModel):
    """One example. `context`: earlier messages of a conversation; `output`: the answer to learn, None in the pool;
    `gold`: the person's answer where `output` is a teacher's (or hidden in the pool), for agreement only; `confidence`:
    how sure the teacher was of `output`, 0 to 1; `rationale`: its steps to the answer, kept apart from it; `scores`: the
    candidates among which a judge chose `output`.

    `conversation`: shared by the rows that are answers of one conversation; each assistant turn is a row. `tools`: what the
    model may call, in OpenAI's format; `tool_calls`: the calls that are the answer, beside its text (`output`, maybe "").
    `rejected`: the worse answer of a preference. `fields`: columns of the source that travel with the row (ids, source,
    slices). `tags`: words that a person put on it."""

    model_config = ConfigDict(extra="forbid")

    id: str
    input: str
    output: str | None = None
    gold: str | None = None
    context: list[Message] = []
    confidence: float | None = None
    rationale: str | None = None
    scores: list[ScoredAnswer] = []
    conversation: str = ""
    tools: list[dict[str, Any]] = []
    tool_calls: list[dict[str, Any]] = []
    rejected: str | None = None
    fields: dict[str, str] = {}
    tags: list[str] = []

    @property
    def answers_context(self) -> bool:
        """Whether the last message of its context is what it answers."""
        return not self.input and bool(self.context) and self.context[-1]["role"] in ("user", "tool")

    def answer_message(self) -> Message:
        """The answer as a turn of a conversation."""
        calls = {"tool_calls": self.tool_calls} if self.tool_calls else {}
        return {"role": "assistant", "content": self.output or "", **calls}


class Template(BaseModel):
    """How a row becomes messages. `answer` is `label` when every answer is one of `labels`, else `text`. `columns`: how the
    columns of the source became a row's input, with `{column}` placeholders; "" where one column is the input. `task`: what
    the rows are an example of (backend.data.reading.schemas); "" where nobody said. `language`: that of the words which the
    studio adds (backend.data.prompt_words)."""

    model_config = ConfigDict(extra="forbid")

    system: str = ""
    user: str = "{input}"
    answer: Literal["label", "text"] = "text"
    labels: list[str] = []
    columns: str = ""
    task: str = ""
    language: Language = DEFAULT

    def for_rationale(self) -> Template:
        """The same with the instruction to write the rationale alone: the second task in training."""
        return self.model_copy(update={"user": f"{self.user}\n\n{PROMPT_WORDS[self.language].rationale}"})

    def prompt(self, row: Row) -> list[Message]:
        """The messages up to the one that the model has to give; the first carries the row's tools. A row with an empty input
        answers the last message of its context, as after the result of a call."""
        system = [{"role": "system", "content": self.system}] if self.system else []
        has_system = bool(row.context) and row.context[0]["role"] in ("system", "developer")
        user = [] if row.answers_context else [{"role": "user", "content": self.user.replace("{input}", row.input)}]
        messages = [*([] if has_system else system), *row.context, *user]
        return [{**messages[0], "tools": row.tools}, *messages[1:]] if row.tools else messages


class DataFolder:
    """Reads a dataset folder, a row at a time."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.template = Template.model_validate_json((self.path / "template.json").read_text("utf-8"))

    def rows(self, split: str, every: int = 1) -> Iterator[Row]:
        """The rows of a split, of `every` so many the first."""
        file = self.path / f"{split}.jsonl"
        if not file.is_file():
            return
        with file.open(encoding="utf-8") as stream:
            for line in islice(stream, 0, None, every):
                yield Row.model_validate_json(line)

    def count(self, split: str) -> int:
        return sum(1 for _ in self.rows(split))


def write_split(folder: Path, split: str, rows: Iterable[Row]) -> int:
    """Write one split as JSON lines; returns the number of rows."""
    count = 0
    with (folder / f"{split}.jsonl").open("w", encoding="utf-8") as stream:
        for row in rows:
            stream.write(json.dumps(row.model_dump(exclude_defaults=True), ensure_ascii=False) + "\n")
            count += 1
    return count


def write_template(folder: Path, template: Template) -> None:
    (folder / "template.json").write_text(template.model_dump_json(indent=1), encoding="utf-8")


def offered_tools(messages: list[Message]) -> list[dict[str, Any]]:
    """What the model may call in a conversation, in OpenAI's format."""
    return messages[0].get("tools") or [] if messages else []


def called_names(messages: list[Message], tools: list[dict[str, Any]] | None = None) -> list[str]:
    """The names of all functions that are offered or called."""
    calls = [call for message in messages for call in message.get("tool_calls") or []]
    functions = [each.get("function", each) for each in [*(tools or offered_tools(messages)), *calls]]
    return [str(function["name"]) for function in functions if function.get("name")]


def message_text(message: Message) -> str:
    """The text of a turn, its calls included; "" where it has none."""
    content = message.get("content") or ""
    calls = _calls_text(message.get("tool_calls") or [])
    return "\n".join(filter(None, [content if isinstance(content, str) else json.dumps(content), calls]))


def answer_of(row: Row) -> str | None:
    """The answer of a row as text, its calls as JSON behind it, one a line; None in the pool. As one model has to write calls:
    `Encoder.answer_text`."""
    return message_text(row.answer_message()) if row.tool_calls else row.output


def call_arguments(function: dict[str, Any]) -> Any:
    """The arguments of a call as an object, also where they are kept as its text."""
    given = function.get("arguments")
    if not isinstance(given, str):
        return given or {}
    try:
        return json.loads(given or "{}")
    except ValueError:
        return given


def _calls_text(calls: list[dict[str, Any]]) -> str:
    """Calls as JSON, the arguments in the order of their names: equal calls are equal texts."""
    lines = []
    for function in (call.get("function", call) for call in calls):
        name = json.dumps(function.get("name"), ensure_ascii=False)
        arguments = json.dumps(call_arguments(function), ensure_ascii=False, sort_keys=True)
        lines.append(f'{{"name": {name}, "arguments": {arguments}}}')
    return "\n".join(lines)


def gold_rows(source: ArtifactView, split: str, most: int | None = None) -> list[Row]:
    """The first `most` rows of a dataset's split whose right answer is known, all of them by default. Raises StudioError when
    there are none."""
    rows = [row for row in DataFolder(source.path).rows(split) if gold_answer(row) is not None][:most]
    if not rows:
        raise StudioError("chat.no_truth", ref=source.name, split=split)
    return rows


def gold_answer(row: Row) -> str | None:
    """What a person says is right: `gold` where `output` is a teacher's, else the answer itself."""
    return row.gold if row.gold is not None else answer_of(row)
