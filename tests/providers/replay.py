"""Replays what the service of each preset answers (`recorded/*.json`), and the faults that any of them can have, on a local
server; and tells what a user of the studio is shown of it. docs/endpoints.md is written from that.

A case: `status`, `headers` and `body` of the reply, `{key}` in it the key that was sent; `refuses`: a parameter without which
the service answers as in the case `answer`; `source`: where the service documents it, or a user was sent it; `seen`: what
must come of it.
"""

from __future__ import annotations

import gzip
import json
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from backend.core.endpoints import PRESETS, PresetName
from backend.core.errors import StudioError
from backend.inference.protocol import Sampling
from backend.providers.client import Endpoint, HttpEngine

RECORDED = Path(__file__).parent / "recorded"
KEY = "sk-recorded-0123456789"
ASK = [{"role": "user", "content": "Is this positive or negative? Thanks a lot!"}]
SAMPLING = Sampling(max_new_tokens=16, temperature=0.5, seed=1)
_SILENCE = 0.3
"""Seconds that a client waits for an answer that never comes."""
_PATIENCE = 60
ANYWHERE: dict[str, dict[str, Any]] = {
    "redirect": {
        "status": 308,
        "headers": {"Location": "https://other.example/v1/chat/completions?token=x"},
        "body": "",
    },
    "page of a proxy": {
        "status": 502,
        "kind": "text/html",
        "body": "<html><head><title>502</title><style>b{}</style></head><body><h1>502 Bad Gateway</h1>nginx</body></html>",
    },
    "login page": {"status": 200, "kind": "text/html", "body": "<html><body>Please sign in</body></html>"},
    "long pause": {"status": 429, "headers": {"Retry-After": "86400"}, "body": {"error": {"message": "Daily limit"}}},
    "pause": {"status": 429, "headers": {"Retry-After": "432"}, "body": {"error": {"message": "Slow down"}}},
    "half a character": {"change": "surrogate"},
    "streams only": {"change": "streams only"},
    "never streams": {"change": "never streams"},
    "huge reply": {"change": "huge"},
    "cut connection": {"change": "cut"},
    "connection reset": {"change": "reset"},
    "nobody there": {"change": "nobody"},
    "silence": {"change": "silent"},
    "bare 401": {"status": 401, "body": ""},
    "bare 403": {"status": 403, "body": ""},
    "bare 404": {"status": 404, "body": ""},
    "bare 429": {"status": 429, "body": "", "seen": "chat.endpoint_busy"},
    "bare 500": {"status": 500, "body": ""},
    "bare 503": {"status": 503, "body": ""},
    "broken JSON": {"status": 200, "body": '{"id": "1", "choices": [{"index": 0, "mess'},
    "no answer in it": {"status": 200, "body": {"id": "1", "choices": [], "content": []}},
}
"""Faults that come from what lies between, or that any service can have; `change`: what is done to its usual answer."""


class Seen(NamedTuple):
    """What became of a request: a code of an error or a word for an answer, and what people are shown."""

    what: str
    text: str


def recorded(preset: PresetName) -> dict[str, dict[str, Any]]:
    """The cases of a preset by name."""
    found: dict[str, dict[str, Any]] = json.loads((RECORDED / f"{preset}.json").read_text("utf-8"))["cases"]
    return found


def about(preset: PresetName) -> str:
    return str(json.loads((RECORDED / f"{preset}.json").read_text("utf-8"))["about"])


def see(preset: PresetName, case: dict[str, Any]) -> Seen:
    """Ask a server that replies as the case says, as that preset is asked, with one retry and no real pauses."""
    usual = recorded(preset)["answer"]
    with _running(preset, case, usual) as port:
        told: list[str] = []
        base = urlsplit(PRESETS[preset].url.replace("PORT", "1"))
        endpoint = Endpoint(
            name="" if preset == "vllm" else "saved",
            url=f"http://127.0.0.1:{port}{base.path}",
            model="m",
            protocol=PRESETS[preset].protocol,
            api_version=PRESETS[preset].api_version,
            retries=1,
            timeout=_SILENCE if case.get("change") == "silent" else 5,
            initial_backoff=0.001,
            key_env=PRESETS[preset].key_env,
        )
        engine = HttpEngine(endpoint, tell=told.append)
        pauses = _without_pauses(engine)
        try:
            seen = _seen(engine, case, pauses)
        finally:
            engine.close()
    address = f"{base.scheme}://{base.netloc}".replace(":1", ":PORT") if "PORT" in PRESETS[preset].url else ""
    address = address or f"{base.scheme}://{base.netloc}"
    words = [seen.text, *(f"Log: {line}" for line in told if "asks to wait" not in line)]
    text = " ".join(words).replace(f"http://127.0.0.1:{port}", address)
    text = re.sub(r"\[Errno \d+\] ", "", text)  # another number on another system
    return Seen(seen.what, re.sub(r"again at \d[\d: -]+\d", "again at TIME", text))


