"""Answers in the order in which people should see them, those worth a look first in front: a teacher's, or the rows of any
dataset that a check doubts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.data.dataset import DataFolder, Row
from backend.data.gates.report import Doubt

Find = Callable[[str], ArtifactView]
HumanAnswers = set[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class RowPosition:
    """Where a row lies in the file of its split: `size` bytes from `start`. `label` is its answer in a dataset of labels;
    `why`: what a check says against that answer."""

    row: str
    label: str
    start: int
    size: int
    split: str = "train"
    why: str = ""


class ReviewQueue:
    """The rows of a dataset that a teacher answered, or those that a check doubts; holds their places, not their texts.

    `doubts` come in their order, whoever answered them. Of a teacher's answers lowest confidence first; of equal ones (or
    without any) first those where the answer is not the person's, then those of rare labels, then as they lie in the file. The
    same dataset always gives the same order. `doubtful`: whether a confidence or a person's answer had a say in it, or a check.
    """

    def __init__(self, view: ArtifactView, find: Find, doubts: Sequence[Doubt] | None = None) -> None:
        if doubts is None and not view.facts.get("teacher"):
            raise StudioError("review.no_teacher", ref=view.name)
        self.data = DataFolder(view.path)
        self._file("train")
        self.labels = self.data.template.labels
        self.positions = self._ordered(human_answers(view, find)) if doubts is None else self._named(doubts)
        self.at = {place.row: number for number, place in enumerate(self.positions)}

    def _ordered(self, known: HumanAnswers) -> list[RowPosition]:
        found: list[tuple[float, bool, RowPosition]] = []
        for place, row in self._walk():
            if is_teacher_answer(row, known):
                sure = 1.0 if row.confidence is None else row.confidence
                found.append((sure, row.gold is None or row.gold.strip() == (row.output or "").strip(), place))
        self.doubtful = any(sure < 1 or not agrees for sure, agrees, _place in found)
        often = Counter(place.label for _sure, _agrees, place in found)
        found.sort(key=lambda item: (*item[:2], often[item[2].label], item[2].start))
        once: dict[str, RowPosition] = {}
        for _sure, _agrees, place in found:
            once.setdefault(place.row, place)
        return list(once.values())

    def _named(self, doubts: Sequence[Doubt]) -> list[RowPosition]:
        self.doubtful = True
        wanted = {(doubt.split, doubt.row): doubt.detail for doubt in doubts}
        found: dict[tuple[str, str], RowPosition] = {}
        for split in dict.fromkeys(doubt.split for doubt in doubts):
            for place, row in self._walk(split):
                if (split, row.id) in wanted and row.output is not None:
                    found.setdefault((split, row.id), replace(place, why=wanted[split, row.id]))
        once = {found[key].row: found[key] for key in reversed(wanted) if key in found}
        return list(reversed(once.values()))

    def _walk(self, split: str = "train") -> Iterator[tuple[RowPosition, Row]]:
        start = 0
        with self._file(split).open("rb") as stream:
            for line in stream:
                row = Row.model_validate_json(line)
                yield RowPosition(row.id, (row.output or "") if self.labels else "", start, len(line), split), row
                start += len(line)

    def _file(self, split: str) -> Path:
        file = self.data.path / f"{split}.jsonl"
        if not file.is_file():
            raise StudioError("core.artifact_damaged", ref=self.data.path.name, file=file.name)
        return file

    def rows(self, positions: Iterable[RowPosition]) -> Iterator[Row]:
        """The rows at these places, in this order. Raises StudioError when their file is gone."""
        places = list(positions)
        with ExitStack() as opened:
            files = {each: opened.enter_context(self._file(each).open("rb")) for each in {at.split for at in places}}
            for place in places:
                stream = files[place.split]
                stream.seek(place.start)
                yield Row.model_validate_json(stream.read(place.size))


def human_answers(view: ArtifactView, find: Find) -> HumanAnswers:
    """(row, hash of its answer) of the training rows that people answered, of all datasets that `view` was made from: a
    teacher's dataset holds them too, and nothing marks them there."""
    known: HumanAnswers = set()
    for parent in map(find, view.parents):
        if parent.kind is not Kind.DATASET:
            continue
        if parent.facts.get("teacher"):
            known |= human_answers(parent, find)
        else:
            known |= {(row.id, hash(row.output)) for row in DataFolder(parent.path).rows("train")}
    return known


def is_teacher_answer(row: Row, known: HumanAnswers) -> bool:
    """Whether a training row's answer is a teacher's."""
    if row.output is None:
        return False
    return row.gold is not None or row.confidence is not None or (row.id, hash(row.output)) not in known
