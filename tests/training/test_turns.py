"""What checks and quotes know of conversations and tools before a training starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.core.schemas import ArtifactView, Kind
from backend.data.dataset import Row, Template, write_split, write_template
from backend.stages import capture, distill, evaluate, finetune
from backend.training.methods import METHODS
from tests.data import tokenizers
from tests.data.test_encoding import conversation
from tests.data.test_tools import ANSWERED, ASKED
from tests.helpers import dataset_view, view
from tests.stages.test_finetune import SMOL, World


def model(folder: Path, template: str) -> ArtifactView:
    tokenizers.encoder(folder, template)
    return view(folder, Kind.MODEL, "m", **SMOL)


def data(folder: Path, rows: list[Row]) -> ArtifactView:
    folder.mkdir()
    write_template(folder, Template())
    write_split(folder, "train", rows)
    return dataset_view(folder, "d")


def quoted(tmp_path: Path, template: str, rows: list[Row], **given: Any) -> float:
    world = World(model(tmp_path / "m", template), data(tmp_path / "d", rows))
    return finetune.STAGE.quote(finetune.FinetuneParams(model="m", data="d", **given), world).seconds


@pytest.mark.parametrize(
    ("stage", "named"), [(finetune.STAGE, "model"), (distill.STAGE, "student"), (capture.STAGE, "teacher")]
)
def test_tools_without_a_place_are_refused_before_a_start(tmp_path: Path, stage: Any, named: str) -> None:
    rows = data(tmp_path / "d", [ASKED, ANSWERED])
    params = stage.parse({named: "m", "data": "d"})
    bare = World(model(tmp_path / "bare", tokenizers.PLAIN), rows)
    assert [(problem.code, problem.field) for problem in stage.check(params, bare)] == [("tools.no_place", "data")]
    assert stage.check(params, World(model(tmp_path / "tools", tokenizers.TOOLS), rows)) == []


def test_an_evaluation_of_calls_is_refused_before_a_start(tmp_path: Path) -> None:
    rows = data(tmp_path / "d", [ASKED])
    world = World(model(tmp_path / "bare", tokenizers.PLAIN), rows)
    problems = evaluate.check(evaluate.EvaluateParams(model="m", data="d", split="train"), world)
    assert [problem.code for problem in problems] == ["tools.no_place"]


def test_a_dataset_without_tools_may_go_to_any_model(tmp_path: Path) -> None:
    world = World(model(tmp_path / "m", tokenizers.PLAIN), data(tmp_path / "d", conversation()))
    assert finetune.STAGE.check(finetune.FinetuneParams(model="m", data="d"), world) == []


LONG = [("What is the weather like in Rome today, please?", "It is sunny and warm.")] * 8
TALKS = [row for number in range(200) for row in conversation(f"c{number}", LONG)]


def test_a_quote_follows_the_sequences(tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d", "e"):
        (tmp_path / name).mkdir()
    merged = quoted(tmp_path / "a", tokenizers.PLAIN, TALKS)
    alone = [row.model_copy(update={"conversation": ""}) for row in TALKS]
    apart = quoted(tmp_path / "b", tokenizers.PLAIN, alone)
    assert merged < 0.5 * apart
    other = tokenizers.PLAIN.replace("m['content'] +", "m['content'][:3] +")
    assert quoted(tmp_path / "c", other, TALKS) == apart
    assert merged < quoted(tmp_path / "d", tokenizers.PLAIN, TALKS, max_length=64) <= apart


def test_only_methods_that_know_several_answers_merge_turns() -> None:
    merging = {method.name for method in METHODS if method.merges_turns}
    assert merging == {"sequence", "online_logit"}
    given: dict[str, Any] = {"student": "s", "data": "d"}
    assert distill.DistillParams(**given).merges_turns
    assert not distill.DistillParams(**given, rationale="multitask").merges_turns
    assert not distill.DistillParams(**given, method="on_policy", teacher="t").merges_turns
