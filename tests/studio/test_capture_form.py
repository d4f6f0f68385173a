"""The forms of `capture` and of learning from one: what they propose, what may be left out, what the quote says."""

from __future__ import annotations

import hashlib

from backend.core.schemas import ArtifactView, Kind, State
from backend.data.conversation import PLAIN_TEMPLATE
from backend.training.captures import data_hashes
from studio.ui.forms.fields import Kind as FieldKind
from studio.ui.forms.fields import parse
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words
from tests.studio.test_stage_pages import key


def held(builder: StudioBuilder, data: ArtifactView) -> ArtifactView:
    chat_template = hashlib.sha256(PLAIN_TEMPLATE.encode()).hexdigest()
    facts = {"data": data.id, "temperatures": [1.0, 2.0], "bytes": 45_600, "tokens": 400}
    facts["hashes"] = {**data_hashes(data.path), "chat_template": chat_template}
    return builder.artifact(Kind.CAPTURE, "held", facts, {"capture.json": "{}"}, [data.id])


def test_the_page_has_a_switch_and_says_what_is_kept(show: Show, builder: StudioBuilder) -> None:
    data = builder.dataset()
    model = builder.model()
    at = show("distill")
    at.segmented_control(key="step").set_value("capture").run()
    assert at.selectbox(key=key(builder, "capture", "data")).value == data.id
    assert any("32 most likely tokens" in line.value and "8 bits" in line.value for line in at.caption)
    at.number_input(key=key(builder, "capture", "bytes_per_token")).set_value(300).run()
    assert any("71 most likely tokens" in line.value and "16 bits" in line.value for line in at.caption)
    at.button(key="start_capture").click().run()
    job = builder.store.jobs()[0]
    assert job.stage == "capture" and job.params["temperatures"] == [1.0, 2.0]
    given = {"teacher": model.id, "data": data.id, "bytes_per_token": 300}
    assert given.items() <= job.params.items()


def test_a_capture_may_be_left_out(show: Show, builder: StudioBuilder) -> None:
    data = builder.dataset()
    builder.model()
    at = show("distill")
    at.segmented_control(key="step").set_value("distill").run()
    method = key(builder, "distill", "method")
    assert at.selectbox(key=method).value == "sequence"
    assert not [box for box in at.selectbox if box.key == key(builder, "distill", "capture")]
    at.selectbox(key=method).set_value("offline_logit").run()
    assert at.selectbox(key=key(builder, "distill", "capture")).value == ""
    assert at.button(key="start_distill").disabled
    at.selectbox(key=method).set_value("sequence").run()
    assert not at.button(key="start_distill").disabled
    at.button(key="start_distill").click().run()
    job = builder.store.jobs()[0]
    assert job.params["data"] == data.id and job.params["capture"] is None


def test_the_capture_of_the_dataset_is_proposed(show: Show, builder: StudioBuilder) -> None:
    other, data = builder.dataset("other"), builder.dataset()
    builder.model()
    capture = held(builder, other)
    box = key(builder, "distill", "capture")
    at = show("distill")
    at.segmented_control(key="step").set_value("distill").run()
    chosen = at.selectbox(key=key(builder, "distill", "data"))
    chosen.set_value(data.id).run()
    assert at.selectbox(key=key(builder, "distill", "method")).value == "sequence"
    at.selectbox(key=key(builder, "distill", "data")).set_value(other.id).run()
    assert at.selectbox(key=key(builder, "distill", "method")).value == "offline_logit"
    assert at.selectbox(key=box).value == capture.id
    assert not at.button(key="start_distill").disabled
    at.number_input(key=key(builder, "distill", "temperature")).set_value(3).run()
    assert at.button(key="start_distill").disabled
    at.selectbox(key=key(builder, "distill", "method")).set_value("sequence").run()
    assert not at.button(key="start_distill").disabled


def test_a_teacher_in_memory_is_proposed_and_its_fields_stand_there(show: Show, builder: StudioBuilder) -> None:
    builder.dataset()
    builder.model("small")
    teacher = builder.model("tuned")
    at = show("distill")
    at.segmented_control(key="step").set_value("distill").run()
    fields = ("teacher", "own_share", "kl_weight")

    def shown() -> list[bool]:
        there = {widget.key for kind in (at.selectbox, at.number_input) for widget in kind}
        return [key(builder, "distill", name) in there for name in fields]

    assert shown() == [False, False, False]
    at.selectbox(key=key(builder, "distill", "method")).set_value("online_logit").run()
    assert shown() == [True, False, True]
    at.selectbox(key=key(builder, "distill", "method")).set_value("on_policy").run()
    assert shown() == [True, True, True]
    at.selectbox(key=key(builder, "distill", "teacher")).set_value("").run()
    assert at.button(key="start_distill").disabled and "needs a" in words(at)
    at.selectbox(key=key(builder, "distill", "teacher")).set_value(teacher.id).run()
    assert "needs a" not in words(at)


def test_a_job_from_before_there_were_routes_keeps_its_capture(show: Show, builder: StudioBuilder) -> None:
    data = builder.dataset()
    student = builder.model()
    capture = held(builder, data)
    run = builder.run("old", ("distill", State.SUCCEEDED))
    builder.store.update_job(f"{run}-distill", params={"student": student.id, "data": data.id, "capture": capture.id})
    at = show("distill", **{"from": f"{run}-distill"})
    assert at.selectbox(key=key(builder, "distill", "method")).value == "offline_logit"
    assert at.selectbox(key=key(builder, "distill", "capture")).value == capture.id


def test_lists_of_numbers_are_read_as_numbers() -> None:
    assert parse(FieldKind.LIST, "1.0, 2") == [1.0, 2]
    assert parse(FieldKind.LIST, "0.5") == [0.5]
    assert parse(FieldKind.LIST, "q_proj, v.1") == ["q_proj", "v.1"]
