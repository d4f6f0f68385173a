"""What can be reached by the palette: pages, actions, runs, models, datasets and projects, in a language.

Asked for when the palette opens (`studio.webapp.palette`), so that no page pays for it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from babel.dates import format_timedelta

from backend.api import MODEL_KINDS, Studio
from backend.api.projects import DEFAULT_PROJECT
from backend.core.schemas import ArtifactView, Kind
from studio import nav
from studio.ui.palette.shortcuts import letter_of
from studio.ui.shared.i18n import translator
from studio.ui.shared.project import PARAMETER

MOST_RUNS, MOST_ARTIFACTS = 60, 200
Translate = Callable[[str], str]
Item = dict[str, Any]
"""`kind`, `icon` (of Material Symbols), `title`, `sub`, `words` (searched too), `keys`, and where it leads: `page` with
`query`, or `act` (see `studio.ui.palette.actions`) with `argument`."""


ACTIONS: dict[str, tuple[str, str, str]] = {
    "new_project": ("New project", "create_new_folder", "create add"),
    "add_endpoint": ("Add endpoint", "cloud", "teacher key API"),
    "pause": ("Pause the queue", "pause", "stop jobs worker"),
    "resume": ("Resume the queue", "play_arrow", "start jobs worker"),
    "tour": ("Take the tour", "tour", "help start introduction"),
    "shortcuts": ("Keyboard shortcuts", "keyboard", "keys help"),
}
"""Action -> title, icon, further words to find it by."""


def items(studio: Studio, language: str, project: str) -> list[Item]:
    """All, in the order in which they are shown while nothing is typed; things of `project` first."""
    translate = translator(language)
    names = {each.id: _project_name(each.name, translate) for each in studio.projects()}
    return [
        *_pages(translate),
        *_actions(studio, translate),
        *_runs(studio, language, project, names),
        *_artifacts(studio, translate, project, names),
        *_projects(names, project),
    ]


def _project_name(name: str, translate: Translate) -> str:
    return translate("First project") if name == DEFAULT_PROJECT else name


def _icon(row: nav.NavPage) -> str:
    return row.icon.removeprefix(":material/").removesuffix(":")


def _pages(translate: Translate) -> list[Item]:
    return [
        {
            "kind": "page",
            "icon": _icon(row),
            "title": translate(row.title),
            "sub": translate(row.help),
            "words": row.title,
            "keys": f"G {letter_of(row).upper()}" if letter_of(row) else "",
            "page": row.path.stem,
        }
        for row in nav.NAV
        if not row.hidden
    ]


def _actions(studio: Studio, translate: Translate) -> list[Item]:
    paused = bool(studio.jobs.paused())
    left_out = {"pause" if paused else "resume"}
    keys = {"shortcuts": "?"}
    return [
        {
            "kind": "action",
            "icon": icon,
            "title": translate(title),
            "sub": "",
            "words": f"{title} {translate(words)}",
            "keys": keys.get(name, ""),
            "act": name,
        }
        for name, (title, icon, words) in ACTIONS.items()
        if name not in left_out
    ]


def _runs(studio: Studio, language: str, project: str, names: dict[str, str]) -> list[Item]:
    now = datetime.now(UTC)
    found = sorted(studio.runs(MOST_RUNS), key=lambda run: run.project != project)
    return [
        {
            "kind": "run",
            "icon": _icon(nav.RUN),
            "title": run.name,
            "sub": _about(
                names.get(run.project, "") if run.project != project else "",
                format_timedelta(run.created - now, add_direction=True, locale=language),
            ),
            "words": run.id,
            "page": nav.RUN.path.stem,
            "query": _query(project, run.project, id=run.id),
        }
        for run in found
    ]


def _artifacts(studio: Studio, translate: Translate, project: str, names: dict[str, str]) -> list[Item]:
    held = studio.artifacts((*MODEL_KINDS, Kind.PACKAGE, Kind.DATASET))[:MOST_ARTIFACTS]
    found: list[Item] = []
    for view in sorted(held, key=lambda view: view.project != project):
        sub = names.get(view.project, "") if view.project != project else ""
        query = partial(_query, project, view.project)
        found += _of_dataset(view, sub, query) if view.kind is Kind.DATASET else _of_model(view, sub, translate, query)
    return found


def _query(here: str, there: str, **thing: str) -> dict[str, str]:
    """The address of a thing; of another project's it leads into that project."""
    return thing if here == there else {**thing, PARAMETER: there}


def _of_dataset(view: ArtifactView, sub: str, query: Callable[..., dict[str, str]]) -> list[Item]:
    about = {"icon": _icon(nav.DATA), "title": view.name, "sub": sub, "words": view.id}
    return [{"kind": "data", **about, "page": nav.DATA.path.stem, "query": query(data=view.id)}]


def _of_model(view: ArtifactView, sub: str, translate: Translate, query: Callable[..., dict[str, str]]) -> list[Item]:
    about = {"icon": _icon(nav.MODELS), "title": view.name, "sub": sub, "words": f"{view.id} {view.kind}"}
    found: list[Item] = [{"kind": "model", **about, "page": nav.MODELS.path.stem, "query": query(model=view.id)}]
    if view.kind in MODEL_KINDS:
        chat = {
            "icon": _icon(nav.PLAYGROUND),
            "title": translate("Chat with {name}").format(name=view.name),
            "sub": sub,
        }
        page = nav.PLAYGROUND.path.stem
        found.append({"kind": "action", **chat, "words": view.id, "page": page, "query": {"models": view.id}})
    return found


def _projects(names: dict[str, str], project: str) -> list[Item]:
    about = {"kind": "project", "icon": "folder", "sub": "", "words": "project", "act": "project"}
    return [{**about, "title": name, "argument": id_} for id_, name in names.items() if id_ != project]


def _about(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
