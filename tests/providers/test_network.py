"""Proxies, certificates and addresses: works, or one sentence that names the variable."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.core.errors import StudioError
from backend.inference.protocol import Sampling
from backend.providers import network
from backend.providers.addresses import check_endpoint, key_warnings
from backend.providers.client import Endpoint, HttpEngine
from tests.providers.fake_endpoint import FakeEndpoint

ASK = [{"role": "user", "content": "red item"}]
SHORT = Sampling(max_new_tokens=8)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SLMOPS_CA_FILE", "SLMOPS_ENDPOINT_HOSTS"):
        monkeypatch.delenv(name, raising=False)
    network._context.cache_clear()
    yield
    network._context.cache_clear()


def engine(url: str, **change: Any) -> HttpEngine:
    return HttpEngine(
        Endpoint(**{"url": url, "model": "m", "retries": 0, "timeout": 2, "initial_backoff": 0.01, **change})
    )


def failure(url: str, **change: Any) -> StudioError:
    with pytest.raises(StudioError) as caught:
        engine(url, **change).answer(ASK, SHORT)
    assert "\n" not in str(caught.value)
    return caught.value


def test_this_machine_is_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with FakeEndpoint().running() as server:
        assert engine(server.url).answer(ASK, SHORT) == "red"
    assert all(network.proxy_for(f"http://{host}/v1") is None for host in ("localhost", "[::1]:8000", "a.localhost"))


@pytest.mark.parametrize(
    ("listed", "host", "bypassed"),
    [
        ("*", "h.example", True),
        ("example", "h.example", True),
        (".example", "h.example", True),
        ("*.example", "h.example", True),
        ("ample", "h.example", False),
        ("h.example:8443", "h.example", False),
        ("h.example:443", "h.example", True),
        ("[fd00::1]", "fd00::1", True),
        ("fd00::1", "fd00::1", True),
        ("fd00::/8", "fd12::1", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("other, ::1 ,, h.example", "h.example", True),
        ("", "h.example", False),
    ],
)
def test_what_no_proxy_lists(listed: str, host: str, bypassed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert network.bypasses(host, 443, listed) is bypassed
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", listed)
    shown = f"[{host}]" if ":" in host else host
    assert (network.proxy_for(f"https://{shown}/v1") is None) is bypassed


def test_a_proxy_is_used_and_its_password_is_not_said(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.path)
            self.send_response(407)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("http_proxy", f"http://me:pa55word@127.0.0.1:{server.server_address[1]}")
    error = failure("http://far.example/v1")
    server.shutdown()
    server.server_close()
    assert seen == ["http://far.example/v1/chat/completions"]
    assert error.code == "network.proxy_refused" and "http_proxy" in str(error) and "pa55word" not in str(error)
    error = failure("http://far.example/v1")
    assert error.code == "network.proxy_unreachable" and "NO_PROXY" in str(error) and "pa55word" not in str(error)


@pytest.mark.parametrize(
    ("address", "code", "part"),
    [
        ("socks5://127.0.0.1:9", "network.socks", "httpx[socks]"),
        ("socks://me:pa55@127.0.0.1:9", "network.socks", "ALL_PROXY"),
        ("socks4://127.0.0.1:9", "network.proxy_address", "ALL_PROXY"),
        ("http://[::1", "network.proxy_address", "ALL_PROXY"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_a_sentence(
    address: str, code: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", address)
    monkeypatch.setitem(__import__("sys").modules, "socksio", None)
    with pytest.raises(StudioError) as caught:
        engine("https://far.example/v1")
    assert caught.value.code == code and part in str(caught.value) and "pa55" not in str(caught.value)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "SLMOPS_CA_FILE"])
def test_a_stale_certificate_setting_is_named(variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "gone.pem"))
    with pytest.raises(StudioError) as caught:
        engine("https://far.example/v1")
    assert caught.value.code == "network.ca_missing" and variable in str(caught.value)
    assert engine("http://127.0.0.1:9/v1"), "where nothing is verified it does not matter"
    if variable == "SSL_CERT_DIR":
        return
    (tmp_path / "gone.pem").write_text("no certificate")
    with pytest.raises(StudioError) as caught:
        engine("https://far.example/v1")
    assert caught.value.code == "network.ca_unreadable" and variable in str(caught.value)


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """An endpoint behind a certificate that nobody knows: its address, and the file of that certificate."""
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    make = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {key} -out {cert}"
    subprocess.run(
        ["openssl", *make.split(), "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    fake = FakeEndpoint()
    with fake.running():
        fake.server.socket = context.wrap_socket(fake.server.socket, server_side=True)
        yield fake.url.replace("http://", "https://"), cert


def test_an_unknown_certificate_is_refused_with_the_way_out(
    secure: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, cert = secure
    error = failure(url, retries=3)
    assert error.code == "network.certificate" and "SLMOPS_CA_FILE" in str(error)
    network._context.cache_clear()
    monkeypatch.setenv("SLMOPS_CA_FILE", str(cert))
    assert engine(url).answer(ASK, SHORT) == "red"


def test_https_to_a_server_without_it_is_said() -> None:
    with FakeEndpoint().running() as server:
        error = failure(server.url.replace("http://", "https://"))
    assert error.code == "network.not_tls" and "http://" in str(error)


def test_passwords_of_netrc_stay_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password pa55word\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with FakeEndpoint().running() as server:
        engine(server.url).answer(ASK, SHORT)
    assert "authorization" not in server.headers[0]


@pytest.mark.parametrize(
    "host",
    [
        *(
            "169.254.169.254",
            "2852039166",
            "0xA9FEA9FE",
            "0251.0376.0251.0376",
            "169.254.43518",
            "[::ffff:169.254.169.254]",
        ),
        *("[fd00:ec2::254]", "[fe80::1]", "metadata.google.internal", "Metadata.Google.Internal.", "100.100.100.200"),
        *("[64:ff9b::a9fe:a9fe]", "168.63.129.16"),
    ],
)
def test_metadata_services_are_refused_however_they_are_written(host: str) -> None:
    (problem,) = check_endpoint(f"http://{host}/v1", "m")
    assert problem.code == ("chat.endpoint_url" if host.startswith("02") else "wire.metadata_host")
    with pytest.raises(StudioError) as caught:
        engine(f"http://{host}/v1")
    assert caught.value.code == "wire.metadata_host"


def test_a_name_that_leads_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", ("169.254.169.254", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert check_endpoint("http://rebind.example/v1", "m") == []
    with pytest.raises(StudioError) as caught:
        engine("http://rebind.example/v1")
    assert caught.value.code == "wire.metadata_host"


def test_an_administrator_can_say_which_hosts_may_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLMOPS_ENDPOINT_HOSTS", "api.openai.com, *.corp.example")
    assert check_endpoint("https://api.openai.com/v1", "m") == check_endpoint("https://llm.corp.example/v1", "m") == []
    (problem,) = check_endpoint("https://evil.example/v1", "m")
    assert problem.code == "wire.host_not_allowed" and "SLMOPS_ENDPOINT_HOSTS" in problem.text()
    with pytest.raises(StudioError) as caught:
        engine("https://evil.example/v1")
    assert caught.value.code == "wire.host_not_allowed"


def test_a_fragment_would_swallow_the_path() -> None:
    assert [problem.code for problem in check_endpoint("http://h/#f", "m")] == ["chat.endpoint_url"]
    assert [problem.code for problem in check_endpoint("http://h/v1#", "m")] == ["chat.endpoint_url"]


def test_a_key_in_plain_text_or_for_another_host_is_warned_of() -> None:
    def codes(url: str, key_env: str, kept: bool = False) -> list[str]:
        found = key_warnings(url, key_env, kept)
        assert not any(problem.blocking for problem in found)
        return [problem.code for problem in found]

    assert codes("http://10.0.0.5/v1", "MY_API_KEY") == codes("http://h/v1", "", kept=True) == ["wire.plain_http"]
    assert codes("http://10.0.0.5/v1", "") == codes("http://localhost:1/v1", "MY_API_KEY") == []
    assert codes("https://evil.example/v1", "OPENAI_API_KEY") == ["wire.other_host"]
    assert codes("https://api.openai.com/v1", "OPENAI_API_KEY") == []
    assert codes("https://mine.openai.azure.com/x", "AZURE_OPENAI_API_KEY") == []


def test_an_address_that_is_looked_up_in_vain_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise OSError("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert failure("http://nowhere.example/v1").code == "chat.endpoint_unreachable"


def test_redirects_are_never_followed_with_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", "sk-secret-123")
    with FakeEndpoint().running() as other:
        client = engine(other.url, key_env="MY_API_KEY").http
        assert client.follow_redirects is False and isinstance(client, httpx.Client)
