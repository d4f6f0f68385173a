"""A local endpoint that speaks the protocols of backend.providers.protocols, with the faults that real ones have."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Script = Callable[[int], str]
"""Number of the request (from 0) -> what happens: a status as text, or one of the words below."""


class FakeEndpoint:
    """`script` decides each request; `asked` keeps their bodies, `paths` and `headers` the rest; `url` is the base address.
    `ending`: why replies end, in OpenAI's word. `counts`: replies carry the usage, a token a word. `logprobs`: gives, ignores
    or refuses them. `context`: told in the list of models."""

    def __init__(self, script: Script = lambda n: "200", key: str = "") -> None:
        self.script, self.key = script, key
        self.protocol = "openai"
        self.counts = False
        self.ending = "stop"
        self.logprobs = "ignores"
        self.context: int | None = None
        self.refuses: dict[str, dict[str, Any]] = {}
        """Parameters that are refused with HTTP 400, and the words for it."""
        self.asked: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.at_once = self.most_at_once = 0
        self.retry_after = "0.05"
        self.pause = 0.0
        self.answer: Callable[[dict[str, Any]], str] = first_word
        self.fault: Callable[[dict[str, Any]], str | None] = lambda body: None
        """What happens to this body whatever the script says."""
        self.lock = threading.Lock()
        self.stop = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    @contextmanager
    def running(self) -> Iterator[FakeEndpoint]:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.stop.set()
            self.server.shutdown()
            self.server.server_close()


def first_word(body: dict[str, Any]) -> str:
    """The first word of the last message."""
    return str(body["messages"][-1]["content"].split()[0])


def _handler(owner: FakeEndpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            return

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with owner.lock:
                number = len(owner.asked)
                owner.asked.append(body)
                owner.paths.append(self.path)
                owner.headers.append({name.lower(): value for name, value in self.headers.items()})
                owner.times.append(time.monotonic())
                owner.at_once += 1
                owner.most_at_once = max(owner.most_at_once, owner.at_once)
            time.sleep(owner.pause)
            with owner.lock:  # before the reply, after which the next request may come
                owner.at_once -= 1
            self.act(owner.fault(body) or owner.script(number), body)

        def act(self, word: str, body: dict[str, Any]) -> None:
            if owner.key and self.key() != owner.key:
                word = "401"
            path = "/v1/messages" if owner.protocol == "anthropic" else "/v1/chat/completions"
            if word == "200" and self.path.partition("?")[0] != path:
                word = "404"
            if word == "renamed":
                word = "200" if "max_completion_tokens" in body else "unsupported"
            if body.get("logprobs") and owner.logprobs == "refuses":
                word = "400"
            if found := [words for name, words in owner.refuses.items() if name in body]:
                return self.reply(400, found[0])
            if word == "never":
                owner.stop.wait(20)
                return self.drop()
            if word == "half":
                self.send_response(200)
                self.send_header("Content-Length", "4000")
                self.end_headers()
                self.wfile.write(b'{"choices": [{"mess')
                return self.drop()
            if word == "drip":
                return self.drip(json.dumps(self.whole(body)).encode())
            if word == "reset":
                return self.reset()
            if word == "plain":
                return self.send(200, json.dumps(self.whole(body)), "text/plain")
            if word == "200":
                return self.stream(body) if body.get("stream") else self.reply(200, self.whole(body))
            if word == "unsupported":
                words = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
                return self.reply(400, {"error": {"message": words}})
            if word == "half-stream":
                return self.stream(body, whole=False)
            if word in ODD:
                return self.send(200, ODD[word], "text/html" if word == "html" else "application/json")
            repeated = self.headers.get("Authorization", "").removeprefix("Bearer ")
            self.reply(int(word), {"error": {"message": f"status {word} for {repeated}"}})

        def key(self) -> str | None:
            names = {"azure": "api-key", "anthropic": "x-api-key"}
            bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
            return self.headers.get(names[owner.protocol]) if owner.protocol in names else bearer

        def do_GET(self) -> None:
            about = {"id": "m"} | ({"max_model_len": owner.context} if owner.context else {})
            self.reply(200 if self.path == "/v1/models" else 404, {"object": "list", "data": [about]})

        def whole(self, body: dict[str, Any]) -> dict[str, Any]:
            text = owner.answer(body)
            texts = [message["content"] for message in body["messages"]] + [body.get("system") or ""]
            counts = sum(len(each.split()) for each in texts), len(text.split())
            if owner.protocol == "anthropic":
                usage = dict(zip(("input_tokens", "output_tokens"), counts, strict=True))
                made: dict[str, Any] = {"content": [{"type": "text", "text": text}]} | (
                    {"usage": usage} if owner.counts else {}
                )
                return made | {"stop_reason": {"stop": "end_turn", "length": "max_tokens"}[owner.ending]}
            made = said(text)
            made["choices"][0]["finish_reason"] = owner.ending
            if body.get("logprobs") and owner.logprobs == "gives":
                made["choices"][0]["logprobs"] = {"content": [{"token": text, "logprob": -0.1, "top_logprobs": []}]}
            usage = dict(zip(("prompt_tokens", "completion_tokens"), counts, strict=True))
            return made | ({"usage": usage} if owner.counts else {})

        def stream(self, body: dict[str, Any], whole: bool = True) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            for letter in owner.answer(body):
                event: dict[str, Any] = {"choices": [{"index": 0, "delta": {"content": letter}}]}
                if owner.protocol == "anthropic":
                    event = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": letter}}
                self.wfile.write(f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode())
            if whole:
                last = b'{"type": "message_stop"}' if owner.protocol == "anthropic" else b"[DONE]"
                self.wfile.write(b"data: " + last + b"\n\n")
            self.drop()

        def reply(self, status: int, content: dict[str, Any]) -> None:
            self.send(status, json.dumps(content), "application/json")

        def send(self, status: int, text: str, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            if status == 429:
                self.send_header("Retry-After", owner.retry_after)
            self.end_headers()
            self.wfile.write(text.encode())

        def drip(self, content: bytes) -> None:
            """A byte now and then: always something, never enough."""
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            for at in range(len(content)):
                self.wfile.write(content[at : at + 1])
                if owner.stop.wait(0.1):
                    break
            self.drop()

        def reset(self) -> None:
            """The connection breaks off without a goodbye."""
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.drop()

        def drop(self) -> None:
            self.close_connection = True

    return Handler


def said(text: str | None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}


ODD = {
    "html": "<html><body>Welcome to nginx</body></html>",
    "json": '{"choices": [',
    "no-choices": '{"object": "list", "data": []}',
    "empty": json.dumps(said("")),
    "error": '{"error": {"message": "The model is overloaded, try again later."}}',
}
