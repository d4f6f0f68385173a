"""Failures as OpenAI's clients expect them: a status, and `{"error": {message, type, param, code}}`; beside it all problems as
the pages of the studio read them."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from backend.core.errors import Problem, StudioError
from backend.core.validation import value_problems
from backend.serve.schemas import problems_json

RETRY_SECONDS = 2
_KINDS: dict[str, tuple[int, str]] = {
    "api.key": (401, "invalid_api_key"),
    "api.host": (403, "host_not_allowed"),
    "api.path": (404, "not_found"),
    "api.model": (404, "model_not_found"),
    "api.method": (405, "method_not_allowed"),
    "api.slow": (408, "request_timeout"),
    "api.large": (413, "request_too_large"),
    "api.not_json": (415, "unsupported_media_type"),
    "api.full": (429, "queue_full"),
    "api.restarting": (503, "model_restarting"),
    "api.stopping": (503, "server_stopping"),
    "api.broken": (503, "model_restarting"),
    "api.unsupported": (400, "unsupported_parameter"),
    "constraint.tokenizer": (400, "unsupported_parameter"),
    "serve.prompt_long": (400, "context_length_exceeded"),
    "serve.template": (400, "invalid_messages"),
    "serve.unloaded": (503, "model_unloaded"),
    "serve.memory_models": (503, "out_of_memory"),
    "serve.memory_busy": (503, "out_of_memory"),
    "serve.memory_short": (503, "out_of_memory"),
    "serve.model_failed": (502, "model_failed"),
    "serve.model_ended": (502, "model_failed"),
    "serve.model_killed": (502, "model_failed"),
    "core.artifact_unknown": (404, "model_not_found"),
    "core.unexpected": (500, "server_error"),
    "core.memory_out": (503, "out_of_memory"),
}
_WAIT = {429, 503}


def fault(error: StudioError) -> tuple[int, dict[str, Any]]:
    """Status and body of a failure. Only the first of several problems has a place in OpenAI's form; `problems` holds all."""
    problem = error.problems[0]
    status, code = _KINDS.get(problem.code, (400, "invalid_value"))
    kind = {401: "authentication_error", 429: "rate_limit_error"}.get(status)
    kind = kind or ("server_error" if status >= 500 else "invalid_request_error")
    param = problem.field or ("response_format" if problem.code.startswith("constraint.") else None)
    said = {"message": problem.sentence(), "type": kind, "param": param, "code": code}
    return status, {"error": said, **problems_json(error)}


def response(error: StudioError) -> JSONResponse:
    status, body = fault(error)
    headers = {"retry-after": str(RETRY_SECONDS)} if status in _WAIT else {}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(body, status, headers)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, StudioError)
    return response(error)


async def _lost(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path[:100]
    if error.status_code == 405:
        return response(StudioError("api.method", path=path, method=request.method))
    return response(StudioError("api.path", path=path))


async def _broken(_request: Request, error: Exception) -> Response:
    """The gate logs it."""
    return response(StudioError("core.unexpected", reason=type(error).__name__))


HANDLERS: dict[Any, Any] = {HTTPException: _lost, StudioError: _refused, Exception: _broken}
"""Exception handlers of the applications."""


def of_values(error: Any) -> StudioError:
    """What pydantic complains of; the names of our unions' branches are no part of a place."""
    return StudioError.of([_shorter(problem) for problem in value_problems(error, "body")])


def _shorter(problem: Problem) -> Problem:
    return problem.model_copy(update={"field": problem.field and problem.field.replace(".str", "")})
