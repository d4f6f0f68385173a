"""What the page Review asks beside Streamlit, below `/api/reviews/{dataset}`: rows with their reviews, one decision, what
others decided since, and a file of all of it; with `?report=<id>` of the rows that this check doubts, test rows only with
`&test=1`. Failures look as in `studio.webapp.files`."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from backend.api import Studio
from backend.api.reviews import REVIEW_FILTERS, Chosen, ReviewPage
from backend.core.errors import StudioError
from backend.data.decisions import Decision
from backend.files.uploads import safe_name
from studio.webapp.files import attachment, check_csrf, error_response

MAX_BODY_BYTES = 2_000_000
MAX_TIMESTAMP = 32_503_680_000.0
"""The year 3000: a moment behind it is none."""


def review_routes(facade: Callable[[], Studio]) -> list[Route]:
    """`facade` as in `studio.webapp.files.routes`."""

    def rows(request: Request) -> Response:
        asked = request.query_params
        show, start = asked.get("show", "unreviewed"), asked.get("start", "0")
        if show not in REVIEW_FILTERS or not start.isdecimal() or len(start) > 9:
            return error_response(StudioError("review.unreadable"))
        try:
            page = facade().reviews.page(_dataset(request), show, asked.get("label", ""), int(start), _chosen(request))
        except StudioError as error:
            return error_response(error)
        return _no_store(_page(page))

    def changes(request: Request) -> Response:
        since = _moment(request.query_params.get("since", ""))
        try:
            if since is None:
                raise StudioError("review.unreadable")
            return _no_store(facade().reviews.changes(_dataset(request), since, _chosen(request)).model_dump())
        except StudioError as error:
            return error_response(error)

    async def decide(request: Request) -> Response:
        try:
            check_csrf(request, "review.refused")
            said = await _said(request)
            reviews = (await run_in_threadpool(facade)).reviews
            counts = await run_in_threadpool(reviews.save, _dataset(request), said, _chosen(request))
        except StudioError as error:
            return error_response(error)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        return _no_store({"counts": counts.model_dump()})

    def download(request: Request) -> Response:
        format = request.query_params.get("format", "jsonl")
        try:
            studio = facade()
            chunks = studio.reviews.export(_dataset(request), format, _chosen(request))
            name = f"{safe_name(studio.dataset(_dataset(request)).name)}-reviews.{format}"
        except StudioError as error:
            return error_response(error)
        kind = "text/csv" if format == "csv" else "application/jsonl"
        return attachment(chunks, name, f"{kind}; charset=utf-8")

    return [
        Route("/api/reviews/{dataset}", decide, methods=["POST"]),
        Route("/api/reviews/{dataset}/rows", rows),
        Route("/api/reviews/{dataset}/changes", changes),
        Route("/api/reviews/{dataset}/download", download),
    ]


def _dataset(request: Request) -> str:
    return str(request.path_params["dataset"])


def _chosen(request: Request) -> Chosen:
    asked = request.query_params
    return Chosen(asked.get("report", ""), asked.get("test") == "1")


def _moment(text: str) -> float | None:
    try:
        moment = float(text)
    except ValueError:
        return None
    return moment if isfinite(moment) and 0 <= moment < MAX_TIMESTAMP else None


async def _said(request: Request) -> Decision:
    """The decision in the body. Raises StudioError when it is none, or larger than any can be."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise StudioError("review.unreadable")
    try:
        return Decision.model_validate_json(bytes(body))
    except ValidationError:
        raise StudioError("review.unreadable") from None


def _page(page: ReviewPage) -> dict[str, Any]:
    rows = [
        {
            **row.model_dump(),
            "said": said.model_dump() if said else None,
            "why": page.why.get(row.id, ""),
            "split": page.splits.get(row.id, ""),
        }
        for row, said in page.rows
    ]
    return {"rows": rows, "next": page.next, "counts": page.counts.model_dump(), "moment": page.moment}


def _no_store(content: dict[str, Any]) -> JSONResponse:
    return JSONResponse(content, headers={"cache-control": "no-store"})
