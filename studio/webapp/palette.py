"""What the command palette lists: `GET /api/palette?lang=<code>&project=<id>`, asked for when it opens."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from backend.api import Studio
from backend.core.errors import StudioError
from studio.ui.palette.items import items
from studio.ui.shared.i18n import language
from studio.webapp.files import error_response


def palette_routes(facade: Callable[[], Studio]) -> list[Route]:
    """`facade` as in `studio.webapp.files.routes`."""

    def listed(request: Request) -> Response:
        asked = request.query_params
        try:
            found = items(facade(), language(None, asked.get("lang")), asked.get("project", ""))
        except StudioError as error:
            return error_response(error)
        return JSONResponse({"items": found}, headers={"cache-control": "no-store"})

    return [Route("/api/palette", listed)]
