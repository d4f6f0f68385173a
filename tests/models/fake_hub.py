"""A hub of our own that speaks Hugging Face's protocol over loopback, and misbehaves as told."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = (".safetensors", ".gguf", ".parquet")
BLOCK = 1 << 20


class FakeHub:
    """`files` of `owner/name`, bytes or a path to them; `kind`: model or dataset; `card`: what its README's head says;
    `cuts`: file -> how often its connection is cut half-way; `status`: what every answer has in place of 200; `headers` go with
    it; `asked`: (method, path, range) of each request; `sent`: bytes of the files that went out; `token`: the one that is
    accepted; `gated_files`: what it holds is told, but not given; `spoiled`: files that arrive as zeros."""

    def __init__(
        self,
        files: Mapping[str, bytes | Path],
        repo: str = "acme/tiny",
        license: str = "apache-2.0",
        kind: str = "model",
        card: dict[str, Any] | None = None,
    ) -> None:
        self.files: dict[str, bytes | Path] = dict(files)
        self.repo, self.license, self.kind, self.card = repo, license, kind, card
        self.cuts: dict[str, int] = {}
        self.status = 200
        self.headers: dict[str, str] = {}
        self.token = ""
        self.gated_files = False
        self.spoiled: set[str] = set()
        self.asked: list[tuple[str, str, str]] = []
        self.sent = 0
        self.url = ""

    def info(self) -> dict[str, Any]:
        siblings: list[dict[str, Any]] = []
        for name, content in self.files.items():
            entry: dict[str, Any] = {"rfilename": name, "size": size_of(content), "blobId": git_oid(content)}
            if name.endswith(LARGE):
                entry["lfs"] = {"sha256": sha256_of(content), "size": size_of(content), "pointerSize": 130}
            siblings.append(entry)
        known = {
            "id": self.repo,
            "sha": COMMIT,
            "private": False,
            "gated": False,
            "downloads": 7,
            "tags": [f"license:{self.license}", "en", "es"],
            "siblings": siblings,
        }
        known |= {"cardData": self.card} if self.card is not None else {}
        if self.kind == "model":
            known |= {"modelId": self.repo, "safetensors": {"parameters": {"BF16": 1000}, "total": 1000}}
        return known

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
def serving(hub: FakeHub, handler: type[FakeHubHandler] | None = None) -> Iterator[FakeHub]:
    """The hub on a port of its own, until the block ends. `handler`: one that knows more than to be read."""
    made = type("Handler", (handler or FakeHubHandler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), made)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class FakeHubHandler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append((self.command, path, self.headers.get("Range", "")))
        api = f"/api/{self.hub.kind}s/{self.hub.repo}"
        prefix = "/datasets" if self.hub.kind == "dataset" else ""
        if self.refused():
            return
        if self.hub.gated_files and "/resolve/" in path:
            self.answer(403, b"{}", {"X-Error-Code": "GatedRepo"})
        elif path == f"/api/{self.hub.kind}s":
            self.json([self.hub.info()])
        elif path.startswith(f"{api}/tree/"):
            self.json(self.hub.tree())
        elif re.fullmatch(rf"{api}(/revision/.+)?", path):
            self.json(self.hub.info())
        elif (found := re.fullmatch(rf"{prefix}/{self.hub.repo}/resolve/[^/]+/(.+)", path)) and found[
            1
        ] in self.hub.files:
            self._file(found[1])
        else:
            self.answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def refused(self) -> bool:
        """Answers what is to be refused, as the hub was told to."""
        if self.hub.status != 200:
            self.answer(self.hub.status, b"{}", self.hub.headers)
            return True
        if self.hub.token and self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            self.answer(401, b"{}", {"X-Error-Message": "Invalid credentials in Authorization header"})
            return True
        return False

    def _file(self, name: str) -> None:
        content = self.hub.files[name]
        size = size_of(content)
        etag = sha256_of(content) if name.endswith(LARGE) else git_oid(content)
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if name.endswith(LARGE):
            headers |= {"X-Linked-Size": str(size), "X-Linked-Etag": f'"{etag}"'}
        begin, found = 0, re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if found:
            begin = int(found[1])
            headers["Content-Range"] = f"bytes {begin}-{size - 1}/{size}"
        self._head(206 if found else 200, size - begin, headers)
        if self.command == "HEAD":
            return
        end = size
        if self.hub.cuts.get(name, 0):
            self.hub.cuts[name] -= 1
            end = begin + (size - begin) // 2
            self.close_connection = True
        for block in blocks(bytes(size) if name in self.hub.spoiled else content, begin, end):
            self.wfile.write(block)
            self.hub.sent += len(block)
        self.wfile.flush()

    def json(self, content: Any) -> None:
        self.answer(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
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


def blocks(content: bytes | Path, begin: int, end: int) -> Iterator[bytes]:
    """The bytes from `begin` to before `end`, a megabyte at a time."""
    if isinstance(content, bytes):
        yield content[begin:end]
        return
    with content.open("rb") as stream:
        stream.seek(begin)
        while begin < end:
            block = stream.read(min(BLOCK, end - begin))
            begin += len(block)
            yield block


def size_of(content: bytes | Path) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


@lru_cache(maxsize=64)
def sha256_of(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@lru_cache(maxsize=64)
def git_oid(content: bytes | Path) -> str:
    """As git names a blob."""
    made = hashlib.sha1(f"blob {size_of(content)}\0".encode())
    for block in blocks(content, 0, size_of(content)):
        made.update(block)
    return made.hexdigest()
