"""A local service that speaks the batch APIs of OpenAI and Anthropic, with the faults that real ones have."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeBatches:
    """`polls`: how often a batch is asked after before it has ended; `answer` gives the text of a request's body, `outcome`
    what becomes of it: "ok", "refused", "expired", "broken" or "lost" (no line at all). `ending`: OpenAI's last status.
    `faults`: the next requests of a path that begins so break: "cut", "silent" (taken, no reply), "500". `direct`: bodies that
    were asked without a batch; `made`: the batches by id, `cancelled` those that were."""

    def __init__(self, protocol: str = "openai") -> None:
        self.protocol = protocol
        self.polls = 2
        self.answer: Callable[[dict[str, Any]], str] = lambda body: str(body["messages"][-1]["content"].split()[0])
        self.outcome: Callable[[dict[str, Any]], str] = lambda body: "ok"
        self.ending = "completed"
        self.faults: list[tuple[str, str]] = []
        self.direct: list[dict[str, Any]] = []
        self.files: dict[str, str] = {}
        self.made: dict[str, dict[str, Any]] = {}
        self.cancelled: list[str] = []
        self.reason = ""
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    @property
    def sent(self) -> int:
        """Requests in all batches."""
        return sum(len(batch["lines"]) for batch in self.made.values())

    @contextmanager
    def running(self) -> Iterator[FakeBatches]:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()

    def fault(self, path: str) -> str:
        with self.lock:
            for at, (begin, word) in enumerate(self.faults):
                if path.startswith(begin):
                    del self.faults[at]
                    return word
        return ""

    def make(self, lines: list[dict[str, Any]], metadata: dict[str, str]) -> str:
        with self.lock:
            id_ = f"batch_{len(self.made)}"
            at = datetime.now(UTC).isoformat()
            self.made[id_] = {"lines": lines, "metadata": metadata, "polls": 0, "at": at}
        return id_

    def body(self, line: dict[str, Any]) -> dict[str, Any]:
        return dict(line.get("body") or line["params"])

    def reply(self, body: dict[str, Any]) -> dict[str, Any]:
        text = self.answer(body)
        if self.protocol == "anthropic":
            usage = {"input_tokens": 10, "output_tokens": 2}
            return {"content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "usage": usage}
        usage = {"prompt_tokens": 10, "completion_tokens": 2}
        return {"choices": [{"message": {"content": text}, "finish_reason": "stop"}], "usage": usage}


def _handler(owner: FakeBatches) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            return

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.removeprefix("/v1")
            fault = owner.fault(path)
            if fault == "500":
                return self.send({"error": {"message": "overloaded"}}, 500)
            if path in ("/chat/completions", "/messages"):
                owner.direct.append(json.loads(content))
                return self.send(owner.reply(owner.direct[-1]))
            if path == "/files":
                found = re.search(rb"\r\n\r\n(\{.*?\})\n?\r\n--", content, re.DOTALL)
                assert found and b'name="purpose"' in content and b"batch" in content
                name = f"file_{len(owner.files)}"
                owner.files[name] = found[1].decode()
                return self.send({"id": name})
            if path.endswith("/cancel"):
                owner.cancelled.append(path.split("/")[-2])
                return self.send(self.batch(path.split("/")[-2]))
            made = json.loads(content)
            if path == "/batches":
                lines = [json.loads(line) for line in owner.files[made["input_file_id"]].splitlines()]
                id_ = owner.make(lines, made["metadata"])
            else:
                id_ = owner.make(made["requests"], {})
            if fault == "silent":
                self.close_connection = True
                return None
            return self.send(self.batch(id_))

        def do_GET(self) -> None:
            path = self.path.removeprefix("/v1").removeprefix("/messages")
            fault = owner.fault(path)
            if fault == "500":
                return self.send({"error": {"message": "overloaded"}}, 500)
            if path.startswith("/batches?"):
                return self.send({"data": [self.batch(id_) for id_ in owner.made]})
            parts = path.split("/")
            if parts[-1] in ("content", "results"):
                return self.text(self.results(parts[2]), cut=fault == "cut")
            owner.made[parts[2]]["polls"] += 1
            return self.send(self.batch(parts[2]))

        def batch(self, id_: str) -> dict[str, Any]:
            made = owner.made[id_]
            ended = made["polls"] >= owner.polls or id_ in owner.cancelled
            outcomes = [owner.outcome(owner.body(line)) for line in made["lines"]]
            ok = outcomes.count("ok") if ended else 0
            count = len(made["lines"])
            if owner.protocol == "anthropic":
                counts = {"processing": 0 if ended else count, "succeeded": ok, "errored": count - ok if ended else 0}
                word = "ended" if ended else "in_progress"
                return {"id": id_, "processing_status": word, "request_counts": counts, "created_at": made["at"]}
            word = ("cancelled" if id_ in owner.cancelled else owner.ending) if ended else "in_progress"
            files = {"output_file_id": f"{id_}-out", "error_file_id": f"{id_}-bad"} if ended else {}
            counts = {"total": count, "completed": ok, "failed": count - ok if ended else 0}
            errors = {"data": [{"message": owner.reason}]} if owner.reason else None
            return {
                **{"id": id_, "status": word, "request_counts": counts, "metadata": made["metadata"]},
                **{"errors": errors, **files},
            }

        def results(self, file: str) -> str:
            id_, _, part = file.partition("-")
            lines = [self.line(line) for line in owner.made[id_]["lines"]]
            ok = [line for good, line in lines if line and good]
            bad = [line for good, line in lines if line and not good]
            return "".join({"out": ok, "bad": bad}.get(part, ok + bad))

        def line(self, line: dict[str, Any]) -> tuple[bool, str]:
            body, id_ = owner.body(line), line["custom_id"]
            word = owner.outcome(body)
            if word == "lost":
                return False, ""
            if owner.protocol == "anthropic":
                kinds = {"refused": "invalid_request_error", "broken": "api_error"}
                result: dict[str, Any] = {"type": "succeeded", "message": owner.reply(body)} if word == "ok" else {}
                if word in kinds:
                    wrong = {"type": "error", "error": {"type": kinds[word], "message": "not this one"}}
                    result = {"type": "errored", "error": wrong}
                return word == "ok", json.dumps({"custom_id": id_, "result": result or {"type": "expired"}}) + "\n"
            statuses = {"ok": 200, "refused": 400, "broken": 500}
            answer = owner.reply(body) if word == "ok" else {"error": {"message": "not this one"}}
            response = {"status_code": statuses[word], "body": answer} if word in statuses else None
            error = {"code": "batch_expired", "message": "expired"} if word == "expired" else None
            return word == "ok", json.dumps({"custom_id": id_, "response": response, "error": error}) + "\n"

        def text(self, text: str, cut: bool) -> None:
            content = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if cut else content)
            self.close_connection = cut

        def send(self, content: dict[str, Any], status: int = 200) -> None:
            raw = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    return Handler
