"""The diagnosis: whose training it can examine, what it is quoted, and trainings of a tiny model that were made to fail."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from backend.core.artifacts import MANIFEST, Manifest, write_json
from backend.core.errors import Cancelled
from backend.core.schemas import ArtifactView, Kind
from backend.core.stage import ArtifactInfo
from backend.data.dataset import Row, Template, write_split, write_template
from backend.jobs.context import MemoryContext
from backend.models.architectures import CONFIG_OF
from backend.stages import diagnosed_tries, finetune
from backend.stages.diagnose import STAGE, DiagnoseParams
from backend.stages.diagnosed import training_of
from tests.helpers import dataset_view, model_view, view
from tests.stages.test_finetune import SMOL, World, smol_world

LABELS = ["red", "green", "blue"]
GIVEN = {"model": "m", "data": "d"}


def left(folder: Path, stage: str, params: dict[str, Any], parents: Sequence[str] = ("d", "m"), **facts: Any) -> World:
    """A world with an adapter `a` that this stage left."""
    folder.mkdir(exist_ok=True)
    manifest = Manifest(id="a", kind=Kind.ADAPTER, name="a", stage=stage, params=params, parents=list(parents))
    write_json(folder / MANIFEST, manifest.model_dump(mode="json"))
    facts = {**SMOL, "format": "adapter", "base": "m", "data": "d", "training": {"steps": 30.0}, **facts}
    world = smol_world()
    world.known["a"] = ArtifactInfo(Kind.ADAPTER, facts, path=str(folder))
    return world


def codes(world: World) -> list[str]:
    return [each.code for each in STAGE.check(DiagnoseParams(model="a"), world)]


def test_what_trained_is_read_from_the_artifact(tmp_path: Path) -> None:
    world = left(tmp_path, "finetune", {**GIVEN, "rank": 4, "alpha": 6, "keep": "best", "epochs": 2})
    assert codes(world) == []
    found = training_of(world.known["a"])
    assert found and (found.base, found.data, found.rank, found.updates) == ("m", "d", 4, 30)
    short = found.ranked(8).params
    assert (short.rank, short.alpha, short.keep, short.epochs) == (8, 12, "last", 2)
    taken = {**GIVEN, "job": "j1", "step": 40, "settings": ["method=full"]}
    found = training_of(left(tmp_path, "from_checkpoint", taken).known["a"])
    assert found and (found.stage.name, found.rank, found.params.method) == ("finetune", 0, "full")
    found = training_of(left(tmp_path, "distill", {"student": "m", "data": "d"}).known["a"])
    assert found and (found.stage.name, found.changed(max_steps=3).params.student) == ("distill", "m")


def test_others_are_refused_with_the_reason(tmp_path: Path) -> None:
    assert codes(left(tmp_path, "preference", GIVEN)) == ["diagnose.unknown"]
    logits = {"student": "m", "data": "d", "method": "offline_logit", "capture": "c"}
    assert codes(left(tmp_path, "distill", logits, ("d", "m"))) == ["diagnose.unknown"]
    assert codes(left(tmp_path, "finetune", GIVEN, ("d", "gone"))) == ["diagnose.gone"]
    assert codes(smol_world()) == ["core.artifact_unknown"]
    imported = smol_world()
    imported.known["a"] = ArtifactInfo(Kind.MODEL, {}, path=str(tmp_path / "nothing"))
    assert codes(imported) == ["diagnose.unknown"]


def test_the_quote_follows_the_trainings(tmp_path: Path) -> None:
    params, pending = DiagnoseParams(model="a"), smol_world()
    quoted = STAGE.quote(params, left(tmp_path, "finetune", GIVEN))
    training = finetune.STAGE.quote(finetune.FinetuneParams(**GIVEN, max_steps=144), smol_world())
    assert (
        training.seconds < quoted.seconds < 2.2 * training.seconds
    )  # 3 of 8 updates, 2 of 60 with 16 rows, and answers
    assert quoted.memory_bytes > 500_000_000 and quoted.forecast == {"report": "diagnosis"}
    assert STAGE.quote(params.model_copy(update={"updates": 120}), left(tmp_path, "finetune", GIVEN)).seconds > (
        1.5 * quoted.seconds
    )
    pending.add("a", Kind.ADAPTER, **SMOL, data="d", **{CONFIG_OF: "m"})
    assert codes(pending) == [] and STAGE.quote(params, pending).seconds == pytest.approx(quoted.seconds, rel=0.1)


def dataset(folder: Path, contradicting: bool = False) -> ArtifactView:
    """The colour that the sentence names; or each sentence twice, with two colours."""
    rows = []
    for number in range(80):
        asked = number // 2 if contradicting else number
        answer = LABELS[(asked + contradicting * number) % 3]
        rows.append(Row(id=str(number), input=f"{LABELS[asked % 3]} item {asked}", output=answer))
    folder.mkdir(parents=True)
    write_template(folder, Template(system="Name the colour.", answer="label", labels=LABELS))
    for split, part in (("train", rows[:40]), ("validation", rows[40:60]), ("test", rows[60:])):
        write_split(folder, split, part)
    return dataset_view(folder)


def diagnosed(folder: Path, model: Path, data: ArtifactView, **params: Any) -> tuple[MemoryContext, DiagnoseParams]:
    """A training that has ended, and the diagnosis of it that is to begin."""
    base = model_view(model)
    ctx = MemoryContext(folder / "training", [base, data])
    given = {"model": base.id, "data": data.id, "batch_size": 16, "evaluate_rows": 0, **params}
    asked: finetune.FinetuneParams = finetune.STAGE.parse(given)
    ctx.order.stage, ctx.order.params = "finetune", asked.model_dump(mode="json")
    finetune.STAGE.run(asked, ctx)
    left = next(event for event in ctx.events if event["event"] == "artifact")
    about = left["manifest"]
    made = view(Path(left["path"]), about["kind"], about["id"], about["parents"], **about["facts"])
    curve = [(event["step"], event["value"]) for event in ctx.events if event.get("name") == "loss"]
    wanted = DiagnoseParams(model=made.id, updates=12, curve=curve)
    return MemoryContext(folder / "diagnosis", [base, data, made]), wanted


def report(ctx: MemoryContext, params: DiagnoseParams) -> dict[str, Any]:
    result = STAGE.run(params, ctx)
    left = [event for event in ctx.events if event["event"] == "artifact"][-1]
    found: dict[str, Any] = json.loads((Path(left["path"]) / "report.json").read_text("utf-8"))
    assert len(result.findings) == result.metrics["checks_failed"] == len(found["failed"])
    assert left["manifest"]["kind"] == "report" and "passed" not in left["manifest"]["facts"]
    return found | {each["name"]: each for each in found["checks"]}


FULL = {"method": "full", "learning_rate": 0.04, "epochs": 6}


@pytest.mark.ml
def test_contradicting_rows_are_found_and_a_second_attempt_measures_nothing_again(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx, params = diagnosed(tmp_path, tiny_model, dataset(tmp_path / "data", contradicting=True), **FULL)
    ctx.stop = True
    with pytest.raises(Cancelled):
        STAGE.run(params, ctx)
    ctx.stop = False
    found = report(ctx, params)
    assert found["cause"] == "diagnosis_data" and found["diagnosis_data"]["reason"] == "contradictions"
    assert found["diagnosis_data"]["detail"]["figures"]["contradictions"] == [80, "count"]
    shares = [event["done"] / event["total"] for event in ctx.events if event["event"] == "progress"]
    assert shares == sorted(shares) and {path.name for path in ctx.dir.iterdir()} >= {"rate-2.json", "memory.json"}
    monkeypatch.setattr(diagnosed_tries, "try_out", None)
    assert report(ctx, params)["checks"] == found["checks"]


@pytest.mark.ml
def test_a_rate_that_is_far_too_high_is_found(tmp_path: Path, tiny_model: Path) -> None:
    found = report(*diagnosed(tmp_path, tiny_model, dataset(tmp_path / "data"), **{**FULL, "learning_rate": 0.4}))
    assert found["cause"] == "diagnosis_rate" and found["diagnosis_data"]["passed"]
    assert found["diagnosis_rate"]["reason"] == "high" and found["diagnosis_rate"]["args"]["better_rate"] == 0.1
    figures = found["diagnosis_rate"]["detail"]["figures"]
    assert figures["quarter"][0] < figures["same"][0] and figures["curve_first"][0] > 6


@pytest.mark.ml
def test_an_adapter_that_can_not_hold_the_rows_is_found(tmp_path: Path, tiny_model: Path) -> None:
    narrow = {"rank": 1, "alpha": 1, "targets": ["q_proj"], "learning_rate": 0.01, "epochs": 2}
    found = report(*diagnosed(tmp_path, tiny_model, dataset(tmp_path / "data"), **narrow))
    assert found["cause"] == "diagnosis_capacity" and found["diagnosis_data"]["passed"]
    assert found["diagnosis_capacity"]["reason"] == "small" and found["diagnosis_rate"]["reason"] == "stuck"
    figures = found["diagnosis_capacity"]["detail"]["figures"]
    assert figures["rank"] == [1, "count"] and figures["twice_loss"][0] > 1
