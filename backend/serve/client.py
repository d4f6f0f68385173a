"""How pages talk to the host of models: load, unload, chat. HTTP on loopback; imports neither engines nor web servers."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

from backend.core.errors import Problem, StudioError
from backend.core.settings import Settings
from backend.data.dataset import Message
from backend.inference.protocol import Sampling
from backend.serve.schemas import Address, Piece, ServedModel, ServeOptions, ServerView, address_file

__all__ = ["Piece", "ServeClient", "ServeOptions", "ServedModel", "ServerView"]
_PEEK = 0.5
_TIMEOUT_SECONDS = 15.0


class ServeClient:
    """May be shared by threads. Everything but `available` raises StudioError: `serve.no_host` when there is no host, and
    what the host says otherwise."""

    def __init__(self, settings: Settings) -> None:
        self._file = address_file(settings)
        self._known: tuple[tuple[int, int], Address] | None = None
        # Never TLS, never a proxy; an empty context saves the reading of all certificates.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._http = httpx.Client(trust_env=False, verify=context, timeout=_TIMEOUT_SECONDS)

    def available(self) -> bool:
        """A host lives and answers. Takes at most half a second."""
        try:
            address = self._address()
            answer = self._http.get(f"http://127.0.0.1:{address.port}/health", timeout=_PEEK)
            return bool(answer.is_success and answer.json().get("pid") == address.pid)
        except (StudioError, httpx.HTTPError, ValueError):
            return False

    def models(self) -> list[ServedModel]:
        """Those that are loading or loaded, and those that failed since."""
        return [ServedModel.model_validate(one) for one in self._ask("GET", "/models")["models"]]

    def load(self, artifact_id: str, force: bool = False) -> ServedModel:
        """Begin to load a model; returns at once. `force`: even when memory is short (`serve.memory_busy`,
        `serve.memory_models`, `serve.memory_short`)."""
        return ServedModel.model_validate(self._ask("POST", f"/models/{quote(artifact_id, safe='')}", {"force": force}))

    def unload(self, artifact_id: str) -> None:
        """Nothing happens when it is not loaded."""
        self._ask("DELETE", f"/models/{quote(artifact_id, safe='')}")

    def choose(self, page: str, models: list[str]) -> None:
        """Say which models an open page shows: while it says so again and again, none of them is unloaded to make room for
        others. It takes the place of what `page` said before."""
        self._ask("PUT", f"/choices/{quote(page, safe='')}", {"models": models})

    def servers(self) -> list[ServerView]:
        """Models that are served to other programs, or failed to be."""
        return [ServerView.model_validate(one) for one in self._ask("GET", "/servers")["servers"]]

    def start_server(self, options: ServeOptions) -> ServerView:
        """Begin to serve a model; returns at once. Raises StudioError `api.served` when it is served already."""
        return ServerView.model_validate(self._ask("POST", "/servers", options.model_dump()))

    def stop_server(self, artifact_id: str) -> None:
        """Ask a server to finish what it answers and end; returns at once. One that failed is forgotten."""
        self._ask("DELETE", f"/servers/{quote(artifact_id, safe='')}")

    def chat(self, artifact_id: str, messages: list[Message], sampling: Sampling) -> Iterator[Piece]:
        """The answer as it comes; a model that is not loaded is loaded first. Blocks; closing it stops the model within a
        token. While nothing is said there is a piece without text twice a second, so that a caller who wants to stop
        gets the chance. Raises StudioError from the first step on."""
        body = {
            "model": artifact_id,
            "messages": messages,
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_new_tokens,
            "seed": sampling.seed,
            "constraint": sampling.constraint and sampling.constraint.model_dump(mode="json"),
        }
        with self._opened(
            "POST", "/v1/chat/completions", body, timeout=httpx.Timeout(None, connect=_TIMEOUT_SECONDS)
        ) as said:
            for piece in _pieces(said.iter_lines()):
                yield piece
                if piece.done:
                    return
        raise StudioError("serve.broken")

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        with self._opened(method, path, body, timeout=_TIMEOUT_SECONDS) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    @contextmanager
    def _opened(self, method: str, path: str, body: Any, timeout: Any) -> Iterator[httpx.Response]:
        """A response whose status is good."""
        address = self._address()
        url = f"http://127.0.0.1:{address.port}{path}"
        headers = {"authorization": f"Bearer {address.token}"}
        try:
            with self._http.stream(method, url, json=body, headers=headers, timeout=timeout) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _refusal(answer)
                yield answer
        except (httpx.ConnectError, httpx.TimeoutException) as error:
            raise StudioError("serve.no_host") from error
        except httpx.TransportError as error:
            raise StudioError("serve.broken") from error

    def _address(self) -> Address:
        """Read again when a host has written another one."""
        try:
            stat = self._file.stat()
            mark = (stat.st_mtime_ns, stat.st_ino)
            if self._known is None or self._known[0] != mark:
                self._known = mark, Address.model_validate_json(self._file.read_text("utf-8"))
            return self._known[1]
        except OSError as error:
            raise StudioError("serve.no_host") from error


def _pieces(lines: Iterator[str]) -> Iterator[Piece]:
    """What a stream says. Raises StudioError for a failure."""
    finish = None
    for line in lines:
        if line.startswith(":"):
            yield Piece()
        if not line.startswith("data: {"):
            continue
        content = json.loads(line.removeprefix("data: "))
        if "error" in content:
            raise _problems(content)
        for choice in content["choices"]:
            finish = choice["finish_reason"]
            if text := choice["delta"].get("content"):
                yield Piece(text=text)
        if usage := content["usage"]:
            counts = {name: usage[name] for name in ("prompt_tokens", "completion_tokens")}
            yield Piece(done=True, finish=finish, **counts, **content["timings"])


def _refusal(answer: httpx.Response) -> StudioError:
    try:
        return _problems(answer.json())
    except (ValueError, KeyError, TypeError):
        return StudioError("core.unexpected", reason=f"HTTP {answer.status_code}")


def _problems(content: Any) -> StudioError:
    return StudioError.of([Problem.model_validate(one) for one in content["problems"]])
