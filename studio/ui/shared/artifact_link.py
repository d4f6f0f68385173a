"""An artifact by name, as a link to the page that shows it."""

from __future__ import annotations

from backend.core.schemas import ArtifactView, Kind
from studio.nav import COMPARE, DATA, MODELS, TEACHER, NavPage
from studio.ui.shared.address import page_link
from studio.ui.shared.formatting import escape_markdown, kind_word


def artifact_link(view: ArtifactView) -> None:
    page, query = _place(view)
    label = f"{escape_markdown(view.name)} :small[:gray[{kind_word(view.kind)}]]"
    page_link(page.path, label=label, icon=page.icon, query_params=query)


def _place(view: ArtifactView) -> tuple[NavPage, dict[str, str]]:
    match view.kind:
        case Kind.DATASET:
            return DATA, {"data": view.id}
        case Kind.EVALUATION:
            return COMPARE, {}
        case Kind.AUDITION:
            return TEACHER, {"step": "audition"}
        case _:
            return MODELS, {"model": view.id}
