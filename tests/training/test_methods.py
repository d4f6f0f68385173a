"""What stands against a method before anything runs, and what it takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.core.messages import MESSAGES
from backend.core.schemas import ArtifactView, Kind
from backend.stages.distill import STAGE, DistillParams
from backend.training.methods import METHOD_FIELDS, ONLINE_METHODS, unused_fields
from tests.helpers import view
from tests.planning.ablation.ablation_builder import tokenizer
from tests.stages.fake_world import FakeWorld
from tests.stages.test_finetune import ROWS, SMOL

FIELDS = {field for asked in METHOD_FIELDS.values() for field in asked}
OTHER = {"capture": "c", "teacher": "t", "kl_weight": 0.25, "temperature": 2.0, "divergence": "jsd"}
OTHER |= {"own_share": 0.25, "own_tokens": 8, "rationale": "multitask", "rationale_weight": 0.5}


def model(folder: Path, name: str, files: dict[str, str], kind: Kind = Kind.MODEL, **facts: Any) -> ArtifactView:
    (folder / name).mkdir(parents=True)
    for file, text in files.items():
        (folder / name / file).write_text(text, "utf-8")
    return view(folder / name, kind, name, **{**SMOL, **facts})


def world_of(folder: Path, **student: Any) -> FakeWorld:
    """A teacher `t`, a narrower one `thin`, students `part` (some of its tokens, cut from it), `whole`, `far` (other
    tokens) and `marked` (other marks of a conversation), an ONNX model `o`, rows `d`."""
    cut = {"layers": 2, "kept_layers": [0, 29], "parameters": 8_000_000, "vocabulary": 4096, **student}
    byte = json.dumps({"model": {"vocab": {"a": 0, "z": 1}}, "decoder": {"type": "ByteLevel"}})
    teacher = tokenizer(["a", "b", "c"])
    teacher["tokenizer.json"] = json.dumps({**json.loads(teacher["tokenizer.json"]), "decoder": {"type": "ByteLevel"}})
    found = [model(folder, "t", teacher), model(folder, "part", tokenizer(["b", "a"]), **cut)]
    found += [model(folder, "whole", teacher), model(folder, "far", {**teacher, "tokenizer.json": byte})]
    found += [model(folder, "thin", teacher, hidden_size=64)]
    found += [model(folder, "marked", tokenizer(["a", "b", "c"], template="others"))]
    found += [model(folder, "odd", tokenizer(["a", "q"])), model(folder, "o", {}, Kind.ONNX)]
    return FakeWorld(*found, view(folder, Kind.DATASET, "d", **ROWS))


def refused(world: FakeWorld, **params: Any) -> list[tuple[str, str | None]]:
    """(code, field) of every problem; each has its sentences."""
    problems = STAGE.check(DistillParams.model_validate({"student": "part", "data": "d", **params}), world)
    assert all(problem.code in MESSAGES and problem.sentence() for problem in problems)
    return [(problem.code, problem.field) for problem in problems]


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"method": "online_logit"}, ("method.teacher_missing", "teacher")),
        ({"method": "online_logit", "teacher": "gone"}, ("core.artifact_unknown", "teacher")),
        ({"method": "online_logit", "teacher": "o"}, ("core.artifact_kind", "teacher")),
        ({"method": "on_policy", "teacher": "t", "student": "odd"}, ("method.tokens", "teacher")),
        ({"method": "online_logit", "teacher": "t", "student": "marked"}, ("method.chat_template", "teacher")),
        ({"method": "online_logit", "teacher": "t", "kl_weight": 0}, ("method.no_weight", "kl_weight")),
        ({"method": "cross_tokenizer", "teacher": "t"}, ("method.alike", "method")),
        ({"method": "cross_tokenizer", "teacher": "t", "student": "odd"}, ("method.not_bytes", "teacher")),
        ({"method": "hidden_states", "teacher": "t", "student": "whole"}, ("method.not_pruned", "student")),
        ({"method": "hidden_states", "teacher": "thin"}, ("method.other_layers", "teacher")),
        ({"method": "online_logit", "teacher": "part"}, ("method.itself", "teacher")),
        ({"method": "offline_logit"}, ("method.capture_missing", "capture")),
    ],
)
def test_each_refusal_stands_at_its_field(params: dict[str, Any], problem: tuple[str, str], tmp_path: Path) -> None:
    assert refused(world_of(tmp_path), **params) == [problem]


@pytest.mark.parametrize(
    "params",
    [
        {"method": "online_logit"},
        {"method": "online_logit", "student": "whole"},
        {"method": "on_policy"},
        {"method": "cross_tokenizer", "student": "far"},
        {"method": "hidden_states"},
    ],
)
def test_what_fits_is_not_refused(params: dict[str, Any], tmp_path: Path) -> None:
    assert refused(world_of(tmp_path), teacher="t", **params) == []


def test_the_teacher_has_to_fit_beside_the_student(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    alone = STAGE.quote(DistillParams(student="part", data="d"), world)
    world.memory_bytes = alone.memory_bytes + 400_000_000
    assert refused(world) == []
    for method in ("online_logit", "on_policy", "hidden_states"):
        assert refused(world, method=method, teacher="t") == [("core.memory_low", None)]


def test_the_quote_counts_the_teacher(tmp_path: Path) -> None:
    world = world_of(tmp_path)

    def quote(**params: Any) -> Any:
        return STAGE.quote(DistillParams.model_validate({"student": "part", "data": "d", **params}), world)

    alone, live, own, hidden = (
        quote(),
        *(quote(method=each, teacher="t") for each in ("online_logit", "on_policy", "hidden_states")),
    )
    assert live.memory_bytes - alone.memory_bytes > 134_515_008 * 4
    assert own.seconds > live.seconds > hidden.seconds > alone.seconds
    assert quote(method="on_policy", teacher="t", own_tokens=640).seconds > own.seconds


@pytest.mark.parametrize("method", METHOD_FIELDS)
def test_a_value_that_the_route_does_not_read_is_refused(method: str, tmp_path: Path) -> None:
    assert set(OTHER) == FIELDS and unused_fields(method) | set(METHOD_FIELDS[method]) == FIELDS
    world = world_of(tmp_path)
    world.add("c", Kind.CAPTURE, temperatures=[1.0, 2.0], data="d", bytes=1000)
    for field in unused_fields(method):
        assert ("method.unread", field) in refused(world, method=method, **{field: OTHER[field]})
    assert not [
        code
        for code, _ in refused(world, method=method, **{f: OTHER[f] for f in METHOD_FIELDS[method]})
        if code == "method.unread"
    ]


def test_a_capture_alone_means_its_route() -> None:
    named = DistillParams.model_validate({"student": "s", "data": "d", "capture": "c"})
    assert named.method == "offline_logit"
    assert DistillParams.model_validate({"student": "s", "data": "d"}).method == "sequence"
    other = DistillParams.model_validate({"student": "s", "data": "d", "capture": "c", "method": "sequence"})
    assert other.method == "sequence"
    with pytest.raises(StudioError):
        STAGE.parse({"student": "s", "data": "d", "method": "telepathy"})
    assert set(ONLINE_METHODS) == {"online_logit", "on_policy", "cross_tokenizer", "hidden_states"}
