"""Every page of the menu, in both languages, in a studio where nothing has happened, something runs, has failed or is done."""

from __future__ import annotations

import gettext

import pytest
from streamlit.testing.v1 import AppTest

from backend.core.schemas import Kind, State
from studio.nav import NAV
from studio.ui.shared.i18n import _catalogue
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words

STATES = {"empty": None, "running": State.RUNNING, "failed": State.FAILED, "finished": State.SUCCEEDED}
STAGES = {"data": "dataset", "teacher": "teacher", "distill": "prune", "quantize": "quantize", "compare": "evaluate"}
STAGES |= {"review": "review"}
"""The stage that a page is about; all others look at a fine-tuning."""
NEEDS_DATA = "This step needs a dataset."
OUT = "The process ran out of memory."
SAYS = {
    "home": ("What should your model do?", "Running now", "Failed", "Best accuracy"),
    "data": ("No datasets yet. Create the first one with the form above.", "Running", OUT, "All datasets"),
    "teacher": (NEEDS_DATA, "Running", OUT, "Results so far"),
    "review": (
        "Nothing to review yet. Let a teacher answer a dataset, or check one.",
        "Running",
        OUT,
        "Results so far",
    ),
    "distill": (NEEDS_DATA, "Running", OUT, "Results so far"),
    "finetune": (NEEDS_DATA, "Running", OUT, "Results so far"),
    "quantize": ("Prepare built-in model", "Running", OUT, "Results so far"),
    "playground": ("No models to chat with yet", "First model", "First model", "First model"),
    "compare": ("No evaluations yet", "Evaluate a model", "The last evaluation failed.", "Leaderboard"),
    "jobs": ("No finished jobs yet.", "Running", OUT, "Done"),
    "models": ("Prepare now", "Chat", "Chat", "Accuracy"),
    "settings": ("Nothing stored yet.", "Studio usage", "Studio usage", "Studio usage"),
    "help": ("Help",) * 4,
    "run": ("There is no run “{ref}”.", "Running", OUT, "Done"),
    "result": (
        "Choose a run on the Jobs page to see its result.",
        "All steps",
        OUT,
        "Nothing was measured.",
    ),
}
"""What each page says in the four states, as the catalogue's key."""
BUILD = ("data", "teacher", "distill", "finetune", "quantize")
STATE_WORDS = {"running": "Running", "failed": "Failed", "finished": "Done"}


def test_every_page_is_here() -> None:
    assert list(SAYS) == [row.path.stem for row in NAV]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("page", SAYS)
def test_page_tells_its_state_in_the_users_language(
    show: Show, builder: StudioBuilder, page: str, language: str, state: str
) -> None:
    query = live_in(builder, page, STATES[state])
    if page == "settings":
        query["section"] = "storage"
    at = show(page, language, **query)
    spanish = language == "es"
    catalogue = _catalogue("es") if spanish else gettext.NullTranslations()
    drawn = drawn_by(at)
    said = SAYS[page][list(STATES).index(state)]
    assert catalogue.gettext(said).replace("{ref}", query.get("run", "")) in drawn
    assert (catalogue.gettext(said) != said) == spanish
    if page in BUILD and state == "empty":
        start = at.button(key=f"start_{STAGES.get(page, page)}")
        assert start.label == catalogue.gettext("Start")
        assert start.disabled == (page != "data"), "the demo can be taken at once"
    elif page in BUILD and (page, state) != ("data", "finished"):  # there the dataset stands open
        assert catalogue.gettext(STATE_WORDS[state]) in drawn
    # Some titles are the names of a project, a run or a dataset.
    if page not in ("home", "run", "result") and (page, state) != ("data", "finished"):
        title = next(row.title for row in NAV if row.path.stem == page)
        assert at.title[0].value == catalogue.gettext(title)


def live_in(builder: StudioBuilder, page: str, state: State | None) -> dict[str, str]:
    """A job in this state, with what it needs and, when it is done, what there is by then; returns what the page asks for."""
    if state is None:
        return {"run": "none"} if page == "run" else {}
    stage = STAGES.get(page, "finetune")
    error = {"code": "core.memory_out", "args": {}} if state is State.FAILED else None
    run = builder.run("lessons", (stage, state), error=error)
    model = builder.model("student", Kind.ONNX)
    if state is State.SUCCEEDED or page != "data":
        data = builder.dataset()
    if page == "review":
        builder.answers()
    if state is State.SUCCEEDED:
        builder.evaluation(model, data, 0.8)
    queries = {"jobs": {"job": f"{run}-{stage}"}, "run": {"run": run}, "result": {"run": run}}
    return {"data": data.id} if (page, state) == ("data", State.SUCCEEDED) else queries.get(page, {})


def drawn_by(at: AppTest) -> str:
    """All words of a page without escapes; links too."""
    links = [element.proto.label for element in at.main.get("page_link")]
    return "\n".join([words(at), *links]).replace("\\", "")
