"""What forms say of trainings in several processes, before the start."""

from __future__ import annotations

from typing import Any

from backend.core.stage import AnyStage
from backend.stages import distill, finetune, preference, search
from tests.stages.test_finetune import smol_world
from tests.stages.test_preference import PAIRS


def codes(form: AnyStage, processes: int, **params: Any) -> list[tuple[str, bool]]:
    world = smol_world(**PAIRS)
    world.processes = processes
    found = form.check(form.parse({"data": "d", **params}), world)
    return [(each.code, each.blocking) for each in found if each.code.startswith(("train.", "core."))]


def test_a_form_says_how_many_processes_will_train() -> None:
    tuned: dict[str, Any] = {"model": "m"}
    assert codes(finetune.STAGE, 1, **tuned, batch_size=3) == []
    assert codes(finetune.STAGE, 2, **tuned, batch_size=3) == [("train.processes_batch", True)]
    assert codes(finetune.STAGE, 2, **tuned) == [("train.shared", False)] == codes(distill.STAGE, 2, student="m")
    alone = [("train.one_process", False)]
    assert codes(preference.STAGE, 2, **tuned, batch_size=3) == alone
    assert alone[0] in codes(distill.STAGE, 2, student="m", method="on_policy", teacher="m")
    assert codes(search.STAGE, 2, **tuned, stage="finetune") == alone
    assert codes(search.STAGE, 2, **tuned, stage="quantize") == []


def test_each_process_holds_the_model_and_reads_its_part_of_a_batch() -> None:
    world, asked = smol_world(), finetune.STAGE.parse({"model": "m", "data": "d", "batch_size": 8})
    one, half = (
        finetune.STAGE.quote(asked, world),
        finetune.STAGE.quote(asked.model_copy(update={"batch_size": 4}), world),
    )
    world.processes = 2
    assert finetune.STAGE.quote(asked, world).memory_bytes == 2 * half.memory_bytes > one.memory_bytes
    world.card_bytes = 24 * 10**9
    on_two = finetune.STAGE.quote(asked, world)
    world.processes = 1
    assert on_two.vram_bytes < finetune.STAGE.quote(asked, world).vram_bytes
