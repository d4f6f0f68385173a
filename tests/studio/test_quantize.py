"""Below the form of the stage quantize: Olive's workflow; and what the form says of other devices."""

from __future__ import annotations

from backend.core.schemas import Kind
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words


def test_olives_workflow_can_be_downloaded(show: Show, builder: StudioBuilder) -> None:
    builder.model("small", Kind.ONNX, files={"olive.json": '{"passes": {}}'})
    at = show("quantize")
    assert "Olive workflow" in words(at)
    assert at.get("download_button")


def test_what_was_built_for_another_device_is_marked_where_it_can_be_chosen(show: Show, builder: StudioBuilder) -> None:
    facts = {"precision": "fp16", "target": "cuda", "run": False}
    builder.model("big", Kind.ONNX, facts=facts, files={"olive.json": "{}"})
    (option,) = show("quantize").selectbox(key="workflow_shown").options
    assert "FP16" in option and "not run here" in option


def test_the_form_says_that_a_graphics_card_is_not_here(show: Show, builder: StudioBuilder) -> None:
    builder.model()
    at = show("quantize")
    assert "not run on the target device here" not in words(at)
    at.session_state[f"form.{builder.store.project()}.quantize.target"] = "cuda"
    at.run()
    assert "not run on the target device here" in words(at)
