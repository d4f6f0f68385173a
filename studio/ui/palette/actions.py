"""What the palette does with a choice: it leads to a page, or does what its action says. Nothing that comes from a browser is
taken without a look: pages and actions are those of the tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backend.api.queue import served_queues
from studio import nav
from studio.nav import NavPage
from studio.ui.shared import api_cache
from studio.ui.shared.address import switch_page
from studio.ui.shared.project import choose_project
from studio.ui.teacher import form


def act(choice: dict[str, Any]) -> None:
    """`choice` is {page, query} or {act, argument}. Where it leads to a page, the run of the script ends here."""
    action = _ACTIONS.get(str(choice.get("act")))
    if action:
        api_cache.run_action(lambda: action(str(choice.get("argument") or "")))
    page = next((row for row in nav.NAV if row.path.stem == choice.get("page")), None)
    if page:
        _go(page, **{str(key): str(value) for key, value in (choice.get("query") or {}).items()})


def _go(page: NavPage, **query: str) -> None:
    switch_page(page.path, query_params=query)


def _new_project(name: str) -> None:
    """Raises StudioError for a name that can't be."""
    choose_project(api_cache.studio().create_project(name).id)
    api_cache.clear_caches()
    _go(nav.HOME)


def _project(project_id: str) -> None:
    if project_id in {each.id for each in api_cache.studio().projects()}:
        choose_project(project_id)
        _go(nav.HOME)


def _add_endpoint(_argument: str) -> None:
    form.open_form()
    _go(nav.TEACHER, step="choose")


def _pause(_argument: str) -> None:
    for queue in served_queues():
        api_cache.studio().jobs.pause(queue)


def _resume(_argument: str) -> None:
    for queue in api_cache.studio().jobs.paused():
        api_cache.studio().jobs.resume(queue)


_ACTIONS: dict[str, Callable[[str], None]] = {
    "new_project": _new_project,
    "project": _project,
    "add_endpoint": _add_endpoint,
    "pause": _pause,
    "resume": _resume,
}
"""`tour` and `shortcuts` are the browser's own."""
