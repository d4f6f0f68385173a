"""Batch APIs: many requests in one, answered within a day at half the price.

OpenAI (platform.openai.com/docs/guides/batch): a file of JSON lines is uploaded (`POST /files`, purpose `batch`), a batch is
made of it (`POST /batches`) and asked after (`GET /batches/ID`) until it is completed, expired, cancelled or failed; replies
stand in its output file, refusals in its error file (`GET /files/ID/content`). Anthropic (docs.anthropic.com, Message Batches):
all requests in one body (`POST /messages/batches`), asked after until it has `ended`; replies and refusals under
`/messages/batches/ID/results`. Its `results_url` is not followed: the key goes to the endpoint's own address only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

import httpx

from backend.core.endpoints import ApiProtocol
from backend.core.errors import StudioError
from backend.providers import errors
from backend.providers.client import HttpEngine
from backend.providers.protocols import EndpointReply

MAX_RESULT_BYTES = 4_000_000_000
_CANCEL_SECONDS = 0.6
"""For a job that is cancelled ends soon; the request counts once it is sent."""
_UNREADABLE = (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError)
_CLOCKS_APART = 300.0
T = TypeVar("T")
Tick = Callable[[float], None]
"""Waits for so many seconds; may raise Cancelled."""


class Status(NamedTuple):
    """Where a batch is: `word` in the service's own word; `ended`: nothing more comes; `whole`: every request must have a
    result; `succeeded`: requests that have a reply, of `done` that have ended; `files`: where results are; `reason` why it
    failed as a whole."""

    word: str
    ended: bool
    whole: bool
    done: int
    succeeded: int
    files: tuple[str, ...] = ()
    reason: str = ""


class Line(NamedTuple):
    """The result of one request. `reply` None: not answered and not charged, to be asked again; `status` and `words` of a
    refusal."""

    id: str
    reply: EndpointReply | None
    status: int = 0
    words: str = ""


class Unsure(Exception):
    """It is not known whether a batch was made: the reply to the request never came."""


class OpenAIBatches:
    """Batches of one engine. `tick` waits between tries."""

    max_requests = 50_000
    max_bytes = 190_000_000

    def __init__(self, engine: HttpEngine, tick: Tick) -> None:
        self.engine, self._tick = engine, tick
        self._base = engine.endpoint.url.rstrip("/").removesuffix(engine.protocol.path)

    def line(self, id_: str, body: dict[str, Any]) -> dict[str, Any]:
        return {"custom_id": id_, "method": "POST", "url": "/v1/chat/completions", "body": body}

    def upload(self, lines: Sequence[bytes], tag: str) -> str:
        """The id of the file that holds the requests: nothing is charged yet."""
        file = {"file": (f"{tag}.jsonl", b"\n".join(lines) + b"\n", "application/jsonl")}
        return str(self._json("POST", "/files", data={"purpose": "batch"}, files=file)["id"])

    def create(self, file: str, lines: Sequence[bytes], tag: str) -> str:
        """The id of the new batch. Raises Unsure."""
        made = {"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
        return str(self._once("/batches", made | {"metadata": {"slmops": tag}})["id"])

    def find(self, tag: str, count: int, since: float) -> list[str]:
        """The batches that may be the one with this tag, of `count` requests made after `since` (seconds of the epoch)."""
        listed = self._json("GET", "/batches?limit=100")["data"]
        return [str(one["id"]) for one in listed if (one.get("metadata") or {}).get("slmops") == tag]

    def status(self, id_: str) -> Status:
        found = self._json("GET", f"/batches/{id_}")
        word, counts = str(found["status"]), found.get("request_counts") or {}
        done, failed = int(counts.get("completed") or 0), int(counts.get("failed") or 0)
        files = tuple(str(found[name]) for name in ("output_file_id", "error_file_id") if found.get(name))
        problems = ((found.get("errors") or {}).get("data") or []) if word == "failed" else []
        reason = "; ".join(str(each.get("message") or each.get("code")) for each in problems[:3])
        ended = word in ("completed", "expired", "cancelled", "failed")
        return Status(word, ended, word == "completed", done + failed, done, files, reason)

    def results(self, id_: str, status: Status) -> Iterator[Line]:
        """The results, each line once it is whole. Raises httpx.HTTPError or ValueError where the file breaks off."""
        for file in status.files:
            for content in self._lines(f"/files/{file}/content"):
                yield self._line(content)

    def cancel(self, id_: str) -> None:
        """Ask for it and do not wait long for the answer."""
        try:
            self.engine.http.post(f"{self._base}{self._cancel_path(id_)}", timeout=_CANCEL_SECONDS)
        except httpx.HTTPError:
            return

    def _cancel_path(self, id_: str) -> str:
        return f"/batches/{id_}/cancel"

    def _line(self, content: Any) -> Line:
        id_, response = str(content["custom_id"]), content.get("response") or {}
        status, body = int(response.get("status_code") or 0), response.get("body")
        if status == 200:
            return Line(id_, self.engine.protocol.read(body), status)
        words = json.dumps(body) if body else str((content.get("error") or {}).get("message") or "")
        return self._refusal(id_, status, words)

    def _refusal(self, id_: str, status: int, words: str) -> Line:
        """One that only this request can be to blame for has an empty reply; any other is asked again."""
        if status not in (400, 403, 413, 422, 451):
            return Line(id_, None, status, words)
        reason = errors.error_text(httpx.Response(status, text=words)) or f"status {status}"
        return Line(
            id_, EndpointReply("", None, refused=errors.shorten(reason, errors.MAX_REASON_CHARS)), status, words
        )

    def _json(self, method: str, path: str, **content: Any) -> Any:
        """The JSON of a good reply, tried again as often as the endpoint's retries say. Raises StudioError."""

        def send() -> Any:
            reply = self.engine.http.request(method, f"{self._base}{path}", **content)
            errors.check_status(reply)
            try:
                return reply.json()
            except ValueError:
                raise errors.invalid_response(reply) from None

        return self.retried(send)

    def _once(self, path: str, body: dict[str, Any]) -> Any:
        """As `_json`, but what may have been taken is not sent again. Raises Unsure."""

        def send() -> Any:
            try:
                reply = self.engine.http.post(f"{self._base}{path}", json=body)
            except httpx.HTTPError as error:
                if errors.may_be_charged(error):
                    raise Unsure from None
                raise
            if reply.status_code >= 500 or reply.status_code == 408:
                raise Unsure
            errors.check_status(reply)
            try:
                return reply.json()
            except ValueError:
                raise Unsure from None

        return self.retried(send)

    def retried(self, send: Callable[[], T]) -> T:
        tries = self.engine.endpoint.retries + 1
        for attempt in range(tries):
            try:
                return send()
            except errors.RetryableError as failed:
                last: errors.RetryableError | errors.FinalError = failed
            except errors.FinalError as failed:
                raise self.engine.failure(failed, attempt + 1) from None
            except httpx.HTTPError as error:
                last = errors.transport_error(error)
            if isinstance(last, errors.FinalError):
                break
            if attempt + 1 < tries:
                self._tick(min(60.0, max(last.pause or 0.0, self.engine.endpoint.initial_backoff * 2**attempt)))
        raise self.engine.failure(last, tries)

    def _lines(self, path: str) -> Iterator[Any]:
        """The JSON of each line, while they come."""
        with self.engine.http.stream("GET", f"{self._base}{path}") as reply:
            if reply.status_code >= 300:
                reply.read()
                errors.check_status(reply)
            read = 0
            for line in reply.iter_lines():
                read += len(line)
                if read > MAX_RESULT_BYTES:
                    raise StudioError("teacher.batch_too_large", url=self._base)
                if line.strip():
                    yield json.loads(line)


