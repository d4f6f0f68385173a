"""Home and Run in every state and language, with the facade replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from studio.paths import HERE
from studio.ui import source
from tests.studio.fake import FakeStudio, failed, finished, running

Show = Callable[..., AppTest]


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Iterator[Show]:
    """Draws the app on a facade: `show(fake, language, run=id)`."""

    def draw(fake: FakeStudio, language: str = "en", run: str | None = None) -> AppTest:
        st.cache_resource.clear()
        monkeypatch.setattr(source, "studio", lambda: fake)
        at = AppTest.from_file(str(HERE / "app.py"), default_timeout=20)
        at.session_state["lang"] = language
        at.run()
        if run:
            at.query_params["run"] = run
            at.switch_page("../pages/run.py").run()
        assert not at.exception, at.exception
        return at

    yield draw
    st.cache_resource.clear()


def words(at: AppTest) -> str:
    """All text of a page, badges and figures included."""
    parts = [e.value for kind in (at.title, at.subheader, at.caption, at.markdown, at.error) for e in kind]
    return "\n".join([*parts, *(f"{m.label} {m.value} {m.delta}" for m in at.metric), *(b.label for b in at.button)])


@pytest.mark.parametrize(("language", "said"), [("en", "Nothing has run yet"), ("es", "Aún no se ha ejecutado nada")])
def test_empty_says_what_to_do(show: Show, language: str, said: str) -> None:
    at = show(FakeStudio(worker=False), language)
    assert said in words(at)
    assert "slmops run assets/recipes/quickstart.yaml" in at.code[0].value
    assert "`slmops worker`" in words(at)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["Running now", "History", "1 of 3 stages", "Failed", "Done", "3 stages", "633.2 MB"]),
        ("es", ["En marcha ahora", "Historial", "1 de 3 etapas", "Fallido", "Terminado", "3 etapas", "633,2 MB"]),
    ],
)
def test_list_shows_every_run_with_its_state(show: Show, language: str, said: list[str]) -> None:
    text = words(show(FakeStudio([running(), failed(), finished()]), language))
    for word in said:
        assert word in text, word


def test_start_makes_one_run_and_opens_it(show: Show) -> None:
    fake = FakeStudio([finished()])
    at = show(fake)
    at.button(key="demo").click().run()
    assert [call[:2] for call in fake.calls] == [("start", "quickstart")]
    assert at.title[0].value == "quickstart"


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", ["Fine-tune", "Running", "about 1 min 35 s"]), ("es", ["Ajustar", "En marcha", "alrededor de 1 min 35 s"])],
)
def test_running_run_shows_stages_and_can_be_cancelled(show: Show, language: str, said: list[str]) -> None:
    fake = FakeStudio([running()])
    at = show(fake, language, run="r-running")
    for word in said:
        assert word in words(at), word
    at.button(key="cancel_run").click().run()
    assert fake.calls == [("cancel_run", "r-running")]


@pytest.mark.parametrize(("language", "retry"), [("en", "Retry"), ("es", "Reintentar")])
def test_failed_run_says_why_and_can_be_retried(show: Show, language: str, retry: str) -> None:
    fake = FakeStudio([failed()])
    at = show(fake, language, run="r-failed")
    assert "The process ran out of memory" in at.error[0].value or language != "en"
    assert at.button(key="retry_r2-finetune").label == retry
    at.button(key="retry_r2-finetune").click().run()
    assert fake.calls == [("retry", "r2-finetune")]


@pytest.mark.parametrize(
    ("language", "figures"),
    [
        ("en", {"Accuracy": "93.1 %", "Size on disk": "92.4 MB", "Time to first token": "41 ms"}),
        ("es", {"Exactitud": "93,1 %", "Tamaño en disco": "92,4 MB", "Tiempo al primer token": "41 ms"}),
    ],
)
def test_finished_run_shows_its_figures(show: Show, language: str, figures: dict[str, str]) -> None:
    at = show(FakeStudio([finished()]), language, run="r-done")
    shown = {metric.label: metric.value for metric in at.metric}
    assert figures.items() <= shown.items()


def test_unknown_run_is_a_sentence(show: Show) -> None:
    at = show(FakeStudio(), run="r-nothing")
    assert "r-nothing" in at.error[0].value


def test_browser_language_is_taken(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "studio", lambda: FakeStudio())
    at = AppTest.from_file(str(HERE / "app.py"), default_timeout=20)
    at.context = {"locale": "es-MX"}  # type: ignore[attr-defined]
    at.run()
    assert at.title[0].value == "Tus ejecuciones"
