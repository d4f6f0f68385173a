"""A hub of our own that speaks Hugging Face's protocol over loopback, and misbehaves as told."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = (".safetensors", ".gguf")


class FakeHub:
    """`files` of `owner/name`; `cuts`: file -> how often its connection is cut half-way; `status`: what every answer has in
    place of 200; `headers` go with it; `asked`: (method, path, range) of each request; `token`: the one that is accepted;
    `gated_files`: what it holds is told, but not given; `spoiled`: files that arrive as zeros."""

    def __init__(self, files: dict[str, bytes], repo: str = "acme/tiny", license: str = "apache-2.0") -> None:
        self.files, self.repo, self.license = files, repo, license
        self.cuts: dict[str, int] = {}
        self.status = 200
        self.headers: dict[str, str] = {}
        self.token = ""
        self.gated_files = False
        self.spoiled: set[str] = set()
        self.asked: list[tuple[str, str, str]] = []
        self.url = ""

    def info(self) -> dict[str, Any]:
        siblings: list[dict[str, Any]] = []
        for name, content in self.files.items():
            entry: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": _sha1(content)}
            if name.endswith(LARGE):
                entry["lfs"] = {"sha256": _sha256(content), "size": len(content), "pointerSize": 130}
            siblings.append(entry)
        return {
            "id": self.repo,
            "modelId": self.repo,
            "sha": COMMIT,
            "private": False,
            "gated": False,
            "downloads": 7,
            "tags": ["safetensors", f"license:{self.license}", "en", "es"],
            "safetensors": {"parameters": {"BF16": 1000}, "total": 1000},
            "siblings": siblings,
        }

    def tree(self) -> list[dict[str, Any]]:
        return [
            {"type": "file", "path": each["rfilename"], "size": each["size"], "oid": each["blobId"]}
            | (
                {"lfs": {"oid": each["lfs"]["sha256"], "size": each["size"], "pointerSize": 130}}
                if "lfs" in each
                else {}
            )
            for each in self.info()["siblings"]
        ]


@contextmanager
def serving(hub: FakeHub) -> Iterator[FakeHub]:
    class Handler(_Handler):
        pass

    Handler.hub = hub
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append((self.command, path, self.headers.get("Range", "")))
        authorized = not self.hub.token or self.headers.get("Authorization") == f"Bearer {self.hub.token}"
        if self.hub.status != 200 or not authorized:
            status = self.hub.status if self.hub.status != 200 else 401
            extra = (
                self.hub.headers
                if self.hub.status != 200
                else {"X-Error-Message": "Invalid credentials in Authorization header"}
            )
            self._send(status, b"{}", extra)
        elif self.hub.gated_files and "/resolve/" in path:
            self._send(403, b"{}", {"X-Error-Code": "GatedRepo"})
        elif path in ("/api/models", "/api/datasets"):
            self._json([self.hub.info()])
        elif path.startswith(f"/api/models/{self.hub.repo}/tree/"):
            self._json(self.hub.tree())
        elif re.fullmatch(rf"/api/models/{self.hub.repo}(/revision/[^/]+)?", path):
            self._json(self.hub.info())
        elif (found := re.fullmatch(rf"/{self.hub.repo}/resolve/[^/]+/(.+)", path)) and found[1] in self.hub.files:
            self._file(found[1])
        else:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def _file(self, name: str) -> None:
        content = self.hub.files[name]
        etag = _sha256(content) if name.endswith(LARGE) else _sha1(content)
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if name.endswith(LARGE):
            headers |= {"X-Linked-Size": str(len(content)), "X-Linked-Etag": f'"{etag}"'}
        if name in self.hub.spoiled:
            content = bytes(len(content))
        begin = 0
        if found := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            begin = int(found[1])
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        if self.command == "GET" and self.hub.cuts.get(name, 0):
            self.hub.cuts[name] -= 1
            self._head(206 if begin else 200, len(content) - begin, headers)
            self.wfile.write(content[begin : begin + (len(content) - begin) // 2])
            self.wfile.flush()
            self.close_connection = True
            return
        self._send(206 if found else 200, content[begin:], headers)

    def _json(self, content: Any) -> None:
        self._send(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self._head(status, len(body), headers)
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: int, size: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(size)}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def _sha1(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
