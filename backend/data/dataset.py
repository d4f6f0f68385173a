"""A dataset on disk: `train|validation|test|pool.jsonl` and `template.json`.

The template belongs to the dataset version. Training, evaluation, chat and package read it from here, so that a model is
always asked with the words that it was trained on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView

SPLITS = ("train", "validation", "test", "pool")
RATIONALE_PROMPT = "Write only the steps that lead to the answer."
"""The instruction for rationales in training; it is never sent when an answer is asked for."""
INPUT_PLACE = "{input}"
Message = dict[str, Any]
"""A turn as OpenAI's chat format has it: `role` and `content`; `tool_calls`, `tool_call_id`, `name` where it has them."""


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


class Template(BaseModel):
    """How a row becomes messages. `answer` is `label` when every answer is one of `labels`, else `text`. `columns`: how the
    columns of the source became a row's input, with `{column}` placeholders; "" where one column is the input. `task`: what
    the rows are an example of (backend.data.reading.schemas); "" where nobody said."""

    model_config = ConfigDict(extra="forbid")

    system: str = ""
    user: str = "{input}"
    answer: Literal["label", "text"] = "text"
    labels: list[str] = []
    columns: str = ""
    task: str = ""

    def for_rationale(self) -> Template:
        """The same with the instruction to write the rationale alone: the second task in training."""
        return self.model_copy(update={"user": f"{self.user}\n\n{RATIONALE_PROMPT}"})

    def prompt(self, row: Row) -> list[Message]:
        """The messages up to the one that the model has to give."""
        system = [{"role": "system", "content": self.system}] if self.system else []
        has_system = bool(row.context) and row.context[0]["role"] == "system"
        before = [*([] if has_system else system), *row.context]
        if not row.input and row.context and row.context[-1]["role"] == "tool":
            return before  # the answer to the result of a tool: nobody asks again
        return [*before, {"role": "user", "content": self.user.replace(INPUT_PLACE, row.input)}]


class DataFolder:
    """Reads a dataset folder, a row at a time."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.template = Template.model_validate_json((self.path / "template.json").read_text("utf-8"))

    def rows(self, split: str) -> Iterator[Row]:
        file = self.path / f"{split}.jsonl"
        if not file.is_file():
            return
        with file.open(encoding="utf-8") as stream:
            for line in stream:
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


def data_facts(folder: Path) -> dict[str, Any]:
    """The facts of a dataset artifact: rows per split, kind of answer, labels, mean characters of a prompt and an answer; of
    the train split the rows with steps, their mean characters, the answers whose right one is known, and how many of these
    are right. Reads the rows once, one at a time."""
    folder = Path(folder)
    template = Template.model_validate_json((folder / "template.json").read_text("utf-8"))
    rows = dict.fromkeys(SPLITS, 0)
    found: Counter[str] = Counter()
    for split in SPLITS:
        for row in _objects(folder / f"{split}.jsonl"):
            rows[split] += 1
            _count_row(row, template, split, found)
    return {
        "rows": rows,
        "answer": template.answer,
        "labels": template.labels,
        "prompt_chars": round(found["prompt"] / max(1, sum(rows.values())), 1),
        "answer_chars": round(found["answer"] / max(1, found["answers"]), 1),
        "rationales": found["rationales"],
        "rationale_chars": round(found["rationale"] / max(1, found["rationales"]), 1),
        "known": found["known"],
        "known_right": found["right"],
    }


def _objects(file: Path) -> Iterator[dict[str, Any]]:
    """Stored rows as they are, unchecked."""
    if file.is_file():
        with file.open("rb") as stream:
            yield from map(orjson.loads, stream)


def _count_row(row: dict[str, Any], template: Template, split: str, found: Counter[str]) -> None:
    context = row.get("context") or ()
    found["prompt"] += sum(len(message.get("content") or "") for message in context)
    if not context or context[0]["role"] != "system":
        found["prompt"] += len(template.system)
    if row["input"] or not context or context[-1]["role"] != "tool":
        found["prompt"] += len(template.user) + template.user.count(INPUT_PLACE) * (
            len(row["input"]) - len(INPUT_PLACE)
        )
    output, gold = row.get("output"), row.get("gold")
    if output is not None:
        found["answers"] += 1
        found["answer"] += len(output)
    if split != "train":
        return
    if output is not None and row.get("rationale"):
        found["rationales"] += 1
        found["rationale"] += len(row["rationale"])
    if output and gold is not None:
        found["known"] += 1
        found["right"] += output.strip() == gold.strip()


def complete_facts(facts: dict[str, Any], folder: Path | str | None) -> dict[str, Any]:
    """The facts of a dataset in `folder`, counted again where an older version of the studio did not count all of them."""
    there = folder is not None and (Path(folder) / "template.json").is_file()
    return {**facts, **_counted(str(folder))} if there and "known" not in facts else facts


@lru_cache(maxsize=32)  # an artifact does not change
def _counted(folder: str) -> dict[str, Any]:
    return data_facts(Path(folder))


def gold_rows(source: ArtifactView, split: str, most: int | None = None) -> list[Row]:
    """The first `most` rows of a dataset's split whose right answer is known, all of them by default. Raises StudioError when
    there are none."""
    rows = [row for row in DataFolder(source.path).rows(split) if gold_answer(row) is not None][:most]
    if not rows:
        raise StudioError("chat.no_truth", ref=source.name, split=split)
    return rows


def gold_answer(row: Row) -> str | None:
    """What a person says is right: `gold` where `output` is a teacher's, else `output`."""
    return row.gold if row.gold is not None else row.output
