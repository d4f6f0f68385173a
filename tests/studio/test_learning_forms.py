"""The forms of trainings: fields that count only beside others, the warning about a weak teacher, presets, what learns."""

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


def test_presets_fill_the_fine_tuning_and_its_quote_says_what_learns(show: Show, builder: StudioBuilder) -> None:
    builder.dataset()
    builder.model()
    at = show("finetune")

    def held(name: str) -> object:
        return at.session_state[key(builder, "finetune", name)]

    assert "Trains" in words(at) and "0.001; 0.0002 to 0.005 is usual" in words(at)

    def marked() -> list[str]:
        return [button.label for button in at.button if str(button.key).startswith("preset_") and button.icon]

    assert marked() == ["Balanced"]
    at.button(key="preset_finetune_4").click().run()
    assert marked() == ["Least memory"]
    assert (held("rank"), held("qlora"), held("batch_size"), held("gradient_checkpointing")) == (8, True, 1, True)
    at.button(key="preset_finetune_3").click().run()
    assert (held("rank"), held("qlora"), held("batch_size"), held("keep")) == (32, False, 8, "best")
    at.button(key="preset_finetune_1").click().run()
    assert (held("rank"), held("epochs"), held("keep")) == (16, 3, "last")
    boxes = {str(box.key).rpartition(".")[2] for box in (*at.segmented_control, *at.pills)}
    picker = at.pills if any(str(box.key).endswith(".method") for box in at.pills) else at.segmented_control
    assert "method" in boxes
    picker(key=key(builder, "finetune", "method")).set_value("full").run()
    assert "0.0001; 0.00002 to 0.0005 is usual" in words(at) and "100" in words(at)
    assert not {str(box.key).rpartition(".")[2] for box in at.number_input} & {"rank", "alpha"}
