"""Which models make room for another one: those that nobody chose, the longest unused first, and only for want of memory."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from backend.core import machine
from backend.core.artifacts import Manifest
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.core.settings import Settings
from backend.db import Store
from backend.models import costs
from backend.serve import memory, pins, pool
from backend.serve.memory import Loaded, to_unload
from backend.serve.pool import Pool
from tests.helpers import in_loop
from tests.helpers import view as artifact

GB = 10**9


class Client:
    """What `EngineClient` is to a pool, without a process: it holds half of what it needs until it has answered."""

    def __init__(self, views: list[ArtifactView], _settings: Settings, first_use: object) -> None:
        self.view, self.state, self.answering, self.last_used = views[0], "ready", 0, clock()
        self.need = views[0].facts["need"]
        self.memory_bytes = self.need // 2
        self.outstanding = self.need - self.memory_bytes
        loaded.append(self)

    @property
    def idle(self) -> bool:
        return self.state == "ready" and not self.answering

    async def end(self) -> None:
        loaded.remove(self)


loaded: list[Client] = []
_now = [0.0]


def clock() -> float:
    _now[0] += 1
    return _now[0]


@pytest.fixture
def made(home: Path, monkeypatch: pytest.MonkeyPatch) -> Pool:
    """Models a, b, c and d of 1, 2, 3 and 20 GB on a machine with 5 GB for them."""
    settings = Settings(home=home).prepare()
    store = Store(settings.store_url)
    for name, size in {"a": 1, "b": 2, "c": 3, "d": 20}.items():
        manifest = Manifest(id=name, kind=Kind.MODEL, name=f"the {name}", facts={"need": size * GB})
        store.add_artifact(manifest, home / name, store.project())
    loaded.clear()
    monkeypatch.setattr(pool, "EngineClient", Client)
    monkeypatch.setattr(costs, "answer_bytes", lambda facts: facts["need"])
    monkeypatch.setattr(machine, "available_bytes", lambda: 5 * GB - sum(one.memory_bytes for one in loaded))
    return Pool(settings)


def names() -> str:
    return "".join(sorted(one.view.id for one in loaded))


def run(steps: Callable[[], Coroutine[Any, Any, None]]) -> None:
    in_loop(steps())


def test_the_longest_unused_makes_room_once_memory_is_short(made: Pool) -> None:
    async def steps() -> None:
        for name in "ab":
            await made.load(name)
        assert names() == "ab"
        await made.load("c")
        assert names() == "bc"

    run(steps)


def test_a_chosen_model_stays_and_the_others_go_first(made: Pool) -> None:
    async def steps() -> None:
        made.pins.set("page", ["a", "c"])
        for name in "abc":
            await made.load(name)
        assert names() == "ac", "b goes although a is unused for longer"

    run(steps)


def test_what_can_not_fit_beside_chosen_ones_names_the_one_to_unload(made: Pool) -> None:
    async def steps() -> None:
        made.pins.set("page", ["b", "c"])
        made.pins.set("other page", ["a"])
        for name in "bc":
            await made.load(name)
        with pytest.raises(StudioError) as caught:
            await made.load("a")
        (problem,) = caught.value.problems
        assert problem.code == "serve.memory_models" and problem.args["unload"] == "b"
        assert "Unload “the b”" in problem.text() and "1.0 GB short" in problem.text()
        assert names() == "bc"
        await made.unload("b")
        await made.load("a")
        assert names() == "ac"

    run(steps)


def test_an_answering_model_is_not_chosen_and_stays(made: Pool) -> None:
    async def steps() -> None:
        (await made.load("b")).answering = 1
        await made.load("a")
        await made.load("c")
        assert names() == "bc"

    run(steps)


def test_no_model_goes_for_one_that_can_not_fit_anyway(made: Pool) -> None:
    async def steps() -> None:
        await made.load("a")
        with pytest.raises(StudioError) as caught:
            await made.load("d")
        assert caught.value.code == "serve.memory_short" and names() == "a"
        await made.load("d", force=True)
        assert names() == "d"

    run(steps)


def test_a_choice_ends_with_its_page(made: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "LEASE_SECONDS", -1)
    made.pins.set("page", ["a"])
    assert made.pins.models() == frozenset()


def test_to_unload_takes_the_smallest_that_is_enough_else_few() -> None:
    held = [Loaded("a", "a", 1), Loaded("b", "b", 2), Loaded("c", "c", 3)]
    assert [one.id for one in to_unload(2, held)] == ["b"]
    assert [one.id for one in to_unload(5, held)] == ["c", "b"]
    assert to_unload(7, held) == []


def test_a_model_that_would_not_help_is_not_named(home: Path) -> None:
    view = artifact(home, Kind.MODEL, "x")
    assert memory.shortage(view, 5, 4, [], [Loaded("a", "a", 1)]).code == "serve.memory_short"
