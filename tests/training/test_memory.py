"""What a training takes on a card, whether it fits, and what to change."""

from __future__ import annotations

from typing import Any

import pytest

from backend.core.schemas import Kind
from backend.models import card_memory, costs
from backend.stages import capture, distill, finetune
from backend.stages.finetune import FinetuneParams
from tests.stages.fake_world import FakeWorld

GIGA = 10**9
LLAMA: dict[str, Any] = {
    "parameters": 8_030_000_000,
    "layers": 32,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "vocabulary": 128_256,
    "context": 8192,
    "tied": False,
}
ROWS: dict[str, Any] = {
    "rows": {"train": 400, "validation": 100},
    "prompt_chars": 400,
    "answer_chars": 40,
    "labels": [],
}


def world(card: float, memory: float = 512 * GIGA, **facts: Any) -> FakeWorld:
    made = FakeWorld().add("m", Kind.MODEL, **{**LLAMA, **facts}).add("t", Kind.MODEL, **{**LLAMA, **facts})
    made.add("d", Kind.DATASET, **ROWS)
    made.memory_bytes, made.free_disk_bytes, made.card_bytes = int(memory), 10**12, int(card)
    return made


def asked(**values: Any) -> FinetuneParams:
    return FinetuneParams(**{"model": "m", "data": "d", "rank": 16, **values})


def codes(params: FinetuneParams, where: FakeWorld) -> list[tuple[str, str | None, bool]]:
    return [(each.code, each.field, each.blocking) for each in finetune.check(params, where)]


def test_each_method_takes_what_its_arithmetic_says() -> None:
    where = world(80 * GIGA)
    quotes = {
        "lora": finetune.quote(asked(), where),
        "qlora": finetune.quote(asked(qlora=True), where),
        "full": finetune.quote(asked(method="full"), where),
    }
    lora, full = quotes["lora"].vram, quotes["full"].vram
    assert lora["weights"] == pytest.approx(LLAMA["parameters"] * 2, rel=0.02)
    assert lora["optimizer"] == 2 * lora["gradients"] < 0.4 * GIGA
    assert full["gradients"] == LLAMA["parameters"] * 4 and full["optimizer"] == LLAMA["parameters"] * 8
    assert full["weights"] == LLAMA["parameters"] * 6
    assert lora["activations"] == full["activations"] > 0 and lora["logits"] > 0
    assert quotes["qlora"].vram_bytes < quotes["lora"].vram_bytes - 8 * GIGA
    checkpointed = finetune.quote(asked(gradient_checkpointing=True), where)
    assert checkpointed.vram["activations"] == pytest.approx(lora["activations"] / 4, abs=2)
    assert quotes["lora"].memory_bytes > LLAMA["parameters"] * 2, "the weights pass through the process"


def test_without_a_card_the_quote_is_that_of_the_processor() -> None:
    params, where = asked(), world(0)
    quote = finetune.quote(params, where)
    assert quote.vram == {} and quote.vram_bytes == 0
    assert quote.memory_bytes > costs.training_bytes(LLAMA, trained=0, batch_tokens=0)


def test_teacher_and_capture_count_on_the_card() -> None:
    where = world(80 * GIGA)
    beside = {"student": "m", "data": "d", "method": "online_logit", "teacher": "t"}
    with_teacher = distill.quote(distill.DistillParams.model_validate(beside), where).vram
    assert with_teacher["teacher"] > LLAMA["parameters"] * 2
    read = capture.quote(capture.CaptureParams(teacher="m", data="d"), where)
    assert read.vram == card_memory.reading(LLAMA, *_capture_shape()) and read.vram["cache"] > 0
    assert capture.quote(capture.CaptureParams(teacher="m", data="d"), world(0)).vram == {}


def _capture_shape() -> tuple[float, float]:
    params = capture.CaptureParams(teacher="m", data="d")
    tokens = params.batch_size * min(params.max_length, 2 * costs.row_tokens(ROWS, params.max_length))
    return tokens, params.batch_size * 2 * costs.answer_tokens(ROWS)


def test_what_fits_is_silent_what_is_tight_warns_what_does_not_fit_blocks() -> None:
    need = finetune.quote(asked(), world(80 * GIGA)).vram_bytes
    assert codes(asked(), world(need * 1.2)) == []
    tight = codes(asked(), world(need * 1.05))
    assert tight[0] == ("core.vram_tight", None, False) and not any(blocking for *_, blocking in tight)
    assert codes(asked(), world(need * 0.95))[0] == ("core.vram_low", None, True)


def test_every_change_that_is_enough_alone_is_named_with_its_need() -> None:
    need = finetune.quote(asked(batch_size=32), world(999 * GIGA)).vram_bytes
    found = finetune.check(asked(batch_size=32), world(need * 0.8))
    assert [each.code for each in found] == ["core.vram_low", *(f"fits.{name}" for name in _ENOUGH)]
    assert found[1].args["value"] == 8 and "GB" in found[1].args["need"] and not found[1].blocking


_ENOUGH = ("batch", "checkpointing")


def test_what_only_helps_together_is_said_so() -> None:
    small = card_memory.weight_bytes(LLAMA, 4)
    found = codes(asked(batch_size=64, method="full"), world(small + 13 * GIGA))
    assert found == [("core.vram_low", None, True), ("fits.together", None, False)]
    hopeless = codes(asked(), world(3 * GIGA))
    assert [code for code, *_ in hopeless] == ["core.vram_low"]


def test_short_memory_beside_the_processor_names_changes_too() -> None:
    need = finetune.quote(asked(batch_size=4), world(0)).memory_bytes
    found = [code for code, *_ in codes(asked(batch_size=4), world(0, need * 0.99))]
    assert found[0] == "core.memory_low" and "fits.qlora" in found
