"""The blind arena of the Playground: nothing tells who answered before the vote, in either language."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView
from studio.ui.playground import arena, shared
from studio.ui.playground.comparisons import Comparison
from tests.helpers import until
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words
from tests.studio.test_playground import Host

NAMES = ("alpha", "beta")


@pytest.fixture
def host(builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch) -> Host:
    made = Host()
    monkeypatch.setattr(shared, "ServeClient", lambda _settings: made)
    return made


@pytest.fixture
def two(builder: StudioBuilder) -> list[ArtifactView]:
    return [builder.model(name) for name in NAMES]


def opened(show: Show, language: str = "en") -> AppTest:
    return show("playground", language, mode="arena", models="model-alpha,model-beta")


def asked(at: AppTest, text: str = "hi") -> AppTest:
    at.chat_input(key="pa_input").set_value(text).run()
    until(lambda: not comparison(at).busy)
    return at.run()


def comparison(at: AppTest) -> Comparison:
    found = shared.comparisons().find(at.query_params["compare"])
    assert found
    return found


def named(at: AppTest) -> list[str]:
    """The texts that name a model."""
    shown = [str(each.value) for each in [*at.markdown, *at.caption, *at.text]]
    return [value for value in shown if any(name in value for name in NAMES)]


def test_names_come_after_the_vote_only(
    show: Show, host: Host, builder: StudioBuilder, two: list[ArtifactView]
) -> None:
    at = opened(show)
    before = named(at)
    at = asked(at)
    assert at.button(key="pa_a") and [text.value for text in at.text].count("Hello there") == 2
    assert named(at) == before == list(NAMES), "the choice of models has them, in its own order"
    assert "tokens/s" not in words(at)
    assert not any(name in str(each.key) for name in NAMES for each in at.button), "keys are classes in the page"
    at.button(key="pa_a").click().run()
    shown = [each.value for each in [*at.markdown, *at.caption]]
    first, second = (answer.model.removeprefix("model-") for answer in comparison(at).answers)
    assert f"**A** · {first}" in shown and f"**B** · {second}" in shown
    assert "You preferred A." in words(at) and "Too early to tell models apart" in words(at)
    (vote,) = builder.studio.arena.votes(builder.store.project())
    assert (vote.winner, vote.name_a, vote.answer_a, vote.prompt) == ("a", first, "Hello there", "hi")
    assert "pa_a" not in [each.key for each in at.button], "one vote for a comparison"


def test_nothing_is_shown_until_both_have_answered(show: Show, host: Host, two: list[ArtifactView]) -> None:
    host.pause.clear()
    at = opened(show)
    at.chat_input(key="pa_input").set_value("hi").run()
    until(lambda: all(answer.text for answer in comparison(at).answers))
    at.run()
    assert "Hello" not in [text.value for text in at.text] and "Both models are answering" in words(at)
    host.pause.set()
    until(lambda: not comparison(at).busy)


def test_the_order_is_drawn_by_chance() -> None:
    from studio.ui.playground.comparisons import two_of

    drawn = {tuple(two_of(["m1", "m2", "m3"])) for _ in range(300)}
    assert len(drawn) == 6


def test_rows_of_a_dataset_are_asked_one_after_the_other(
    show: Show, host: Host, builder: StudioBuilder, two: list[ArtifactView]
) -> None:
    data = builder.dataset()
    at = opened(show, "es")
    at.selectbox(key="pa_source").set_value(data.id).run()
    seen = []
    for vote in ("pa_tie", "pa_both_bad"):
        at.button(key="pa_next").click().run()
        until(lambda: not comparison(at).busy)
        at.run()
        seen.append(comparison(at).prompt.row)
        at.button(key=vote).click().run()
    assert len(set(seen)) == 2 and "Clasificación" in words(at)
    assert at.button(key="pa_pairs").disabled, "ties give no pairs"


def test_a_model_that_can_not_answer_gives_no_vote(show: Show, host: Host, two: list[ArtifactView]) -> None:
    host.refusal = StudioError("serve.memory_short", model="m", need="2 GB", missing="1 GB")
    at = asked(opened(show))
    assert "No answers to compare. Ask again." in words(at) and "pa_a" not in [each.key for each in at.button]
    assert at.chat_input(key="pa_input")


def test_one_model_is_not_enough(show: Show, host: Host, builder: StudioBuilder) -> None:
    builder.model("alpha")
    at = show("playground", mode="arena")
    assert "Choose at least two models." in words(at) and at.chat_input(key="pa_input").disabled
    assert arena.COMPARISON not in at.query_params
