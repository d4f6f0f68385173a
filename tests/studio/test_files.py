"""Bytes through the web process: uploads that hold or leave nothing, downloads that hold only what is the artifact's."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from backend.api import Studio
from backend.core.schemas import Kind
from backend.data.dataset import Row, write_split
from studio.ui.shared import api_cache
from studio.webapp.app import app
from studio.webapp.files import routes
from tests.helpers import in_loop
from tests.studio.builder import StudioBuilder

OWN = {"x-slmops-upload": "1"}


@pytest.fixture
def builder(home: Path) -> StudioBuilder:
    return StudioBuilder(home)


@pytest.fixture
def client(builder: StudioBuilder) -> TestClient:
    return TestClient(Starlette(routes=[*routes(lambda: builder.studio)]))


def left(studio: Studio) -> list[str]:
    return [path.name for path in studio.settings.uploads.rglob("*") if path.is_file()]


def test_upload_arrives_whole(client: TestClient, builder: StudioBuilder) -> None:
    content = bytes(range(256)) * 20_000
    answer = client.put("/api/uploads/A%C3%B1o%2F2026.csv", content=content, headers=OWN)
    assert answer.status_code == 201
    kept = builder.studio.upload(answer.json()["id"])
    assert (kept.name, kept.bytes, answer.json()["bytes"]) == ("2026.csv", len(content), len(content))
    assert kept.path.read_bytes() == content
    assert [each.id for each in builder.studio.uploads()] == [kept.id]


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-slmops-upload": "yes"}, {**OWN, "origin": "http://evil.example"}, {**OWN, "origin": "null"}],
)
def test_upload_from_elsewhere_is_refused(client: TestClient, builder: StudioBuilder, headers: dict[str, str]) -> None:
    answer = client.put("/api/uploads/a.csv", content=b"x", headers=headers)
    assert answer.status_code == 403
    assert answer.json()["problems"][0]["code"] == "files.upload_refused"
    assert left(builder.studio) == []
    same = client.put("/api/uploads/a.csv", content=b"x", headers={**OWN, "origin": "http://testserver"})
    assert same.status_code == 201


def test_too_large_is_refused_before_a_byte_is_read(home: Path) -> None:
    studio = Studio.open(home=home, max_upload_bytes=100)
    app = Starlette(routes=[*routes(lambda: studio)])
    sent = talk(app, "a.csv", [], announced=101)
    assert sent[0]["status"] == 413
    assert json.loads(sent[1]["body"])["problems"][0]["code"] == "files.upload_too_large"
    unannounced = talk(app, "a.csv", [b"x" * 60, b"x" * 60])
    assert unannounced[0]["status"] == 413
    assert left(studio) == []


def test_no_room_is_507(client: TestClient, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.core.machine.free_disk_bytes", lambda _folder: 50_000_000)
    answer = client.put("/api/uploads/a.csv", content=b"x" * 5000, headers=OWN)
    assert answer.status_code == 507
    assert "5.0 kB" in answer.json()["problems"][0]["text"]


def test_broken_connection_leaves_nothing(builder: StudioBuilder) -> None:
    app = Starlette(routes=[*routes(lambda: builder.studio)])
    talk(app, "a.csv", [b"x" * 2_000_000], announced=5_000_000, whole=False)
    assert left(builder.studio) == []
    assert builder.studio.uploads() == []


def talk(app: Any, name: str, chunks: list[bytes], announced: int | None = None, whole: bool = True) -> list[Any]:
    """What the app sends for these chunks; with `whole=False` the client goes away after them."""
    sent: list[Any] = []
    waiting: list[dict[str, Any]] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    waiting.append({"type": "http.request", "body": b""} if whole else {"type": "http.disconnect"})
    headers = [(b"host", b"localhost"), (b"x-slmops-upload", b"1")]
    if announced is not None:
        headers.append((b"content-length", str(announced).encode()))
    path = f"/api/uploads/{name}"
    scope = {"type": "http", "method": "PUT", "path": path, "raw_path": path.encode(), "root_path": ""}
    scope |= {"query_string": b"", "headers": headers, "http_version": "1.1", "scheme": "http"}

    async def receive() -> dict[str, Any]:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    in_loop(app(scope, receive, send))
    return sent


def test_folder_comes_as_a_zip_without_what_links_point_to(
    client: TestClient, builder: StudioBuilder, tmp_path: Path
) -> None:
    model = builder.artifact(Kind.MODEL, "Modelo ñ", files={"config.json": "{}" * 500, "model.safetensors": "w" * 5000})
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.txt").write_text("secret")
    (model.path / "link.txt").symlink_to(tmp_path / "secret" / "key.txt")
    (model.path / "linked").symlink_to(tmp_path / "secret")
    answer = client.get(f"/api/artifacts/{model.id}/download")
    assert answer.headers["content-disposition"] == "attachment; filename*=utf-8''Modelo%20%C3%B1.zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        held = {info.filename: info.compress_type for info in archive.infolist()}
        assert archive.read("Modelo ñ/model.safetensors") == b"w" * 5000
    assert held == {
        "Modelo ñ/config.json": zipfile.ZIP_DEFLATED,
        "Modelo ñ/manifest.json": zipfile.ZIP_DEFLATED,
        "Modelo ñ/model.safetensors": zipfile.ZIP_STORED,
    }


def test_package_is_its_own_zip_and_can_be_resumed(client: TestClient, builder: StudioBuilder) -> None:
    made = builder.artifact(Kind.PACKAGE, "voice", {"zip": "voice.zip", "zip_bytes": 10}, {"voice.zip": "0123456789"})
    url = f"/api/artifacts/{made.id}/download"
    assert client.get(url).content == b"0123456789"
    part = client.get(url, headers={"range": "bytes=4-"})
    assert (part.status_code, part.content) == (206, b"456789")
    (made.path / "voice.zip").unlink()
    assert client.get(url).status_code == 410


def test_dataset_as_rows(client: TestClient, builder: StudioBuilder) -> None:
    data = builder.dataset("orders", rows=8)
    write_split(data.path, "test", [Row(id="x", input='=HYPERLINK("http://evil")', output="-1", gold='a\n"b"')])
    answer = client.get(f"/api/artifacts/{data.id}/download?format=csv")
    assert answer.headers["content-disposition"].endswith("orders.csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert len(rows) == 4 + 2 + 1 + 12
    (evil,) = [row for row in rows if row["split"] == "test"]
    assert (evil["input"], evil["output"], evil["gold"]) == ('\'=HYPERLINK("http://evil")', "'-1", 'a\n"b"')
    lines = client.get(f"/api/artifacts/{data.id}/download?format=jsonl").text.splitlines()
    assert len(lines) == len(rows)
    assert json.loads(lines[6]) == {"split": "test", "id": "x", "input": '=HYPERLINK("http://evil")'} | {
        "output": "-1",
        "gold": 'a\n"b"',
    }


def test_unknown_things_are_problems(client: TestClient, builder: StudioBuilder) -> None:
    model = builder.model()
    assert client.get("/api/artifacts/nothing/download").status_code == 404
    for path in (f"{model.id}/download?format=csv", f"{builder.dataset().id}/download?format=exe"):
        answer = client.get(f"/api/artifacts/{path}")
        assert answer.status_code == 400
        assert answer.json()["problems"][0]["code"] == "files.format"


def test_refused_download_is_a_page_in_the_readers_language(client: TestClient, builder: StudioBuilder) -> None:
    asked = "/api/artifacts/<b>nothing/download"
    for headers, said in (
        ({"accept-language": "es-ES,es;q=0.9"}, "No existe"),
        ({"accept-language": "es", "cookie": "slmops_lang=en"}, "There is no"),
    ):
        answer = client.get(asked, headers={"accept": "text/html", **headers})
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert said in answer.text and "&lt;b&gt;nothing" in answer.text and "<b>" not in answer.text


@pytest.mark.parametrize("format", ["", "?format=csv", "?format=jsonl"])
def test_dataset_whose_folder_is_gone_is_a_problem(client: TestClient, builder: StudioBuilder, format: str) -> None:
    data = builder.dataset()
    shutil.rmtree(data.path)
    answer = client.get(f"/api/artifacts/{data.id}/download{format}")
    assert answer.status_code == 410
    assert answer.json()["problems"][0]["code"] == "core.artifact_damaged"


def test_routes_and_pages_share_one_studio(builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Studio] = []

    def open_one() -> Studio:
        opened.append(builder.studio)
        return builder.studio

    monkeypatch.setattr(Studio, "open", open_one)
    st.cache_resource.clear()
    answer = TestClient(Starlette(routes=app._user_routes)).get("/api/artifacts/none/download")
    assert answer.json()["problems"][0]["code"] == "core.artifact_unknown"
    assert len(opened) == 1
    assert api_cache.studio() is builder.studio and len(opened) == 1
    st.cache_resource.clear()
