"""The half of the hub of our own that takes files: repositories, Git LFS (batch, parts, verify), commits."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.models.fake_hub import COMMIT, LARGE, FakeHub, FakeHubHandler, sha256_of


class TakingHub(FakeHub):
    """`exists`, `private`: of its one repository; `refuse`: path -> (status, headers) of a POST; `put_cuts`: how many PUTs are
    cut off; `part`: bytes of a part, 0 for files in one piece; `blobs`: what arrived, by SHA-256; `puts`: bytes of each PUT."""

    def __init__(
        self, repo: str = "me/mine", kind: str = "model", files: dict[str, bytes | Path] | None = None
    ) -> None:
        super().__init__(files or {}, repo, kind=kind)
        self.exists, self.private = files is not None, True
        self.refuse: dict[str, tuple[int, dict[str, str]]] = {}
        self.put_cuts = 0
        self.part = 0
        self.lfs_error = ""
        self.blobs: dict[str, bytes] = {}
        self.parts: dict[tuple[str, int], bytes] = {}
        self.puts: list[int] = []
        self.bodies: list[dict[str, Any]] = []

    def info(self) -> dict[str, Any]:
        return super().info() | {"private": self.private}


class TakingHandler(FakeHubHandler):
    hub: TakingHub

    def do_GET(self) -> None:
        if not self.hub.exists:
            self.answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})
            return
        super().do_GET()

    def do_POST(self) -> None:
        path = unquote(urlsplit(self.path).path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.hub.asked.append(("POST", path, ""))
        prefix = "/datasets" if self.hub.kind == "dataset" else ""
        api = f"/api/{self.hub.kind}s/{self.hub.repo}"
        told = next((found for part, found in self.hub.refuse.items() if part in path), None)
        if not path.startswith("/lfs/") and self.refused():
            return
        if told:
            self.answer(told[0], b"{}", told[1])
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif path == "/api/validate-yaml":
            self.json({"errors": [], "warnings": []})
        elif path.startswith(f"{api}/preupload/"):
            self._preupload(json.loads(body))
        elif path == f"{prefix}/{self.hub.repo}.git/info/lfs/objects/batch":
            self._batch(json.loads(body))
        elif found := re.fullmatch(r"/lfs/([0-9a-f]{64})/complete", path):
            self._complete(found[1], json.loads(body))
        elif path == "/lfs/verify":
            asked = json.loads(body)
            sound = len(self.hub.blobs.get(asked["oid"], b"")) == asked["size"]
            self.answer(200 if sound else 422, b"{}", {})
        elif path.startswith(f"{api}/commit/"):
            self._commit([json.loads(line) for line in body.splitlines()])
        else:
            self.answer(404, b"{}", {})

    def do_PUT(self) -> None:
        """A file or a part of one, without the token: the address is signed."""
        parts = urlsplit(self.path)
        oid, size = parts.path.rpartition("/")[2], int(self.headers["Content-Length"])
        cut = self.hub.put_cuts > 0
        body = self.rfile.read(size // 2 if cut else size)
        self.hub.puts.append(len(body))
        if cut:
            self.hub.put_cuts -= 1
            self.close_connection = True
            self.connection.close()
            return
        number = int(parse_qs(parts.query).get("part", ["0"])[0])
        if number:
            self.hub.parts[oid, number] = body
        elif sha256_of(body) == oid:
            self.hub.blobs[oid] = body
        self.answer(200, b"", {"ETag": f'"{sha256_of(body)[:32]}"'})

    def _create(self, asked: dict[str, Any]) -> None:
        self.hub.bodies.append(asked)
        self.hub.exists = True
        self.hub.private = asked.get("visibility") == "private" or asked.get("private") is True
        self.hub.files[".gitattributes"] = b"*.safetensors filter=lfs\n"
        self.json({"url": f"{self.hub.url}/{self.hub.repo}", "name": self.hub.repo})

    def _preupload(self, asked: dict[str, Any]) -> None:
        files = [
            {
                "path": each["path"],
                "uploadMode": "lfs" if each["path"].endswith(LARGE) else "regular",
                "shouldIgnore": False,
            }
            for each in asked["files"]
        ]
        self.json({"files": files})

    def _batch(self, asked: dict[str, Any]) -> None:
        objects = []
        for each in asked["objects"]:
            entry = dict(each)
            if self.hub.lfs_error:
                entry["error"] = {"code": 403, "message": self.hub.lfs_error}
            elif each["oid"] not in self.hub.blobs:
                place = f"{self.hub.url}/lfs/{each['oid']}"
                upload: dict[str, Any] = {"href": place}
                if self.hub.part:
                    count = -(-each["size"] // self.hub.part)
                    urls = {f"{number + 1:05d}": f"{place}?part={number + 1}" for number in range(count)}
                    upload = {"href": f"{place}/complete", "header": {"chunk_size": str(self.hub.part), **urls}}
                entry["actions"] = {"upload": upload, "verify": {"href": f"{self.hub.url}/lfs/verify"}}
            objects.append(entry)
        self.json({"objects": objects, "transfer": "multipart" if self.hub.part else "basic"})

    def _complete(self, oid: str, asked: dict[str, Any]) -> None:
        whole = b"".join(self.hub.parts[oid, each["partNumber"]] for each in asked["parts"])
        if sha256_of(whole) == oid:
            self.hub.blobs[oid] = whole
        self.answer(200 if oid in self.hub.blobs else 422, b"{}", {})

    def _commit(self, lines: list[dict[str, Any]]) -> None:
        for each in lines[1:]:
            value = each["value"]
            if each["key"] == "file":
                self.hub.files[value["path"]] = base64.b64decode(value["content"])
            else:
                self.hub.files[value["path"]] = self.hub.blobs[value["oid"]]
        self.json(
            {"success": True, "commitOid": COMMIT, "commitUrl": f"{self.hub.url}/{self.hub.repo}/commit/{COMMIT}"}
        )
