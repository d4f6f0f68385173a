"""Bytes in and out beside the pages: `PUT /api/uploads/{name}`, `GET /api/artifacts/{id}/download` and
`GET /api/projects/{id}/export`.

Failures are JSON: `{"problems": [{"code", "args", "field", "text"}]}`, the text in English; pages render the code. A download
is asked for by a plain link, so its failure is a page in the reader's language.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from backend.api import Studio
from backend.api.datasets import FORMATS
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView
from backend.files import downloads
from backend.files.uploads import IncomingUpload, Upload, receive_upload
from studio.ui.shared.i18n import COOKIE, language, translator
from studio.webapp.access import plain_page

CSRF_HEADER = "x-slmops-upload"
"""A page of another site can't set it without asking first, which is never granted."""
_BLOCK = 1 << 20
_STATUS = {
    "files.upload_too_large": 413,
    "files.upload_no_space": 507,
    "files.upload_refused": 403,
    "core.artifact_unknown": 404,
    "projects.unknown": 404,
    "projects.in_trash": 404,
    "projects.artifact_gone": 410,
    "core.artifact_damaged": 410,
    "review.refused": 403,
    "review.row_unknown": 404,
}


def routes(facade: Callable[[], Studio]) -> list[Route]:
    """`facade` is called at the first request, so that starting stays quick."""

    async def put_upload(request: Request) -> Response:
        try:
            check_csrf(request)
            studio = await run_in_threadpool(facade)
            kept = await _receive(request, studio)
        except StudioError as error:
            return error_response(error)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        return JSONResponse({"id": kept.id, "name": kept.name, "bytes": kept.bytes}, 201)

    def get_download(request: Request) -> Response:
        try:
            artifact = facade().artifact(request.path_params["id"])
            return _download(artifact, request.query_params.get("format"), request.query_params.get("split", "train"))
        except StudioError as error:
            return _page(error, request) if "text/html" in request.headers.get("accept", "") else error_response(error)

    def get_project(request: Request) -> Response:
        try:
            studio, id_ = facade(), request.path_params["id"]
            taken = studio.project_contents(id_, request.query_params.get("weights", "1") != "0")
            return attachment(studio.export_project(taken), studio.project_file_name(id_), "application/zip")
        except StudioError as error:
            return _page(error, request) if "text/html" in request.headers.get("accept", "") else error_response(error)

    return [
        Route("/api/projects/{id}/export", get_project),
        Route("/api/uploads/{name:path}", put_upload, methods=["PUT"]),
        Route("/api/artifacts/{id}/download", get_download),
    ]


def check_csrf(request: Request, refusal: str = "files.upload_refused") -> None:
    """Raises StudioError with the code `refusal` unless a page of this studio asks."""
    origin = request.headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if foreign or request.headers.get(CSRF_HEADER) != "1":
        raise StudioError(refusal)


async def _receive(request: Request, studio: Studio) -> Upload:
    """Disk work happens in threads, a megabyte at a time: the pages of others stay quick."""
    length = request.headers.get("content-length", "")
    announced = int(length) if length.isdigit() else None
    with receive_upload(studio.settings, request.path_params["name"], announced) as incoming:
        await _pour(request, incoming)
        return await run_in_threadpool(incoming.finish)


async def _pour(request: Request, incoming: IncomingUpload) -> None:
    held = bytearray()
    async for chunk in request.stream():
        held += chunk
        if len(held) >= _BLOCK:
            await run_in_threadpool(incoming.write, bytes(held))
            held.clear()
    await run_in_threadpool(incoming.write, bytes(held))


def _download(artifact: ArtifactView, format: str | None, split: str) -> Response:
    name = downloads.file_name(artifact, format, split)
    if format:
        return attachment(downloads.as_rows(artifact, format, split), name, FORMATS[format].media_type)
    ready = downloads.package_zip(artifact)
    if ready:
        return FileResponse(ready, filename=name, media_type="application/zip")
    return attachment(downloads.as_zip(artifact), name, "application/zip")


def attachment(chunks: Any, name: str, media_type: str) -> Response:
    disposition = f"attachment; filename*=utf-8''{quote(name)}"
    headers = {"content-disposition": disposition, "x-content-type-options": "nosniff", "cache-control": "no-store"}
    return StreamingResponse(chunks, media_type=media_type, headers=headers)


def _page(error: StudioError, request: Request) -> HTMLResponse:
    lang = language(request.cookies.get(COOKIE), request.headers.get("accept-language"))
    said = "".join(f"<p>{escape(problem.sentence(translator(lang)))}</p>" for problem in error.problems)
    return HTMLResponse(plain_page(lang, said), _STATUS.get(error.code, 400))


def error_response(error: StudioError) -> JSONResponse:
    """The answer to a request that failed for people."""
    problems = [{**problem.model_dump(mode="json"), "text": problem.text()} for problem in error.problems]
    return JSONResponse({"problems": problems}, _STATUS.get(error.code, 400))
