"""Learning from a teacher with other tokens: TRL's loss against the formula, and two readings of an answer side by side."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from backend.core.schemas import ArtifactView
from backend.data.chat_template import Encoder
from backend.data.dataset import Row, Template, write_split, write_template
from backend.data.encoding import IGNORE_INDEX
from backend.ml.distillation.cross_tokenizer import CrossTokenizerTrainer, align_rows, uld_loss
from backend.ml.distillation.offline import NO_ROW
from backend.ml.distillation.online import Teacher, collate
from backend.ml.inference.load import load_model
from backend.training.methods import MethodParams
from tests.helpers import build_tiny_model, dataset_view, model_view
from tests.ml.distillation.test_online import built, examples_of

pytestmark = pytest.mark.ml
ANSWERS = ["red", "greenish añil 🙂", "a blue thing", "x"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[ArtifactView]:
    """A teacher and a student, each with tokens of its own, and rows."""
    folder = tmp_path_factory.mktemp("in")
    texts = [f"greenish añil {n} a blue thing" for n in range(30)]
    data = folder / "data"
    data.mkdir()
    write_template(data, Template(system="Name the colour."))
    write_split(data, "train", [Row(id=str(n), input=f"item {n}", output=each) for n, each in enumerate(ANSWERS)])
    teacher = model_view(build_tiny_model(folder / "t", hidden=48, texts=texts), "model-teacher")
    return [model_view(build_tiny_model(folder / "s"), "model-student"), teacher, dataset_view(data)]


def test_tokens_of_both_cover_the_same_bytes(inputs: list[ArtifactView]) -> None:
    student, teacher, data = inputs
    examples = examples_of(student.path, data)
    pairs = align_rows(student.path, teacher.path, data.path, examples, 256)
    assert [item["row"] for item in examples.items] == [0, 1, 2, 3]
    mine, theirs = Encoder(student.path), Encoder(teacher.path)
    assert mine.answer_ids(ANSWERS[1]) != theirs.answer_ids(ANSWERS[1])
    for answer, pair, item in zip(ANSWERS, pairs, examples.items, strict=True):
        size = len(answer.encode())
        assert pair.ids[pair.start :] == theirs.answer_ids(answer)
        assert pair.answer == mine.answer_ids(answer) == [id_ for id_ in item["labels"] if id_ != IGNORE_INDEX]
        for ids, offsets in ((pair.answer, pair.mine), (pair.ids[pair.start :], pair.offsets)):
            assert len(ids) == len(offsets) and offsets[0][0] == 0 and offsets[-1] == (size, size)
            assert all(before[1] == after[0] for before, after in pairwise(offsets))
    assert align_rows(student.path, teacher.path, data.path, examples, 256)[1].mine == pairs[1].mine


def test_the_loss_is_the_formula_over_places_where_both_end(inputs: list[ArtifactView], tmp_path: Path) -> None:
    """Plain passes row by row; tokens between two such places are joined by the chain rule, the end of turn counts."""
    student, teacher, data = inputs
    examples = examples_of(student.path, data)
    examples.items[3]["row"] = NO_ROW  # type: ignore[assignment]
    pairs = align_rows(student.path, teacher.path, data.path, examples, 256)
    examples.items[3]["row"] = NO_ROW  # type: ignore[assignment]
    temperature, weight = 1.5, 0.6
    params = MethodParams(method="cross_tokenizer", teacher="t", temperature=temperature, kl_weight=weight)
    guide = Teacher(load_model(teacher, None), torch.arange(1024).numpy())  # type: ignore[arg-type]
    loss = uld_loss(student.path, teacher.path, temperature)
    trainer = built(partial(CrossTokenizerTrainer, guide, loss, pairs, params), student.path, examples, tmp_path)
    found = trainer.compute_loss(trainer.model, trainer.data_collator(examples.items))
    distances, answers, tokens = [], [], []
    for row, item in enumerate(examples.items):
        pair, start = pairs[row], item["labels"].count(IGNORE_INDEX)
        mine = _predicted(trainer.model, item["input_ids"], start)
        theirs = _predicted(guide.model, pair.ids, pair.start)
        answers.append(float(-mine.log_softmax(-1).gather(1, torch.tensor(pair.answer)[:, None]).sum()))
        tokens.append(len(pair.answer))
        one = _joined((mine / temperature).softmax(-1), pair.answer, pair.mine, pair.offsets)
        other = _joined((theirs / temperature).softmax(-1), pair.ids[pair.start :], pair.offsets, pair.mine)
        distances.append(_apart(one, other, Encoder(student.path), Encoder(teacher.path)))
    known = sum(tokens[:3])
    expected = weight * sum(distances[:3]) / 3 * known + (1 - weight) * sum(answers[:3]) + answers[3]
    assert float(found.detach()) == pytest.approx(expected / sum(tokens), rel=1e-3)
    found.backward()
    assert all(weight.grad is None for weight in guide.model.parameters())
    assert all(weight.grad is not None for weight in trainer.model.parameters())


def _predicted(model: Any, ids: list[int], start: int) -> Any:
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0, start - 1 : -1].float()


def _joined(chances: Any, ids: list[int], mine: Any, others: Any) -> list[Any]:
    """The distribution at every byte where tokens of both end, times the chances of the tokens since the last such byte."""
    ends = {end for _, end in mine[:-1]} & {end for _, end in others[:-1]}
    found, since = [], 1.0
    for place, (_, end) in enumerate(mine):
        if end in ends or place == len(mine) - 1:
            found.append(chances[place] * since)
            since = 1.0
        else:
            since *= float(chances[place, ids[place]])
    return found


def _apart(mine: list[Any], theirs: list[Any], student: Encoder, teacher: Encoder) -> float:
    one, other = student.vocabulary(), teacher.vocabulary()
    both = sorted(one.keys() & other.keys())
    left, right = torch.tensor([one[word] for word in both]), torch.tensor([other[word] for word in both])
    total = 0.0
    for q, p in zip(mine, theirs, strict=True):
        a, b = q[left].clamp_min(1e-8), p[right].clamp_min(1e-8)
        m = (a + b) / 2
        total += float((a * (a / m).log() + b * (b / m).log()).sum()) / 2
        rest = [torch.ones(1024, dtype=torch.bool).index_fill(0, ids, False) for ids in (left, right)]
        ranked = [side[mask].sort(descending=True).values for side, mask in zip((q, p), rest, strict=True)]
        width = max(map(len, ranked))
        ranked = [torch.nn.functional.pad(side, (0, width - len(side))) for side in ranked]
        total += float((ranked[0] - ranked[1]).abs().sum()) if min(map(len, (q[rest[0]], p[rest[1]]))) else 0.0
    return total / len(mine)


def test_teacher_rows_are_its_own(inputs: list[ArtifactView]) -> None:
    student, teacher, data = inputs
    pairs = align_rows(student.path, teacher.path, data.path, examples_of(student.path, data), 256)
    batch = collate([pair.ids for pair in pairs], [pair.start for pair in pairs], "cpu")
    guide = Teacher(load_model(teacher, None), torch.zeros(1024, dtype=torch.long).numpy())  # type: ignore[arg-type]
    expected = torch.cat([_predicted(guide.model, pair.ids, pair.start) for pair in pairs])
    torch.testing.assert_close(guide.answer_logits(batch), expected, atol=1e-4, rtol=1e-4)
