"""`GET /api/live?project=<id>&lang=<code>`: what an open page shows in its tab and tells its browser of, polled by its script.

`{"percent", "busy", "unread", "news"}`: the work of the project in whole percent or null, whether anything is at work, the ids
of the runs that ended unseen, and the same as `{id, title, body, url}` in the reader's language. An answer costs one small
query as long as nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from backend.api import Studio
from backend.api.notifications import share_done
from studio.ui.shared import api_cache
from studio.ui.shared.ended import run_label, sentence
from studio.ui.shared.i18n import LANGUAGES, translator

MOST = 5
"""Ends that a browser is told of at once."""


def live_routes(facade: Callable[[], Studio]) -> list[Route]:
    """`facade` is called at the first request, so that starting stays quick."""

    def get(request: Request) -> JSONResponse:
        facade()
        asked = request.query_params
        language = asked.get("lang", "en")
        found = _live(asked.get("project", ""), language if language in LANGUAGES else "en")
        return JSONResponse(found, headers={"cache-control": "no-store"})

    return [Route("/api/live", get)]


@api_cache.versioned("job", "run", "progress", "setting", "project")
def _live(project: str, language: str) -> dict[str, Any]:
    if project not in {each.id for each in api_cache.projects()}:
        return {"percent": None, "busy": False, "unread": [], "news": []}
    translate = translator(language)
    share = share_done([job for job in api_cache.open_jobs() if job.project == project])
    unread = api_cache.news(project).unread
    return {
        "percent": None if share is None else round(share * 100),
        "busy": bool(api_cache.open_jobs()),
        "unread": [f"{run.id}@{run.ended}" for run in unread],
        "news": [
            {
                "id": f"{run.id}@{run.ended}",
                "title": sentence(run, translate).format(run=run_label(run, translate)),
                "body": "SLMOps Studio",
                "url": f"/run?project={run.project}&id={run.id}",
            }
            for run in unread[:MOST]
        ],
    }