def _seen(engine: HttpEngine, case: dict[str, Any], pauses: list[float]) -> Seen:
    try:
        if case.get("change") == "never streams":
            return Seen("text", f"Answer: “{''.join(engine.stream(ASK, SAMPLING))}”.")
        reply = engine.reply(ASK, SAMPLING)
    except StudioError as error:
        return Seen(error.code, error.text())
    refused = case.get("refuses")
    what, text = "text", f"Answer: “{reply.text}”."
    if reply.refused:
        what, text = "refused", f"No answer for this row: {reply.refused.rstrip('.')}."
    elif reply.truncated:
        what, text = "cut", f"Answer: “{reply.text}”, marked as cut off ({reply.finish_reason})."
    elif reply.reasoning:
        what, text = "reasoning", f"Answer: “{reply.text}”. Reasoning, apart: “{reply.reasoning}”"
    elif not reply.text:
        what, text = "empty", "An empty answer; a job stops when the first 20 are."
    elif pauses:
        what, text = f"waits {pauses[0]:g}", f"Waits {pauses[0]:g} s, then: “{reply.text}”."
    elif refused:
        what = "with max_completion_tokens" if refused == "max_tokens" else f"without {refused}"
    return Seen(what, text)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has read enough hangs up."""


class _NoPause(threading.Event):
    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


def _without_pauses(engine: HttpEngine) -> list[float]:
    """The pauses that endpoints ask for, noted in place of kept."""
    asked: list[float] = []

    def pause(seconds: float) -> bool:
        asked.append(seconds)
        return True

    engine._stop = _NoPause()
    engine._rate_limit.pause = pause  # type: ignore[method-assign]
    return asked


@contextmanager
def _running(preset: PresetName, case: dict[str, Any], usual: dict[str, Any]) -> Iterator[int]:
    server = _Server(("127.0.0.1", 0), _handler(PRESETS[preset].protocol == "anthropic", case, usual))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    if case.get("change") == "nobody":
        server.shutdown()
        server.server_close()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def _handler(anthropic: bool, case: dict[str, Any], usual: dict[str, Any]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        asked = 0

        def log_message(self, *_: Any) -> None:
            return

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            type(self).asked += 1
            if "change" in case:
                return self.changed(case["change"], body)
            if case["status"] == 429 and type(self).asked > 1 and self.pauses():
                return self.reply(usual)
            refused = case.get("refuses")
            return self.reply(usual if refused and refused not in body else case)

        def pauses(self) -> bool:
            return str(case.get("seen", "waits")).startswith("waits")

        def changed(self, change: str, body: dict[str, Any]) -> None:
            if change == "surrogate":
                text = (
                    json.dumps(usual["body"]).replace("Positive", "Positive \\ud83d").replace("Posi", "\\ude00 Posi", 1)
                )
                return self.send(200, text.encode(), {})
            if change == "huge":
                return self.send(200, gzip.compress(b" " * 33_000_000, 1), {"Content-Encoding": "gzip"})
            if change == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True
                return None
            if change == "silent":
                self.connection.settimeout(_PATIENCE)
                self.rfile.read(1)  # ends when the client hangs up
                self.close_connection = True
                return None
            if change == "cut":
                self.send_response(200)
                self.send_header("Content-Length", "400")
                self.end_headers()
                self.wfile.write(b'{"choices": [')
                self.close_connection = True
                return None
            if change == "streams only" and body.get("stream"):
                return self.stream()
            if change == "streams only":
                words = {"error": {"message": "This model only supports streaming: set stream to true.", "code": "bad"}}
                return self.send(400, json.dumps(words).encode(), {})
            return self.reply(usual)

        def stream(self) -> None:
            start: list[dict[str, Any]] = [
                {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Posi"}}]}
            ]
            end: list[dict[str, Any]] = [
                {"choices": [{"index": 0, "delta": {"content": "tive"}, "finish_reason": "stop"}]}
            ]
            if anthropic:
                parts = [{"type": "text_delta", "text": text} for text in ("Posi", "tive")]
                start = [{"type": "message_start", "message": {"content": []}}]
                end = [{"type": "content_block_delta", "index": 0, "delta": part} for part in parts]
                end += [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, {"type": "message_stop"}]
            lines = [f"data: {json.dumps(event)}\n\n" for event in start + end]
            text = "".join(lines) + ("" if anthropic else "data: [DONE]\n\n")
            self.send(200, text.encode(), {"Content-Type": "text/event-stream"})

        def reply(self, what: dict[str, Any]) -> None:
            key = self.headers.get("Authorization", "").removeprefix("Bearer ") or self.headers.get("api-key", "")
            body = what["body"]
            text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
            headers = {"Content-Type": what.get("kind", "application/json"), **what.get("headers", {})}
            self.send(what["status"], text.replace("{key}", key).encode(), headers)

        def send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            try:
                self.wfile.write(content)
            except OSError:  # the client has read enough
                self.close_connection = True

    return Handler
