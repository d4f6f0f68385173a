"""A teacher's answers in the order in which people should see them: those worth a look first in front."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.data.dataset import DataFolder, Row

Find = Callable[[str], ArtifactView]
HumanAnswers = set[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class RowPosition:
    """Where a row lies in `train.jsonl`: `size` bytes from `start`. `label` is the teacher's answer in a dataset of labels."""

    row: str
    label: str
    start: int
    size: int


class ReviewQueue:
    """The rows of a dataset that a teacher answered; holds their places, not their texts.

    Lowest confidence first; of equal ones (or without any) first those where the answer is not the person's, then those of
    rare labels, then as they lie in the file. The same dataset always gives the same order. `doubtful`: whether a confidence
    or a person's answer had a say in it.
    """

    def __init__(self, view: ArtifactView, find: Find) -> None:
        if not view.facts.get("teacher"):
            raise StudioError("review.no_teacher", ref=view.name)
        if not (view.path / "train.jsonl").is_file():
            raise StudioError("core.artifact_damaged", ref=view.name, file="train.jsonl")
        self.data = DataFolder(view.path)
        self.labels = self.data.template.labels
        self.positions = self._ordered(human_answers(view, find))
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

    def _walk(self) -> Iterator[tuple[RowPosition, Row]]:
        start = 0
        with (self.data.path / "train.jsonl").open("rb") as stream:
            for line in stream:
                row = Row.model_validate_json(line)
                yield RowPosition(row.id, (row.output or "") if self.labels else "", start, len(line)), row
                start += len(line)

    def rows(self, positions: Iterable[RowPosition]) -> Iterator[Row]:
        """The rows at these places, in this order. Raises StudioError when their file is gone."""
        if not (self.data.path / "train.jsonl").is_file():
            raise StudioError("core.artifact_damaged", ref=self.data.path.name, file="train.jsonl")
        with (self.data.path / "train.jsonl").open("rb") as stream:
            for place in positions:
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
