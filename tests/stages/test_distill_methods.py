"""Routes with the teacher in memory: what a student learns, that nothing but the student changes, resuming, refusals."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import Cancelled, StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.jobs.context import MemoryContext
from backend.stages import distill, prune
from backend.training.methods import ONLINE_METHODS
from tests.helpers import blocking, build_tiny_model, dataset_view, model_view, tiny_dataset, view
from tests.stages.test_finetune import made

FAST = {"learning_rate": 0.01, "batch_size": 8, "train_embeddings": "always", "evaluate_rows": 6}
pytestmark = pytest.mark.ml


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ArtifactView]:
    """`data`; `teacher`, a model of four layers that has learned it; `student`, two of its layers and a part of its tokens;
    `other`, a model with a tokenizer of its own."""
    folder = tmp_path_factory.mktemp("lab")
    data = dataset_view(tiny_dataset(folder / "data"))
    blank = model_view(build_tiny_model(folder / "blank", layers=4))
    found = {"data": data, "blank": blank}
    path, manifest = made(learn(folder / "teach", found, "blank", epochs=24, evaluate_rows=0))
    found["teacher"] = view(path, Kind.MODEL, "model-teacher", **manifest["facts"])
    ctx = MemoryContext(folder / "cut", [*found.values()])
    given = {"model": "model-teacher", "data": data.id, "layers": [0, 2], "vocabulary_size": 300}
    prune.STAGE.run(prune.STAGE.parse(given), ctx)
    path, manifest = made(ctx)
    found["student"] = view(path, Kind.MODEL, "model-student", **manifest["facts"])
    texts = ["Name the colour of this thing please " * 3, *(f"colours {n} of {n} things" for n in range(40))]
    found["other"] = model_view(build_tiny_model(folder / "other", texts=texts), "model-other")
    return found


def learn(folder: Path, lab: dict[str, ArtifactView], student: str, **params: Any) -> MemoryContext:
    ctx = MemoryContext(folder, [*lab.values()])
    run(ctx, lab, student, **params)
    return ctx


def run(ctx: MemoryContext, lab: dict[str, ArtifactView], student: str, **params: Any) -> Any:
    given = {"student": lab[student].id, "data": lab["data"].id, **FAST, **params}
    return distill.STAGE.run(distill.STAGE.parse(given), ctx)


def taught(method: str) -> dict[str, Any]:
    """Student and parameters of a run on this method."""
    student = "other" if method == "cross_tokenizer" else "student"
    more = {"own_tokens": 8} if method == "on_policy" else {}
    return {"student": student, "method": method, "teacher": "model-teacher", **more}


def curve(ctx: MemoryContext, name: str) -> list[float]:
    return [event["value"] for event in ctx.events if event["event"] == "metric" and event["name"] == name]


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize("method", ONLINE_METHODS)
def test_the_student_learns_and_the_teacher_stays(method: str, lab: dict[str, ArtifactView], tmp_path: Path) -> None:
    before = (lab["teacher"].path / "model.safetensors").read_bytes()
    ctx = learn(tmp_path / "job", lab, epochs=6, **taught(method))
    losses, held_out = curve(ctx, "loss"), curve(ctx, "eval_loss")
    assert sum(losses[-3:]) < 0.8 * sum(losses[:3]) and held_out[-1] < held_out[0]
    path, manifest = made(ctx)
    student = lab[taught(method)["student"]]
    assert set(manifest["parents"]) == {student.id, lab["data"].id, "model-teacher"}
    assert (lab["teacher"].path / "model.safetensors").read_bytes() == before
    assert any((weights(path)[name] != old).any() for name, old in weights(student.path).items())


@pytest.mark.parametrize("method", ONLINE_METHODS)
def test_a_resumed_run_ends_like_an_unbroken_one(
    method: str, lab: dict[str, ArtifactView], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the second epoch, each checkpoint kept; batches are added up, so that their order counts too."""
    import torch

    from backend.ml.training import trainer
    from backend.ml.training.progress import ProgressCallback

    monkeypatch.setattr(trainer, "ProgressCallback", lambda ctx, _seconds: ProgressCallback(ctx, 0))
    asked = {"epochs": 3, "batch_size": 4, "accumulation": 2, **taught(method)}
    expected = weights(made(learn(tmp_path / "whole", lab, **asked))[0])
    ctx = MemoryContext(tmp_path / "broken", [*lab.values()])
    progress = ctx.progress

    def stop_at_6(done: float, total: float, note: str = "") -> None:
        progress(done, total, note)
        ctx.stop = note == "training" and done >= 6

    with monkeypatch.context() as patch:
        patch.setattr(ctx, "progress", stop_at_6)
        with pytest.raises(Cancelled):
            run(ctx, lab, **asked)
    ctx.stop = False
    run(ctx, lab, **asked)
    assert any("Resuming from step 5" in event.get("text", "") for event in ctx.events)
    for name, weight in weights(made(ctx)[0]).items():
        torch.testing.assert_close(weight, expected[name], atol=1e-5, rtol=1e-4)


def test_what_does_not_fit_is_refused_before_anything_is_loaded(lab: dict[str, ArtifactView], tmp_path: Path) -> None:
    """Also where nobody asked `check`: a step of a recipe may only now be there."""
    uncut = view(lab["student"].path, Kind.MODEL, "model-uncut", **{**lab["student"].facts, "kept_layers": None})
    chatty = tmp_path / "chatty"
    shutil.copytree(lab["student"].path, chatty)
    (chatty / "chat_template.jinja").write_text("{{ messages }}", "utf-8")
    marked = view(chatty, Kind.MODEL, "model-chatty", **lab["student"].facts)
    known = {**lab, "uncut": uncut, "chatty": marked}
    for student, method, code in (
        ("other", "online_logit", "method.tokens"),
        ("other", "on_policy", "method.tokens"),
        ("chatty", "online_logit", "method.chat_template"),
        ("student", "cross_tokenizer", "method.alike"),
        ("uncut", "hidden_states", "method.not_pruned"),
    ):
        with pytest.raises(StudioError) as raised:
            learn(tmp_path / f"{student}-{method}", known, student, method=method, teacher="model-teacher")
        assert [problem.code for problem in raised.value.problems] == [code]


def test_a_recipes_cut_student_learns_states(lab: dict[str, ArtifactView]) -> None:
    """What `cut` forecasts is what `hidden` asks for."""
    from tests.stages.fake_world import FakeWorld

    world = FakeWorld(lab["teacher"], lab["data"])
    forecast = prune.STAGE.quote(
        prune.STAGE.parse({"model": "model-teacher", "data": lab["data"].id, "keep_layers": 2}), world
    ).forecast
    world.add("${cut}", Kind.MODEL, **json.loads(json.dumps(forecast)))
    asked = {"student": "${cut}", "data": lab["data"].id, "method": "hidden_states", "teacher": "model-teacher"}
    assert blocking(distill.STAGE.check(distill.STAGE.parse(asked), world)) == []
    once = distill.STAGE.quote(distill.STAGE.parse(asked), world).forecast
    world.add("${distill}", Kind.MODEL, **once)
    problems = blocking(distill.STAGE.check(distill.STAGE.parse({**asked, "student": "${distill}"}), world))
    assert [problem.code for problem in problems] == ["method.not_pruned"]
