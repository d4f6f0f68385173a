"""Which model a form begins with: of the stage that comes last the newest that somebody made by itself, else the best of a
recipe; and what a field says of its zero."""

from __future__ import annotations

import shutil

import pytest
import streamlit as st

from backend.core.schemas import Kind, State
from backend.stages import stages
from studio.ui.forms.fields import zero_words
from studio.ui.shared.i18n import translator
from tests.planning.ablation.ablation_builder import AblationBuilder
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show


def proposed(show: Show, builder: StudioBuilder, step: str) -> str:
    at = show("quantize", step=step)
    return str(at.session_state[f"form.{builder.store.project()}.{step}.model"])


def trial(builder: StudioBuilder, lab: AblationBuilder, losses: dict[str, float]) -> None:
    """A finished ablation whose trainings left models of these losses on the validation rows."""
    run = lab.start()
    for step, loss in losses.items():
        made = builder.model(step, parents=[lab.student.id])
        lab.finish(run, step, result={"artifact": made.id, "metrics": {"eval_loss": loss}})


def test_quantize_begins_with_the_best_that_a_recipe_made(builder: StudioBuilder, show: Show) -> None:
    trial(builder, AblationBuilder(builder), {"gold-42": 0.13, "sequence-42": 0.06, "logit-42": 0.09})
    assert proposed(show, builder, "quantize") == "model-sequence-42"


@pytest.mark.parametrize(("stage", "kind"), [("distill", Kind.MODEL), ("finetune", Kind.ADAPTER)])
def test_what_somebody_made_by_itself_comes_before_a_recipe_of_the_same_stage(
    builder: StudioBuilder, show: Show, stage: str, kind: Kind
) -> None:
    trial(builder, AblationBuilder(builder), {"gold-42": 0.01})
    mine = builder.model("mine", kind)
    builder.run("by-hand", (stage, State.SUCCEEDED), minutes_ago=60, result={"artifact": mine.id, "metrics": {}})
    assert proposed(show, builder, "quantize") == (mine.id if stage == "distill" else "model-gold-42")


def test_a_student_is_not_judged_by_the_teacher_beside_it(builder: StudioBuilder, show: Show) -> None:
    lab = AblationBuilder(builder)
    run = lab.start(quantize=True)
    beside = next(job for job in run.jobs if job.stage == "capture")  # stands for the training of the teacher
    for step, loss in {"gold-42": 0.1, "logit-42": 0.3}.items():
        teacher = [lab.teacher.id] if step == "logit-42" else []
        made = builder.model(step, parents=[lab.student.id, *teacher])
        small = builder.model(f"{step}-int4", Kind.ONNX, parents=[made.id])
        lab.finish(run, step, result={"artifact": made.id, "metrics": {"eval_loss": loss}})
        lab.finish(run, f"{step}-int4", result={"artifact": small.id, "metrics": {}})
    builder.store.update_job(beside.id, result={"artifact": lab.teacher.id, "metrics": {"eval_loss": 0.01}})
    assert proposed(show, builder, "quantize") == "model-gold-42"
    assert proposed(show, builder, "package") == "onnx-gold-42-int4"


def test_an_adapter_is_attached_to_a_model_with_room_for_it(builder: StudioBuilder, show: Show) -> None:
    base, other = builder.model("base"), builder.model("other")
    adapter = builder.model("lora", Kind.ADAPTER, facts={"base": base.id}, parents=[base.id])
    builder.model("other-int4", Kind.ONNX, facts={"room_for": other.id}, parents=[other.id])
    builder.run("by-hand", ("finetune", State.SUCCEEDED), result={"artifact": adapter.id, "metrics": {}})
    held = f"form.{builder.store.project()}.attach.model"
    assert show("quantize", step="attach").session_state[held] is None
    mine = builder.model("mine-int4", Kind.ONNX, facts={"room_for": base.id}, parents=[base.id])
    builder.model("theirs-int4", Kind.ONNX, facts={"room_for": base.id}, parents=[base.id], project="Elsewhere")
    builder.model("newer-int4", Kind.ONNX, facts={"room_for": other.id}, parents=[other.id])
    st.cache_resource.clear()
    assert show("quantize", step="attach").session_state[held] == mine.id


def test_a_link_to_a_step_brings_its_model(builder: StudioBuilder, show: Show) -> None:
    older = builder.model("older", Kind.ONNX)
    builder.model("newer", Kind.ONNX)
    at = show("quantize", step="package", model=older.id)
    assert at.session_state[f"form.{builder.store.project()}.package.model"] == older.id
    assert "model" not in at.query_params and at.segmented_control(key="step").value == "package"


def test_a_package_begins_with_what_was_made_of_the_best(builder: StudioBuilder, show: Show) -> None:
    lab = AblationBuilder(builder)
    run = lab.start(quantize=True)
    for step, loss in {"gold-42": 0.2, "sequence-42": 0.1, "logit-42": 0.3}.items():
        made = builder.model(step, parents=[lab.student.id])
        small = builder.model(f"{step}-int4", Kind.ONNX, parents=[made.id])
        lab.finish(run, step, result={"artifact": made.id, "metrics": {"eval_loss": loss}})
        lab.finish(run, f"{step}-int4", result={"artifact": small.id, "metrics": {}})
    assert proposed(show, builder, "package") == "onnx-sequence-42-int4"


def test_the_reason_to_overrule_stands_open_where_a_report_failed(builder: StudioBuilder, show: Show) -> None:
    builder.dataset()
    onnx = builder.model("small", Kind.ONNX)
    facts = {"report": "checklist", "model": onnx.id, "passed": False, "failed": ["length_pace"]}
    report = builder.artifact(Kind.REPORT, "check", facts, parents=[onnx.id])
    at = show("quantize", "es", step="package")
    reason = f"form.{builder.store.project()}.package.overrule"
    assert [field.key for field in at.text_input].index(reason) == 0
    text = "\n".join(line.value for line in at.markdown)
    assert "Lentitud con textos largos" in text and "length\\_pace" not in text
    builder.store.delete_artifact("report-check")
    shutil.rmtree(report.path)
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
        ("Longer inputs are dropped; 0 means no limit.", "0 means no limit."),
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
