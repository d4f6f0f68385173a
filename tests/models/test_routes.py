"""Which ways lead from a teacher to a student: by who answered, tokenizers, chat templates and room."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.messages import MESSAGES
from backend.models import routes
from backend.models.routes import Choice
from backend.planner import PlanWorld
from backend.schemas import Kind
from tests.ablation.lab import Lab, tokenizer
from tests.studio.house import House


@pytest.fixture
def lab(home: Path) -> Lab:
    return Lab(House(home))


def logit_of(choice: Choice) -> tuple[bool, str]:
    sequence, logit = choice.routes
    assert (sequence.name, sequence.possible, logit.name) == ("sequence", True, "logit")
    assert choice.recommended == ("logit" if logit.possible else "sequence")
    assert choice.why.code in MESSAGES and logit.reason.code in MESSAGES and sequence.reason.sentence()
    assert (logit.quote is not None) == logit.possible
    return logit.possible, logit.reason.code


def test_a_student_with_a_part_of_the_teachers_tokens_can_learn_probabilities(lab: Lab) -> None:
    choice = lab.house.studio.routes(lab.student.id, lab.answers.id)
    assert logit_of(choice) == (True, "route.part")
    assert choice.routes[1].reason.args == {"teacher": "teacher", "student": 2, "tokens": 3, "lacking": 0}
    assert choice.routes[1].quote and choice.routes[1].quote.disk_bytes > 0
    same = lab.house.model("same", files=tokenizer(["a", "b", "c"]))
    assert logit_of(lab.house.studio.routes(same.id, lab.answers.id)) == (True, "route.same")


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (tokenizer(["a", "b", "d", "e"]), "route.tokens"),
        (tokenizer(["a", "b", "c"], template="other marks"), "route.chat_template"),
        ({"payload.txt": "x"}, "core.artifact_damaged"),
    ],
)
def test_a_student_that_reads_text_otherwise_learns_answers(lab: Lab, files: dict[str, str], code: str) -> None:
    other = lab.house.model("other", files=files)
    choice = lab.house.studio.routes(other.id, lab.answers.id)
    assert logit_of(choice) == (False, code)
    if code == "route.tokens":
        assert choice.routes[1].reason.args["lacking"] == 2


def test_endpoints_onnx_models_and_people_give_no_probabilities(lab: Lab, tmp_path: Path) -> None:
    studio, house = lab.house.studio, lab.house
    facts = {**lab.answers.facts, "teacher": "gpt", "teachers": []}
    far = house.artifact(Kind.DATASET, "far", facts, parents=[lab.gold.id])
    assert logit_of(studio.routes(lab.student.id, far.id)) == (False, "route.endpoint")
    small = house.model("int4", Kind.ONNX)
    facts = {**lab.answers.facts, "teacher": "int4", "teachers": [small.id]}
    by_onnx = house.artifact(Kind.DATASET, "by-onnx", facts, parents=[lab.gold.id, small.id])
    assert logit_of(studio.routes(lab.student.id, by_onnx.id)) == (False, "route.onnx")
    people = studio.routes(lab.student.id, lab.gold.id)
    assert logit_of(people) == (False, "route.no_teacher") and people.routes[0].reason.code == "route.people"


def test_a_teacher_that_does_not_fit_is_not_captured(lab: Lab) -> None:
    world = PlanWorld(lab.house.store, lab.house.studio.settings)
    world.memory_bytes = 10_000_000
    choice = routes.choose(lab.student, lab.answers, lab.house.store.find_artifact, world)
    assert logit_of(choice) == (False, "core.memory_low")


def test_teacher_and_gold_are_found_behind_a_review(lab: Lab) -> None:
    reviewed = lab.house.artifact(Kind.DATASET, "reviewed", lab.answers.facts, parents=[lab.answers.id])
    studio = lab.house.studio
    assert (teacher := studio.teacher_of(reviewed.id)) and teacher.id == lab.teacher.id
    assert (gold := studio.gold_of(reviewed.id)) and gold.id == lab.gold.id
    assert studio.teacher_of("gone") is None and studio.gold_of("gone") is None


def test_the_teacher_is_who_answered_not_who_judged_or_voted_beside(lab: Lab) -> None:
    studio, house = lab.house.studio, lab.house
    judge = house.model("a-judge", files=tokenizer(["a", "b", "c"]))
    parents = [lab.answers.id, judge.id]
    judged = house.artifact(Kind.DATASET, "judged", {**lab.answers.facts, "judge": "a-judge"}, parents=parents)
    assert (teacher := studio.teacher_of(judged.id)) and teacher.id == lab.teacher.id
    both = {**lab.answers.facts, "teachers": [lab.teacher.id, judge.id]}
    voted = house.artifact(Kind.DATASET, "voted", both, parents=[lab.gold.id, lab.teacher.id, judge.id])
    assert studio.teacher_of(voted.id) is None
    assert logit_of(studio.routes(lab.student.id, voted.id)) == (False, "route.endpoint")


def test_the_teacher_of_an_older_dataset_is_the_one_model_it_was_made_with(lab: Lab) -> None:
    studio, house = lab.house.studio, lab.house
    facts = {name: value for name, value in lab.answers.facts.items() if name != "teachers"}
    parents = [lab.gold.id, lab.teacher.id]
    old = house.artifact(Kind.DATASET, "old", facts, parents=parents)
    assert (teacher := studio.teacher_of(old.id)) and teacher.id == lab.teacher.id
    for name in ("judge", "generator"):
        unsure = house.artifact(Kind.DATASET, f"old-{name}", {**facts, name: "x"}, parents=parents)
        assert studio.teacher_of(unsure.id) is None
    other = house.model("other")
    voted = house.artifact(Kind.DATASET, "old-voted", facts, parents=[*parents, other.id])
    assert studio.teacher_of(voted.id) is None


def test_added_tokens_count(tmp_path: Path) -> None:
    content = '{"model": {"vocab": {"a": 0}}, "added_tokens": [{"id": 1, "content": "<|end|>"}]}'
    (tmp_path / "tokenizer.json").write_text(content, "utf-8")
    assert routes.vocabulary(tmp_path) == {"a", "<|end|>"}