class AnthropicBatches(OpenAIBatches):
    max_requests = 100_000
    max_bytes = 240_000_000

    def line(self, id_: str, body: dict[str, Any]) -> dict[str, Any]:
        return {"custom_id": id_, "params": body}

    def upload(self, lines: Sequence[bytes], tag: str) -> str:
        """Nothing: the requests go with the batch."""
        return ""

    def create(self, file: str, lines: Sequence[bytes], tag: str) -> str:
        return str(self._once("/messages/batches", {"requests": [json.loads(line) for line in lines]})["id"])

    def find(self, tag: str, count: int, since: float) -> list[str]:
        """A batch carries no name here: the ids of its results tell whose it is."""
        listed = self._json("GET", "/messages/batches?limit=100")["data"]
        return [
            str(one["id"])
            for one in listed
            if sum(map(int, (one.get("request_counts") or {}).values())) == count
            and datetime.fromisoformat(one["created_at"]).timestamp() >= since - _CLOCKS_APART
        ]

    def status(self, id_: str) -> Status:
        found = self._json("GET", f"/messages/batches/{id_}")
        counts = {name: int(count) for name, count in (found.get("request_counts") or {}).items()}
        word = str(found["processing_status"])
        done = sum(counts.values()) - counts.get("processing", 0)
        return Status(word, word == "ended", word == "ended", done, counts.get("succeeded", 0))

    def results(self, id_: str, status: Status) -> Iterator[Line]:
        for content in self._lines(f"/messages/batches/{id_}/results"):
            yield self._line(content)

    def _cancel_path(self, id_: str) -> str:
        return f"/messages/batches/{id_}/cancel"

    def _line(self, content: Any) -> Line:
        id_, result = str(content["custom_id"]), content["result"]
        if result["type"] == "succeeded":
            return Line(id_, self.engine.protocol.read(result["message"]), 200)
        error = result.get("error") or {}
        kind = (error.get("error") or error).get("type", "")
        return self._refusal(id_, 400 if kind == "invalid_request_error" else 0, json.dumps(error))


BATCHES: dict[ApiProtocol, type[OpenAIBatches]] = {"openai": OpenAIBatches, "anthropic": AnthropicBatches}


def whole_results(api: OpenAIBatches, id_: str, status: Status, expected: int, tick: Tick) -> list[Line]:
    """All results of a batch that has ended; read again when a file breaks off. Raises StudioError when it stays cut: the batch
    stays as it is, so nothing is paid again."""
    tries = max(3, api.engine.endpoint.retries + 1)
    lines: list[Line] = []
    for attempt in range(tries):
        lines = []
        try:
            lines.extend(api.results(id_, status))
        except (httpx.HTTPError, errors.RetryableError, *_UNREADABLE):
            whole = False
        except errors.FinalError as failed:
            raise api.engine.failure(failed, attempt + 1) from None
        else:
            answered = sum(line.status == 200 for line in lines)
            whole = len(lines) >= expected if status.whole else answered >= status.succeeded
        if whole:
            return lines
        if attempt + 1 < tries:
            tick(min(60.0, api.engine.endpoint.initial_backoff * 2**attempt))
    raise StudioError("teacher.batch_cut", id=id_, got=len(lines), count=expected, tries=tries)
