"""The facts of a dataset, counted block by block."""

from __future__ import annotations

import json
from typing import Any

import pyarrow.compute as pc

from backend.data.dataset import SPLITS, Row, Template, answer_of, message_text
from backend.data.row_blocks import RowBlock
from backend.data.train_tally import Mean, TrainTally


class FactsTally:
    """Counts what `backend.data.dataset.data_facts` tells, of blocks that it is given one after another."""

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
            self._train.add_alone(_sum(answered), _sum(answers), _sum(pc.filter(prompts, answered)))

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
