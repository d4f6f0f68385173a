"""A model that came in before weights were checked is checked when the Playground, a server or the terminal first loads it: the
page waits no longer than before, and what is wrong is said in place of an answer."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from backend.api import Studio
from backend.cli import app
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.core.settings import Settings
from backend.serve.engine_client import EngineClient
from backend.serve.openai_api import server
from backend.serve.pool import Pool
from backend.serve.schemas import ServeOptions
from tests.helpers import in_loop
from tests.models.test_recheck import TOLD, WRONG, Check, checks, imported


@pytest.fixture
def studio() -> Studio:
    return Studio.open()


def adapter(studio: Studio, tmp_path: Path, base: ArtifactView) -> ArtifactView:
    """Of a model; it was made by a stage and is not due itself."""
    from backend.core.artifacts import Manifest, seal

    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    target = studio.settings.artifacts / Kind.ADAPTER / "adapter-a"
    facts = {"format": "adapter", "base": base.id, "checked": 1, "layers": 2, "parameters": 10, "context": 64}
    manifest = seal(folder, target, Manifest(id="adapter-a", kind=Kind.ADAPTER, name="tuned", facts=facts))
    return studio.store.add_artifact(manifest, target, studio.store.project())


def failed_load(studio: Studio, ref: str) -> EngineClient:
    """What the host knows after it tried to load a model."""

    async def load() -> EngineClient:
        pool = Pool(studio.settings)
        model = await pool.load(ref, force=True)
        with pytest.raises(StudioError):
            await model.settled()
        return model

    return in_loop(load())


def test_the_playground_says_what_is_wrong_with_the_base_of_an_adapter_and_starts_no_process(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check: Check = checks(monkeypatch, StudioError.of([WRONG]))
    base = imported(studio, tmp_path)
    tuned = adapter(studio, tmp_path, base)
    for _ in range(2):
        model = failed_load(studio, tuned.id)
        assert model.problem == WRONG and model.pid is None and model.served().error == WRONG
    assert check.asked == 1 and studio.store.artifact(base.id).problems == [WRONG]


def test_a_check_without_findings_is_kept_and_what_is_loaded_knows_it(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = checks(monkeypatch, ({"prompt": "Hi"}, [TOLD]))
    old = imported(studio, tmp_path)
    seen: list[dict[str, Any]] = []

    async def spawn(self: EngineClient) -> Any:
        seen.append(self.views[old.id].facts)
        raise OSError("no process in this test")

    monkeypatch.setattr(EngineClient, "_spawn", spawn)
    failed_load(studio, old.id)
    failed_load(studio, old.id)
    assert check.asked == 1 and seen[0]["checked"] == 1 and studio.store.artifact(old.id).taken == [TOLD]


def test_loading_begins_at_once_and_ends_at_once_while_a_check_goes_on(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, leave, left = threading.Event(), threading.Event(), threading.Event()

    def first_use(views: list[ArtifactView]) -> list[ArtifactView]:
        begun.set()
        leave.wait(60)
        left.set()
        return views

    async def steps() -> None:
        model = EngineClient([imported(studio, tmp_path)], studio.settings, first_use=first_use)
        await asyncio.to_thread(begun.wait, 60)
        assert model.state == "loading" and model.pid is None and not left.is_set()
        await model.end()
        assert model.state == "failed" and model.problem and model.problem.code == "serve.unloaded"
        assert not left.is_set()  # nobody waited for it
        leave.set()
        await asyncio.to_thread(left.wait, 60)

    in_loop(steps())


def test_a_server_and_the_terminal_check_it_too(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = checks(monkeypatch, StudioError.of([WRONG]))
    old = imported(studio, tmp_path, context=64)
    with pytest.raises(StudioError) as caught:
        server.serve(Settings().prepare(), ServeOptions(model=old.id, port=0, force=True), lambda *_: None)
    assert caught.value.problems == [WRONG]
    said = CliRunner().invoke(app, ["chat", old.id, "--prompt", "Hello"])
    assert isinstance(said.exception, StudioError) and said.exception.problems == [WRONG]
    assert check.asked == 1


def test_a_check_that_fails_by_itself_is_said_and_not_kept(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks(monkeypatch, StudioError("models.check_time", model="old", seconds=1))
    old = imported(studio, tmp_path)
    model = failed_load(studio, old.id)
    assert model.problem and model.problem.code == "models.check_time"
    assert studio.check_due(studio.store.artifact(old.id))
    checks(monkeypatch, RuntimeError("a bug"))
    model = failed_load(studio, old.id)
    assert model.problem and model.problem.code == "core.unexpected"
