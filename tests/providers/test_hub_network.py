"""The hub is reached as endpoints are: by the same certificates and proxies, for each address."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.models import hub
from backend.providers import network
from backend.providers.hub_token import hub_token
from tests.models.fake_hub import FakeHub, FakeHubHandler


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
        "ssl_cert_file",
        "ssl_cert_dir",
        "slmops_ca_file",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    network._context.cache_clear()
    yield
    network._context.cache_clear()


def asked(home: Path) -> str:
    """The license of the repository, or the code of what went wrong."""
    try:
        return hub.details("acme/tiny", token=hub_token(home)).license or ""
    except StudioError as error:
        assert "\n" not in error.text()
        return error.problems[0].code


def test_own_certificates_are_trusted_where_they_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {key} -out {cert}"
    subprocess.run(
        ["openssl", *make.split(), "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    handler = type("Handler", (FakeHubHandler,), {"hub": FakeHub({"model.safetensors": b"x"})})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"https://127.0.0.1:{server.server_port}")
    try:
        assert asked(tmp_path) == "hub.certificate"
        monkeypatch.setenv("SLMOPS_CA_FILE", str(cert))
        assert asked(tmp_path) == "apache-2.0"
        monkeypatch.setenv("SLMOPS_CA_FILE", str(tmp_path / "gone.pem"))
        assert asked(tmp_path) == "network.ca_missing"
    finally:
        server.shutdown()
        server.server_close()


def test_a_proxy_is_used_for_other_machines_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("HF_ENDPOINT", "http://hub.example")
        assert asked(tmp_path) == "hub.not_found" and seen[0].startswith("http://hub.example/api/models/acme/tiny")
        seen.clear()
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        assert asked(tmp_path) == "hub.unreachable" and seen == []
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("proxy", "code"), [("ftp://x:1", "network.proxy_address"), ("http://", "network.proxy_address")]
)
def test_a_proxy_that_cannot_be_used_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str, code: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.example")
    assert asked(tmp_path) == code
