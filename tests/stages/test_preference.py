"""The stage of preference tuning: what it needs, what it takes, what it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.core.schemas import ArtifactView, Kind
from backend.data.dataset import REJECTED, DataFolder, write_split
from backend.jobs.context import MemoryContext
from backend.stages import finetune
from backend.stages.preference import STAGE, PreferenceParams
from tests.helpers import dataset_view, model_view, tiny_dataset, view
from tests.stages.test_finetune import World, made, smol_world

PAIRS: dict[str, Any] = {"pairs": 400, "rejected_chars": 16.0, "rejected_rows": 0, "known": 0, "sequences": 400}
ALONE = PAIRS | {"pairs": 0, "rejected_rows": 200}
NOTHING = PAIRS | {"pairs": 0}


def asked(method: str = "dpo", **more: Any) -> PreferenceParams:
    return PreferenceParams.model_validate({"model": "m", "data": "d", "method": method, **more})


def told(params: PreferenceParams, **facts: Any) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.field) for problem in STAGE.check(params, smol_world(**facts))]


def test_what_is_missing_is_said_before_anything_runs() -> None:
    assert told(asked(), **PAIRS) == [] == told(asked("kto"), **PAIRS) == told(asked("kto"), **ALONE)
    assert told(asked(), **ALONE) == [("preference.try_kto", "method")]
    assert told(asked(), **NOTHING) == [("preference.none", "data")] == told(asked("kto"), **NOTHING)
    assert told(asked("kto", batch_size=1), **PAIRS) == [("preference.kto_batch", "batch_size")]
    assert told(asked(batch_size=1), **PAIRS) == []
    assert told(asked(modules_to_save=["lm_head"]), **PAIRS) == [("train.unread", "modules_to_save")]
    assert "modules_to_save" in STAGE.inactive(asked().model_dump())
    assert told(asked(learning_rate=1e-2), **PAIRS) == [("train.rate_large", "learning_rate")]
    waiting = smol_world()
    waiting.add("d", Kind.DATASET, rows={"train": 400}, prompt_chars=51, answer_chars=16, labels=[])
    assert STAGE.check(asked(), waiting) == [], "a dataset that is still to be made may have them"


def test_the_quote_counts_both_answers_and_the_reference() -> None:
    world = smol_world(**PAIRS)
    plain = finetune.STAGE.quote(finetune.FinetuneParams(model="m", data="d", epochs=1), world)
    dpo, kto = STAGE.quote(asked(), world), STAGE.quote(asked("kto"), world)
    assert 1.8 * plain.seconds < dpo.seconds and plain.memory_bytes < dpo.memory_bytes
    assert kto.seconds > dpo.seconds, "three passes beside each that learns instead of one"
    assert kto.memory_bytes < dpo.memory_bytes, "a pair is two sequences"
    assert STAGE.quote(asked("kto"), smol_world(**ALONE)).seconds < kto.seconds, "600 answers, not 800"
    longer = STAGE.quote(asked(), smol_world(**PAIRS | {"rejected_chars": 400.0}))
    assert longer.seconds > 1.5 * dpo.seconds
    assert not dpo.vram and STAGE.quote(asked(checkpoints_kept=5), world).disk_bytes > 3 * dpo.disk_bytes
    world.card_bytes = 24 * 10**9
    on_card, alone = STAGE.quote(asked(), world), STAGE.quote(asked("kto"), world)
    assert on_card.vram_bytes > alone.vram_bytes > 0, "it waits for a card, and a pair is two sequences"
    assert dpo.learning and dpo.learning.learning_rate == 5e-5 and dpo.forecast["base"] == "m"


@pytest.mark.ml
def test_it_leaves_an_adapter_with_its_facts(tmp_path: Path, tiny_model: Path) -> None:
    from backend.ml.inference.load import load_model

    data = DataFolder(tiny_dataset(tmp_path / "data"))
    for split in ("train", "validation"):
        told = [row.model_copy(update={"rejected": f"not {row.output}"}) for row in data.rows(split)]
        write_split(data.path, split, told)
    inputs: list[ArtifactView] = [model_view(tiny_model), dataset_view(data.path)]
    ctx = MemoryContext(tmp_path / "job", inputs)
    given = {"model": inputs[0].id, "data": inputs[1].id, "learning_rate": 0.02, "rank": 4, "beta": 0.2}
    world = World(*inputs)
    params = STAGE.parse(given | {"method": "dpo", "epochs": 2})
    assert [each for each in STAGE.check(params, world) if each.blocking] == []
    result = STAGE.run(params, ctx)
    path, manifest = made(ctx)
    facts = manifest["facts"]
    assert facts["finetune_method"] == "dpo" and facts["base"] == inputs[0].id and facts["format"] == "adapter"
    assert (
        manifest["parents"] == sorted(each.id for each in inputs) and facts["template"]["system"] == "Name the colour."
    )
    assert result.metrics["reward_margin"] > 0 and result.metrics["eval_reward_accuracy"] > 0.5
    assert sorted(file.name for file in path.iterdir() if file.is_dir()) == [], "no copy of the adapter"
    merged = load_model(view(path, Kind.ADAPTER, "a", **facts), ctx.input, merged=True)
    assert sum(weight.numel() for weight in merged.parameters()) > 0


def test_facts_count_pairs_and_answers_that_stand_alone(tmp_path: Path) -> None:
    data = DataFolder(tiny_dataset(tmp_path / "data"))
    rows = [*data.rows("train")]
    write_split(data.path, "train", [rows[0].model_copy(update={"rejected": "pink"}), *rows[1:]])
    write_split(data.path, REJECTED, [row.model_copy(update={"output": None, "rejected": "pink"}) for row in rows[:7]])
    facts = dataset_view(data.path).facts
    assert (facts["pairs"], facts["rejected_chars"], facts["rejected_rows"]) == (1, 4.0, 7)
    assert facts["rows"]["train"] == len(rows)
