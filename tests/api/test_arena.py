"""Votes of the blind arena: stored once, readable for good, standings, and pairs that preference tuning takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.api.arena import Vote, Winner, standings
from backend.cli import main
from backend.core.errors import StudioError
from backend.data.votes import preference_pairs
from backend.jobs.context import MemoryContext
from backend.stages import preference
from backend.stages.dataset import STAGE
from tests.stages.fake_world import FakeWorld, made
from tests.stages.test_finetune import smol_world
from tests.studio.builder import StudioBuilder


@pytest.fixture
def builder(home: Path) -> StudioBuilder:
    return StudioBuilder(home)


def vote(number: int, winner: Winner = "a", **more: Any) -> Vote:
    asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": f"question {number}"}]
    values: dict[str, Any] = {
        "id": f"v{number}",
        "prompt": f"question {number}",
        "messages_a": asked,
        "messages_b": asked,
        "model_a": "m1",
        "model_b": "m2",
        "name_a": "one",
        "name_b": "two",
        "answer_a": f"good {number}",
        "answer_b": f"poor {number}",
        "winner": winner,
        "sampling": {"seed": 3, "temperature": 0.0},
    }
    return Vote.model_validate(values | more)


def test_a_comparison_has_one_vote_and_it_outlives_its_models(builder: StudioBuilder) -> None:
    arena, project = builder.studio.arena, builder.store.project()
    model = builder.model("one")
    first = arena.vote(project, vote(1, model_a=model.id))
    assert first.at and arena.vote(project, vote(1, "b")).winner == "a", "after the first the names are known"
    builder.studio.delete(model.id)
    (kept,) = arena.votes(project)
    assert kept == first and kept.sampling["seed"] == 3
    assert {each.name for each in arena.standings(project).models} == {"one", "two"}
    builder.store.project("other")
    assert arena.votes(builder.store.project("other")) == []


def test_standings_rank_and_say_when_it_is_too_early() -> None:
    said = [vote(n) for n in range(20)] + [vote(20, "tie"), vote(21, "both_bad"), vote(22, "b", name_b="two, renamed")]
    found = standings(said)
    assert [each.name for each in found.models] == ["one", "two, renamed"] and found.early and found.connected
    best = found.models[0]
    assert best.low < best.rating < best.high and best.votes == 23 and best.share == 21 / 23
    assert not standings(said * 2).early and standings([]).models == []


def test_pairs_leave_out_what_prefers_nothing_and_count_it() -> None:
    said = [
        vote(1),
        vote(1, "b", id="x"),
        vote(1, "b", id="y"),
        vote(2, "tie"),
        vote(3, "both_bad"),
        vote(4, answer_b=""),
    ]
    said += [vote(5), vote(5, id="z", answer_a="poor 5", answer_b="good 5", winner="b"), vote(6), vote(6, "b", id="w")]
    found = preference_pairs(said)
    assert [(row["chosen"], row["rejected"]) for row in found.rows] == [("poor 1", "good 1"), ("good 5", "poor 5")]
    assert (found.ties, found.unusable, found.contradictory, found.repeated) == (2, 1, 3, 2)


def test_pairs_become_a_dataset_that_preference_tuning_takes(builder: StudioBuilder, tmp_path: Path) -> None:
    arena, project = builder.studio.arena, builder.store.project()
    with pytest.raises(StudioError) as none:
        arena.pair_params(project, "pairs")
    assert none.value.code == "arena.no_pairs"
    for number in range(30):
        arena.vote(project, vote(number, "ab"[number % 2]))  # type: ignore[arg-type]
    params = STAGE.parse(arena.pair_params(project, "pairs"))
    assert [each for each in STAGE.check(params, FakeWorld()) if each.blocking] == []
    ctx = MemoryContext(tmp_path / "job", [])
    STAGE.run(params, ctx)
    data, manifest = made(ctx)
    facts = manifest["facts"]
    assert facts["pairs"] == facts["rows"]["train"] > 20 and data.template.system == "Be brief."
    assert manifest["name"] == "pairs"
    told = preference.STAGE.check(preference.PreferenceParams(model="m", data="d"), smol_world(**facts))
    assert [each for each in told if each.blocking] == []


def test_a_row_with_the_fewest_votes_comes_next(builder: StudioBuilder) -> None:
    data, arena, project = builder.dataset(), builder.studio.arena, builder.store.project()
    first = arena.next_row(project, data.id)
    assert first.row == builder.studio.rows(data.id, "validation", 0, 1)[0].id and first.expected
    assert arena.next_row(project, data.id, {first.row}).row != first.row
    arena.vote(project, vote(1, dataset=data.id, row=first.row))
    assert arena.next_row(project, data.id).row != first.row


def test_the_command_line_shows_standings_and_votes(
    builder: StudioBuilder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        builder.studio.arena.vote(builder.store.project(), vote(number))
    for command in (["standings", "--json"], ["votes"]):
        monkeypatch.setattr("sys.argv", ["slmops", "arena", *command])
        with pytest.raises(SystemExit):
            main()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["name"] for each in lines[0]["models"]] == ["one", "two"] and len(lines) == 4
