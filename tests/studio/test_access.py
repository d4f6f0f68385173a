"""Who is let in, without a server."""

from __future__ import annotations

import socket

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from studio.webapp.access import HostMiddleware, TokenMiddleware
from studio.webapp.launch import listen


async def page(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("in")


async def talk(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("in")
    await websocket.close()


INSIDE = Starlette(routes=[Route("/{path:path}", page), WebSocketRoute("/ws", talk)])


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8501", 200),
        ("127.0.0.1", 200),
        ("[::1]:8501", 200),
        ("LOCALHOST", 200),
        ("evil.example", 400),
        ("localhost.evil.example:8501", 400),
        ("127.0.0.1.evil.example", 400),
        ("", 400),
    ],
)
def test_host_gate(host: str, status: int) -> None:
    assert TestClient(HostMiddleware(INSIDE)).get("/", headers={"host": host}).status_code == status


def test_host_gate_covers_the_websocket() -> None:
    client = TestClient(HostMiddleware(INSIDE))
    with client.websocket_connect("/ws", headers={"host": "localhost"}) as open_one:
        assert open_one.receive_text() == "in"
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws", headers={"host": "evil.example"}):
        pass


@pytest.mark.parametrize("gate", [HostMiddleware(INSIDE), TokenMiddleware(INSIDE, "secret-token")])
def test_websocket_of_another_address_is_refused(gate: HostMiddleware | TokenMiddleware) -> None:
    headers = {"host": "localhost:8501", "authorization": "Bearer secret-token"}
    client = TestClient(gate)
    for origin in ("http://localhost:3000", "http://127.0.0.1:8501", "http://evil.example", "null"):
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws", headers={**headers, "origin": origin}):
            pass
    for own in ({"origin": "http://LOCALHOST:8501"}, {}):
        with client.websocket_connect("/ws", headers=headers | own) as open_one:
            assert open_one.receive_text() == "in"


def test_token_gate_asks_and_remembers() -> None:
    client = TestClient(TokenMiddleware(INSIDE, "secret-token"), follow_redirects=False)
    assert client.get("/").status_code == 401
    assert client.get("/", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/", headers={"authorization": "Bearer secret-token"}).status_code == 200
    assert client.get("/?token=wrong").status_code == 401
    assert client.get("/api/health").status_code == 200
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws"):
        pass
    answer = client.get("http://testserver//evil.example/run?run=r1&token=secret-token")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/evil.example/run?run=r1"
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert client.get("/").status_code == 200


def test_browser_without_the_token_is_asked_for_it_in_its_language() -> None:
    client = TestClient(TokenMiddleware(INSIDE, "secret-token"), follow_redirects=False)
    for language, words in (("en-GB,en;q=0.9", "Enter the token"), ("es-ES,es;q=0.9", "Escribe el token")):
        answer = client.get("/jobs", headers={"accept": "text/html,*/*", "accept-language": language})
        assert answer.status_code == 401
        assert words in answer.text
        assert f'lang="{language[:2]}"' in answer.text
    assert client.get("/favicon.ico", headers={"accept": "image/*"}).headers["content-type"].startswith("text/plain")


def test_token_is_found_among_the_cookies_of_others() -> None:
    client = TestClient(TokenMiddleware(INSIDE, "secret-token"))
    for cookie, status in (
        ('foo={"a":1}; slmops_token=secret-token', 200),
        ("slmops_token=secret-token; bar=[1, 2]", 200),
        ('foo={"a":1}; slmops_token=wrong', 401),
    ):
        assert client.get("/", headers={"cookie": cookie}).status_code == status


def test_socket_names_its_protocol() -> None:
    """asyncio sets TCP_NODELAY only then; without it every answer on a kept connection waits 40 ms."""
    with listen("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP
