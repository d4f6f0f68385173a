"""How the end of a run is said: in the bell, by the browser, in messages to others."""

from __future__ import annotations

from collections.abc import Callable

from backend.api.forms import names, title_of
from backend.api.notifications import Words
from backend.core.schemas import RunView, State

Translate = Callable[[str], str]

SENTENCES = {
    State.SUCCEEDED: "{run} is done",
    State.FINDINGS: "{run} is done, with findings",
    State.FAILED: "{run} failed",
    State.CANCELLED: "{run} was cancelled",
}


def sentence(run: RunView, translate: Translate) -> str:
    """With `{run}` to be filled in."""
    return translate(SENTENCES[run.state])


def run_label(run: RunView, translate: Translate) -> str:
    return translate(title_of(run.name))


def words(_: Translate) -> Words:
    """The sentences of messages to others in a language."""
    return Words(
        titles={state.value: _(said) for state, said in SENTENCES.items()},
        body=_("Project {project} · {time}"),
        first_project=_("First project"),
        test_title=_("Test message"),
        test_body=_("SLMOps Studio can reach you here."),
        stages={stage: _(title_of(stage)) for stage in names()},
    )
