"""Which model a form begins with: of the stage that comes last the newest that somebody made by itself, else the best of a
recipe; and what a field says of its zero."""

from __future__ import annotations

import pytest
import streamlit as st

from backend.core.schemas import Kind, State
from backend.stages import stages
from studio.ui.forms.fields import zero_words
from studio.ui.shared.i18n import translator
from tests.planning.ablation.lab import Lab
from tests.studio.conftest import Show
from tests.studio.house import House


def proposed(show: Show, house: House, step: str) -> str:
    at = show("quantize", step=step)
    return str(at.session_state[f"form.{house.store.project()}.{step}.model"])


def trial(house: House, lab: Lab, losses: dict[str, float]) -> None:
    """A finished ablation whose trainings left models of these losses on the validation rows."""
    run = lab.start()
    for step, loss in losses.items():
        made = house.model(step, parents=[lab.student.id])
        lab.finish(run, step, result={"artifact": made.id, "metrics": {"eval_loss": loss}})


def test_quantize_begins_with_the_best_that_a_recipe_made(house: House, show: Show) -> None:
    trial(house, Lab(house), {"gold-42": 0.13, "sequence-42": 0.06, "logit-42": 0.09})
    assert proposed(show, house, "quantize") == "model-sequence-42"


@pytest.mark.parametrize(("stage", "kind"), [("distill", Kind.MODEL), ("finetune", Kind.ADAPTER)])
def test_what_somebody_made_by_itself_comes_before_a_recipe_of_the_same_stage(
    house: House, show: Show, stage: str, kind: Kind
) -> None:
    trial(house, Lab(house), {"gold-42": 0.01})
    mine = house.model("mine", kind)
    house.run("by-hand", (stage, State.SUCCEEDED), minutes_ago=60, result={"artifact": mine.id, "metrics": {}})
    assert proposed(show, house, "quantize") == (mine.id if stage == "distill" else "model-gold-42")


def test_a_student_is_not_judged_by_the_teacher_beside_it(house: House, show: Show) -> None:
    lab = Lab(house)
    run = lab.start(quantize=True)
    beside = next(job for job in run.jobs if job.stage == "capture")  # stands for the training of the teacher
    for step, loss in {"gold-42": 0.1, "logit-42": 0.3}.items():
        teacher = [lab.teacher.id] if step == "logit-42" else []
        made = house.model(step, parents=[lab.student.id, *teacher])
        small = house.model(f"{step}-int4", Kind.ONNX, parents=[made.id])
        lab.finish(run, step, result={"artifact": made.id, "metrics": {"eval_loss": loss}})
        lab.finish(run, f"{step}-int4", result={"artifact": small.id, "metrics": {}})
    house.store.update_job(beside.id, result={"artifact": lab.teacher.id, "metrics": {"eval_loss": 0.01}})
    assert proposed(show, house, "quantize") == "model-gold-42"
    assert proposed(show, house, "package") == "onnx-gold-42-int4"


def test_an_adapter_is_attached_to_a_model_with_room_for_it(house: House, show: Show) -> None:
    base, other = house.model("base"), house.model("other")
    adapter = house.model("lora", Kind.ADAPTER, facts={"base": base.id}, parents=[base.id])
    house.model("other-int4", Kind.ONNX, facts={"room_for": other.id}, parents=[other.id])
    house.run("by-hand", ("finetune", State.SUCCEEDED), result={"artifact": adapter.id, "metrics": {}})
    held = f"form.{house.store.project()}.attach.model"
    assert show("quantize", step="attach").session_state[held] is None
    mine = house.model("mine-int4", Kind.ONNX, facts={"room_for": base.id}, parents=[base.id])
    house.model("theirs-int4", Kind.ONNX, facts={"room_for": base.id}, parents=[base.id], project="Elsewhere")
    house.model("newer-int4", Kind.ONNX, facts={"room_for": other.id}, parents=[other.id])
    st.cache_resource.clear()
    assert show("quantize", step="attach").session_state[held] == mine.id


def test_a_link_to_a_step_brings_its_model(house: House, show: Show) -> None:
    older = house.model("older", Kind.ONNX)
    house.model("newer", Kind.ONNX)
    at = show("quantize", step="package", model=older.id)
    assert at.session_state[f"form.{house.store.project()}.package.model"] == older.id
    assert not {"step", "model"} & set(at.query_params)


def test_a_package_begins_with_what_was_made_of_the_best(house: House, show: Show) -> None:
    lab = Lab(house)
    run = lab.start(quantize=True)
    for step, loss in {"gold-42": 0.2, "sequence-42": 0.1, "logit-42": 0.3}.items():
        made = house.model(step, parents=[lab.student.id])
        small = house.model(f"{step}-int4", Kind.ONNX, parents=[made.id])
        lab.finish(run, step, result={"artifact": made.id, "metrics": {"eval_loss": loss}})
        lab.finish(run, f"{step}-int4", result={"artifact": small.id, "metrics": {}})
    assert proposed(show, house, "package") == "onnx-sequence-42-int4"


def test_the_reason_to_overrule_stands_open_where_a_report_failed(house: House, show: Show) -> None:
    house.dataset()
    onnx = house.model("small", Kind.ONNX)
    facts = {"report": "checklist", "model": onnx.id, "passed": False, "failed": ["length_pace"]}
    house.artifact(Kind.REPORT, "check", facts, parents=[onnx.id])
    at = show("quantize", "es", step="package")
    reason = f"form.{house.store.project()}.package.overrule"
    assert [field.key for field in at.text_input].index(reason) == 0
    text = "\n".join(line.value for line in at.markdown)
    assert "Lentitud con textos largos" in text and "length\\_pace" not in text
    house.store.forget_artifact("report-check")
    st.cache_resource.clear()
    assert reason not in [field.key for field in show("quantize", step="package").text_input]


@pytest.mark.parametrize(
    ("description", "said"),
    [
        (
            "Share of right answers. 0 takes that of the commonest label, or 0.3.",
            "0 takes that of the commonest label, or 0.3.",
        ),
        ("Ends even so. 0: four times as many as needed.", "0: four times as many as needed."),
        ("Longer inputs are dropped; 0 sets no limit.", "0 sets no limit."),
        ("From 0 to 1, where 0.05 helps.", ""),
    ],
)
def test_what_zero_means_is_said_at_the_field(description: str, said: str) -> None:
    assert zero_words(description) == said


def test_what_zero_means_is_said_in_spanish_too() -> None:
    spanish = translator("es")
    told = {info.description or "" for each in stages().values() for info in each.params.model_fields.values()}
    told = {description for description in told if zero_words(description)}
    assert len(told) > 20
    assert [each for each in told if not zero_words(spanish(each)).startswith(("0", "Con 0"))] == []
    assert zero_words("Frena los pesos grandes; con 0 se desactiva.") == "Con 0 se desactiva."
