"""The form of `distill`: fields that count only beside others, and the warning about a weak teacher."""

from __future__ import annotations

from backend.core.schemas import Kind
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words
from tests.studio.test_stage_pages import key


def test_fields_without_effect_are_away_and_a_weak_teacher_is_named(show: Show, builder: StudioBuilder) -> None:
    weak = {"teacher": "es-teacher", "known": 1491, "known_right": 1174, "rationales": 3, "rationale_chars": 90.0}
    facts = {**builder.dataset().facts, **weak}
    data = builder.artifact(Kind.DATASET, "answers", facts)
    builder.model()
    at = show("distill")
    at.segmented_control(key="step").set_value("distill").run()
    at.selectbox(key=key(builder, "distill", "data")).set_value(data.id).run()
    assert "1,174" in words(at)

    def drawn() -> set[str]:
        boxes = [*at.number_input, *at.selectbox, *at.toggle, *at.text_input, *at.segmented_control, *at.pills]
        return {str(box.key).rpartition(".")[2] for box in boxes}

    assert drawn() >= {"adapter", "rationale", "train_embeddings"}
    assert not drawn() & {"rank", "alpha", "dropout", "targets", "rationale_weight"}
    at.toggle(key=key(builder, "distill", "adapter")).set_value(True).run()
    assert drawn() >= {"rank", "alpha", "dropout", "targets"} and "train_embeddings" not in drawn()
    at.button(key="start_distill").click().run()
    assert builder.store.jobs()[0].params["adapter"] is True
