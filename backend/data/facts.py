"""The facts of a dataset, counted block by block: rows, labels, characters, what is learned."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from backend.data.dataset import REJECTED_FILE, SPLITS, DataFolder, Row, Template, answer_of, message_text
from backend.data.row_blocks import RowBlock, read_lines
from backend.data.train_tally import Mean, TrainTally


def data_facts(folder: Path) -> dict[str, Any]:
    """The facts of a dataset artifact: rows per split, kind of answer, labels, mean characters of a prompt and an answer; of
    the train split the rows with steps, their mean characters, the answers whose right one is known, how many of these
    are right, the rows with tools, the `pairs` of an answer and a rejected one; `rejected_rows`, which hold the latter alone
    and are of no split; how many `sequences` these rows are where a conversation is one, and the mean characters
    of such a sequence that are learned and that are not."""
    tally, first = FactsTally(DataFolder(folder).template), 0
    for split in SPLITS:
        for lines in read_lines(folder / f"{split}.jsonl"):
            block = RowBlock(split, first, lines)
            tally.add(block)
            first += len(block)
    return tally.facts() | rejected_facts(folder)


def rejected_facts(folder: Path) -> dict[str, int]:
    """The count of the rows that hold nothing but a rejected answer."""
    return {"rejected_rows": sum(lines.count(b"\n") for lines in read_lines(folder / REJECTED_FILE))}


def complete_facts(facts: dict[str, Any], folder: Path | str | None) -> dict[str, Any]:
    """The facts of a dataset in `folder`, counted again where an older version of the studio did not count all of them."""
    there = folder is not None and (Path(folder) / "template.json").is_file()
    known = {"known", "sequences", "pairs", "rejected_rows"} <= facts.keys()
    return {**facts, **_counted(str(folder))} if there and not known else facts


@lru_cache(maxsize=32)  # an artifact does not change
def _counted(folder: str) -> dict[str, Any]:
    return data_facts(Path(folder))


class FactsTally:
    """Counts what `data_facts` tells, of blocks that it is given one after another."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self._rows = dict.fromkeys(SPLITS, 0)
        self._prompts, self._answers, self._train = Mean(), Mean(), TrainTally()
        self._around = _prompt_chars(template, Row(id="", input=""))
        self._places = template.user.count("{input}")

    def add(self, block: RowBlock) -> None:
        self._rows[block.split] += len(block)
        if block.bare:
            self._add_columns(block)
        else:
            self._add_rows(block)

    def _add_columns(self, block: RowBlock) -> None:
        """Rows without anything but an input and an answer."""
        prompts = pc.add(pc.multiply(pc.utf8_length(block.inputs), self._places), self._around)
        answers = pc.utf8_length(block.outputs)
        self._prompts.add_all(len(block), _sum(prompts))
        self._answers.add_all(len(answers) - answers.null_count, _sum(answers))
        if block.split == "train":
            answered = pc.is_valid(answers)
            longest = pc.max(pc.add(prompts, answers)).as_py() or 0
            self._train.add_alone(_sum(answered), _sum(answers), _sum(pc.filter(prompts, answered)), longest)

    def _add_rows(self, block: RowBlock) -> None:
        for row in block.rows():
            prompt, answer = _prompt_chars(self.template, row), answer_of(row)
            self._prompts.add(prompt)
            if answer is not None:
                self._answers.add(len(answer))
            if block.split == "train":
                self._train.add(row, answer, prompt)

    def facts(self) -> dict[str, Any]:
        return {
            "rows": dict(self._rows),
            "answer": self.template.answer,
            "labels": self.template.labels,
            "prompt_chars": self._prompts.rounded,
            "answer_chars": self._answers.rounded,
            **self._train.facts(),
        }


def _sum(numbers: Any) -> int:
    return int(pc.sum(numbers).as_py() or 0)


def _prompt_chars(template: Template, row: Row) -> int:
    """What a model is given, its tools included."""
    said = sum(len(message_text(message)) for message in template.prompt(row))
    return said + (len(json.dumps(row.tools, ensure_ascii=False)) if row.tools else 0)
