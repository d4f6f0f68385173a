"""Which ways lead from a teacher to a student: by who answered, tokenizers, chat templates and room."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.core.errors import Problem
from backend.core.messages import MESSAGES
from backend.core.schemas import Kind
from backend.planning import methods
from backend.planning.methods import MethodChoice, MethodOption
from backend.planning.planner import PlanWorld
from backend.training.methods import METHOD_FIELDS, ONLINE_METHODS, token_set
from tests.planning.ablation.ablation_builder import AblationBuilder, tokenizer
from tests.studio.builder import StudioBuilder


@pytest.fixture
def lab(home: Path) -> AblationBuilder:
    return AblationBuilder(StudioBuilder(home))


def named(choice: MethodChoice, name: str) -> MethodOption:
    return next(method for method in choice.methods if method.name == name)


def logit_of(choice: MethodChoice) -> tuple[bool, str]:
    sequence, logit = choice.methods[:2]
    assert [method.name for method in choice.methods] == list(METHOD_FIELDS)
    assert all((method.quote is not None) == (method.possible and method is not sequence) for method in choice.methods)
    assert all(method.reason.code in MESSAGES for method in choice.methods)
    assert (sequence.name, sequence.possible, logit.name) == ("sequence", True, "offline_logit")
    assert choice.recommended == ("offline_logit" if logit.possible else "sequence")
    assert choice.why.code in MESSAGES and logit.reason.code in MESSAGES and sequence.reason.sentence()
    assert (logit.quote is not None) == logit.possible
    return logit.possible, logit.reason.code


def test_a_student_with_a_part_of_the_teachers_tokens_can_learn_probabilities(lab: AblationBuilder) -> None:
    choice = lab.builder.studio.methods(lab.student.id, lab.answers.id)
    assert logit_of(choice) == (True, "method.part")
    assert choice.methods[1].reason.args == {"teacher": "teacher", "student": 2, "tokens": 3, "lacking": 0}
    assert choice.methods[1].quote and choice.methods[1].quote.disk_bytes > 0
    same = lab.builder.model("same", files=tokenizer(["a", "b", "c"]))
    assert logit_of(lab.builder.studio.methods(same.id, lab.answers.id)) == (True, "method.same")


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (tokenizer(["a", "b", "d", "e"]), "method.tokens"),
        (tokenizer(["a", "b", "c"], template="other marks"), "method.chat_template"),
        ({"payload.txt": "x"}, "core.artifact_damaged"),
    ],
)
def test_a_student_that_reads_text_otherwise_learns_answers(
    lab: AblationBuilder, files: dict[str, str], code: str
) -> None:
    other = lab.builder.model("other", files=files)
    choice = lab.builder.studio.methods(other.id, lab.answers.id)
    assert logit_of(choice) == (False, code)
    if code == "method.tokens":
        assert choice.methods[1].reason.args["lacking"] == 2


def test_endpoints_onnx_models_and_people_give_no_probabilities(lab: AblationBuilder, tmp_path: Path) -> None:
    studio, builder = lab.builder.studio, lab.builder
    facts = {**lab.answers.facts, "teacher": "gpt", "teachers": []}
    far = builder.artifact(Kind.DATASET, "far", facts, parents=[lab.gold.id])
    assert logit_of(studio.methods(lab.student.id, far.id)) == (False, "method.endpoint")
    small = builder.model("int4", Kind.ONNX)
    facts = {**lab.answers.facts, "teacher": "int4", "teachers": [small.id]}
    by_onnx = builder.artifact(Kind.DATASET, "by-onnx", facts, parents=[lab.gold.id, small.id])
    assert logit_of(studio.methods(lab.student.id, by_onnx.id)) == (False, "method.onnx")
    people = studio.methods(lab.student.id, lab.gold.id)
    assert logit_of(people) == (False, "method.no_teacher") and people.methods[0].reason.code == "method.people"


def test_a_teacher_that_does_not_fit_is_not_captured(lab: AblationBuilder) -> None:
    world = PlanWorld(lab.builder.store, lab.builder.studio.settings)
    world.memory_bytes = 10_000_000
    choice = methods.choose_method(lab.student, lab.answers, lab.builder.store.find_artifact, world)
    assert logit_of(choice) == (False, "core.memory_low")


def test_with_the_teacher_in_memory(lab: AblationBuilder) -> None:
    choice = lab.builder.studio.methods(lab.student.id, lab.answers.id)
    live, own, cross, hidden = (named(choice, name) for name in ONLINE_METHODS)
    assert (live.possible, own.possible, live.reason.code) == (True, True, "method.online_logit")
    assert live.reason.args == {"teacher": "teacher"}
    assert live.quote and own.quote and live.quote.memory_bytes > 500_000_000 and own.quote.seconds > live.quote.seconds
    assert (cross.possible, cross.reason.code) == (False, "method.alike")
    assert (hidden.possible, hidden.reason.code) == (False, "method.not_pruned")
    assert hidden.reason.args == {"teacher": "teacher"}


def test_a_student_that_was_cut_can_learn_states(lab: AblationBuilder) -> None:
    facts = {"layers": 2, "kept_layers": [0, 29], "parameters": 40_000_000}
    kept = lab.builder.model("cut", files=tokenizer(["b", "a"]), facts=facts)
    assert named(lab.builder.studio.methods(kept.id, lab.answers.id), "hidden_states").possible
    for wrong in ({"kept_layers": [0, 30]}, {"hidden_size": 64}):
        name = next(iter(wrong))
        other = lab.builder.model(f"other-{name}", files=tokenizer(["b", "a"]), facts={**facts, **wrong})
        found = named(lab.builder.studio.methods(other.id, lab.answers.id), "hidden_states")
        assert (found.possible, found.reason.code) == (False, "method.other_layers")


@pytest.mark.parametrize(("byte_level", "code"), [(True, "method.cross_tokenizer"), (False, "method.not_bytes")])
def test_other_tokens_can_be_translated_when_they_are_bytes(lab: AblationBuilder, byte_level: bool, code: str) -> None:
    def files(tokens: list[str], bytes_: bool) -> dict[str, str]:
        found = tokenizer(tokens)
        content = json.loads(found["tokenizer.json"]) | ({"decoder": {"type": "ByteLevel"}} if bytes_ else {})
        return {**found, "tokenizer.json": json.dumps(content)}

    teacher = lab.builder.model("far", files=files(["a", "b", "c"], byte_level))
    student = lab.builder.model("near", files=files(["a", "d"], True))
    choice = lab.builder.studio.methods(student.id, lab.answers.id, teacher.id)
    assert (named(choice, "cross_tokenizer").possible, named(choice, "cross_tokenizer").reason.code) == (
        byte_level,
        code,
    )
    assert not named(choice, "online_logit").possible and choice.recommended == "sequence"


def test_a_teacher_that_is_named_counts_for_rows_that_people_answered(lab: AblationBuilder) -> None:
    people = lab.builder.studio.methods(lab.student.id, lab.gold.id, lab.teacher.id)
    assert named(people, "online_logit").possible and people.recommended == "offline_logit"
    assert not named(lab.builder.studio.methods(lab.student.id, lab.gold.id), "online_logit").possible


def test_without_memory_for_both_or_room_for_a_capture(lab: AblationBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    world = PlanWorld(lab.builder.store, lab.builder.studio.settings)
    find = lab.builder.store.find_artifact
    world.memory_bytes = 2_100_000_000
    tight = methods.choose_method(lab.student, lab.answers, find, world)
    assert named(tight, "online_logit").reason.code == "core.memory_low" and tight.recommended == "offline_logit"
    full_disk = Problem(code="core.disk_low", args={"need": "9 GB", "free": "1 GB", "path": "home"})
    monkeypatch.setattr("backend.planning.methods.capture.check", lambda _params, _world: [full_disk])
    world = PlanWorld(lab.builder.store, lab.builder.studio.settings)
    full = methods.choose_method(lab.student, lab.answers, find, world)
    assert (named(full, "offline_logit").reason.code, full.recommended) == ("core.disk_low", "online_logit")
    assert full.why.code in MESSAGES


def test_teacher_and_gold_are_found_behind_a_review(lab: AblationBuilder) -> None:
    reviewed = lab.builder.artifact(Kind.DATASET, "reviewed", lab.answers.facts, parents=[lab.answers.id])
    studio = lab.builder.studio
    assert (teacher := studio.teacher_of(reviewed.id)) and teacher.id == lab.teacher.id
    assert (gold := studio.gold_of(reviewed.id)) and gold.id == lab.gold.id
    assert studio.teacher_of("gone") is None and studio.gold_of("gone") is None


def test_the_teacher_is_who_answered_not_who_judged_or_voted_beside(lab: AblationBuilder) -> None:
    studio, builder = lab.builder.studio, lab.builder
    judge = builder.model("a-judge", files=tokenizer(["a", "b", "c"]))
    parents = [lab.answers.id, judge.id]
    judged = builder.artifact(Kind.DATASET, "judged", {**lab.answers.facts, "judge": "a-judge"}, parents=parents)
    assert (teacher := studio.teacher_of(judged.id)) and teacher.id == lab.teacher.id
    both = {**lab.answers.facts, "teachers": [lab.teacher.id, judge.id]}
    voted = builder.artifact(Kind.DATASET, "voted", both, parents=[lab.gold.id, lab.teacher.id, judge.id])
    assert studio.teacher_of(voted.id) is None
    assert logit_of(studio.methods(lab.student.id, voted.id)) == (False, "method.endpoint")


def test_the_teacher_of_an_older_dataset_is_the_one_model_it_was_made_with(lab: AblationBuilder) -> None:
    studio, builder = lab.builder.studio, lab.builder
    facts = {name: value for name, value in lab.answers.facts.items() if name != "teachers"}
    parents = [lab.gold.id, lab.teacher.id]
    old = builder.artifact(Kind.DATASET, "old", facts, parents=parents)
    assert (teacher := studio.teacher_of(old.id)) and teacher.id == lab.teacher.id
    for name in ("judge", "generator"):
        unsure = builder.artifact(Kind.DATASET, f"old-{name}", {**facts, name: "x"}, parents=parents)
        assert studio.teacher_of(unsure.id) is None
    other = builder.model("other")
    voted = builder.artifact(Kind.DATASET, "old-voted", facts, parents=[*parents, other.id])
    assert studio.teacher_of(voted.id) is None


def test_added_tokens_count(tmp_path: Path) -> None:
    content = '{"model": {"vocab": {"a": 0}}, "added_tokens": [{"id": 1, "content": "<|end|>"}]}'
    (tmp_path / "tokenizer.json").write_text(content, "utf-8")
    assert token_set(tmp_path) == {"a", "<|end|>"}
