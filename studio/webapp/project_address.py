"""A page that is asked for without a project is answered with its address in the project that was used last, so that the
browser's history holds one entry for it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, QueryParams
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.api import Studio
from backend.core.errors import StudioError
from studio.nav import NAV

PARAMETER = "project"
_PAGES = frozenset({"/", *(f"/{row.path.stem}" for row in NAV if not row.default)})


class ProjectAddress:
    """`facade` is called at the first request, so that starting stays quick."""

    def __init__(self, app: ASGIApp, facade: Callable[[], Studio]) -> None:
        self.app = app
        self.facade = facade

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_page(scope):
            query = QueryParams(scope["query_string"])
            if PARAMETER not in query and (used := await run_in_threadpool(self._used)):
                named = urlencode([(PARAMETER, used), *query.multi_items()])
                return await RedirectResponse(f"?{named}", 307, {"cache-control": "no-store"})(scope, receive, send)
        await self.app(scope, receive, send)

    def _used(self) -> str | None:
        """None where the store can't be read: the page says why."""
        try:
            return self.facade().chosen_project().id
        except StudioError:
            return None


def _is_page(scope: Scope) -> bool:
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return scope["method"] == "GET" and path in _PAGES and "text/html" in Headers(scope=scope).get("accept", "")
