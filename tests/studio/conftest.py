"""Draws pages of the app on a real, temporary home."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from studio.paths import HERE
from studio.ui.shared import tasks
from tests.helpers import PATIENCE
from tests.studio.builder import StudioBuilder

Show = Callable[..., AppTest]


@pytest.fixture(scope="session", autouse=True)
def components() -> Iterator[None]:
    """Every AppTest looks through all installed packages for components, which takes longer than drawing a page: once will
    do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture
def builder(home: Path) -> Iterator[StudioBuilder]:
    """The studio of the test's home; what pages keep between tests is forgotten."""
    st.cache_resource.clear()
    yield StudioBuilder(home)
    st.cache_resource.clear()


@pytest.fixture(autouse=True)
def no_work_left_behind() -> Iterator[None]:
    """What a test began in the background ends with it: a failure that is logged later falls into another test, and Python 3.11
    can't format a traceback in one thread while another parses source."""
    yield
    for thread in [each for each in threading.enumerate() if each.name == tasks.THREAD]:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "a test's work in the background goes on after it"


@pytest.fixture(autouse=True)
def patient_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that goes on before the reading of its file is there looks otherwise on a busy machine."""
    monkeypatch.setattr("studio.ui.data.look.WAIT_SECONDS", float(PATIENCE))


def project_switch(at: AppTest) -> Selectbox[str]:
    """The sidebar's choice of a project."""
    return next(box for box in at.selectbox if box.label in ("Project", "Proyecto"))


@pytest.fixture
def show(builder: StudioBuilder) -> Show:
    """`show("jobs", "es", run="r1")`: the page of that name in that language with these query parameters."""

    def draw(page: str = "home", language: str = "en", **query: str) -> AppTest:
        at = AppTest.from_file(str(HERE / "app.py"), default_timeout=PATIENCE)
        at.session_state["lang"] = language
        if page == "teacher":  # most tests are about its form
            query.setdefault("step", "teacher")
        for key, value in ((key, value) for key, value in query.items() if value):
            at.query_params[key] = value
        if page != "home":
            at.switch_page(f"../pages/{page}.py")
        at.run()
        assert not at.exception, at.exception
        return at

    return draw


def words(at: AppTest) -> str:
    """All text of a page, badges, figures and labels included."""
    parts = [e.value for kind in (at.title, at.header, at.subheader, at.caption, at.markdown, at.error) for e in kind]
    parts += [e.value for kind in (at.warning, at.info, at.success, at.code, at.toast) for e in kind]
    parts += [f"{m.label} {m.value} {m.delta}" for m in at.metric]
    parts += [widget.label for kind in (at.button, at.selectbox, at.text_input, at.number_input) for widget in kind]
    return "\n".join(str(part) for part in parts)
