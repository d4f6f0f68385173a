"""A model that came in before weights were checked is checked once, when it is first opened or used; what was found stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.api import Studio
from backend.core.artifacts import Manifest, read_manifest, seal, verify
from backend.core.errors import Problem, StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.jobs import child
from backend.jobs.context import MemoryContext
from backend.models import recheck
from backend.planning.planner import PlanWorld
from backend.stages import stage

WRONG = Problem(code="models.not_finite", args={"model": "m", "tensor": "w"})
TOLD = Problem(code="models.prefix_taken", args={"prefix": "module."}, blocking=False)


class Check:
    """Stands where the child is started; `answer` is what it finds."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.asked = answer, 0

    def __call__(self, _folder: Path, _base: ArtifactView | None, work: Path) -> Any:
        self.asked += 1
        assert work.is_dir()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def studio() -> Studio:
    return Studio.open()


def imported(studio: Studio, tmp_path: Path, id_: str = "model-old", **facts: Any) -> ArtifactView:
    made = tmp_path / "made"
    made.mkdir()
    (made / "model.safetensors").write_bytes(b"weights")
    target = studio.settings.prepare().artifacts / Kind.MODEL / id_
    about = {"format": "torch", "layers": 2, "parameters": 10, **facts}
    manifest = seal(made, target, Manifest(id=id_, kind=Kind.MODEL, name="old", facts=about))
    return studio.store.add_artifact(manifest, target, studio.store.project())


def checks(monkeypatch: pytest.MonkeyPatch, answer: Any) -> Check:
    check = Check(answer)
    monkeypatch.setattr(recheck, "check_weights", check)
    return check


def test_what_is_found_stays_with_the_model_and_is_asked_once(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check, old = checks(monkeypatch, ({"prompt": "Hi", "end": "</s>"}, [TOLD])), imported(studio, tmp_path)
    assert studio.check_due(old)
    for _ in range(2):
        found = studio.check_model(old.id)
        assert found.facts["trial"]["prompt"] == "Hi" and found.taken == [TOLD] and not found.problems
    assert check.asked == 1 and found.digest == old.digest and found.facts["layers"] == 2
    assert read_manifest(found.path).facts == found.facts
    verify(found.path)


def test_one_that_is_broken_is_kept_named_and_stops_what_would_use_it(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks(monkeypatch, StudioError.of([WRONG]))
    old = imported(studio, tmp_path)
    assert studio.check_model(old.id).problems == [WRONG]
    prune = stage("prune")
    found = prune.check(prune.parse({**prune.example, "model": old.id}), PlanWorld(studio.store, studio.settings))
    assert [(each.code, each.field) for each in found if each.code == WRONG.code] == [(WRONG.code, "model")]


def test_a_check_that_came_to_no_end_says_nothing_of_the_model(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks(monkeypatch, StudioError("models.check_time", seconds=5))
    old = imported(studio, tmp_path)
    with pytest.raises(StudioError, match="5 s"):
        studio.check_model(old.id)
    assert studio.check_due(studio.artifact(old.id)) and not studio.artifact(old.id).problems


@pytest.mark.parametrize("facts", [{"checked": recheck.CHECKED}, {"trial": {"prompt": ""}}, {"format": "onnx"}])
def test_others_are_left_alone(studio: Studio, tmp_path: Path, facts: dict[str, Any]) -> None:
    assert not studio.check_due(imported(studio, tmp_path, **facts))


class Events(list[dict[str, Any]]):
    send = list.append


def test_a_stage_checks_what_it_is_given_before_it_begins(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check, old = checks(monkeypatch, StudioError.of([WRONG])), imported(studio, tmp_path)
    ctx, told = MemoryContext(tmp_path / "job", inputs=[old]), Events()
    order = ctx.order.model_copy(update={"names": {old.name: old.id}})
    with pytest.raises(StudioError, match="NaN"):
        child._check_models(order, ctx, told)  # type: ignore[arg-type]
    assert told[0]["event"] == "facts" and told[0]["facts"]["problems"] and check.asked == 1
    recheck.keep(studio.store, old, told[0]["facts"])
    after = studio.artifact(old.id)
    assert after.problems == [WRONG] and not studio.check_due(after)
