"""Who may talk to the web process. Both middlewares see HTTP and websocket, so they also cover Streamlit's own traffic."""

from __future__ import annotations

import hmac
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
COOKIE = "slmops_token"
PAGE = """<!doctype html>
<html lang="{lang}"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>SLMOps Studio</title>
<link rel="icon" href="data:,">
<style>
  :root {{ color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }}
  main {{ max-width: 24rem; margin: 18vh auto 0; padding: 0 1rem }}
  form {{ display: grid; gap: .75rem }}
  h1 {{ font-size: 1.4rem; margin: 0 0 .75rem }}
  input, button {{ font: inherit; padding: .5rem .75rem; border: 1px solid #8b90a5; border-radius: 8px }}
  button {{ background: #4338ca; border-color: #4338ca; color: #fff; cursor: pointer }}
</style>
<main><h1>SLMOps Studio</h1>{body}</main></html>
"""
"""A page beside the pages. It asks for nothing more, not even an icon: without the token that would be refused, too."""
LOGIN_FORM = """<form><label for="token">{ask}</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>{enter}</button></form>"""
"""What a browser without the token sees."""
LOGIN_TEXTS = {
    "en": {"ask": "Enter the token that the terminal of the studio shows.", "enter": "Open the studio"},
    "es": {"ask": "Escribe el token que muestra la terminal del estudio.", "enter": "Abrir el estudio"},
}


async def _refuse(scope: Scope, receive: Receive, send: Send, response: Response) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4401})
    else:
        await response(scope, receive, send)


def _cross_origin(scope: Scope) -> bool:
    """A websocket that a page of another address opens. Streamlit lets every port of this host in, and for other names it asks
    a server outside for this machine's own address."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    return scope["type"] == "websocket" and origin is not None and not same_origin(origin, headers.get("host", ""))


def same_origin(origin: str, host: str) -> bool:
    """Whether an Origin header names the host and port that the request went to."""
    return urlsplit(origin).netloc.lower() == host.lower()


def _login_page(headers: Headers) -> Response:
    """401, as a page that asks for the token where a browser asked for a page."""
    if "text/html" not in headers.get("accept", ""):
        return PlainTextResponse("Open the link with ?token=… that the terminal shows.\n", 401)
    lang = "es" if headers.get("accept-language", "").lower().startswith("es") else "en"
    return HTMLResponse(plain_page(lang, LOGIN_FORM.format(**LOGIN_TEXTS[lang])), 401, {"Cache-Control": "no-store"})


def plain_page(lang: str, body: str) -> str:
    """HTML of a page without Streamlit; `body` is HTML, too."""
    return PAGE.format(lang=lang, body=body)


class HostMiddleware:
    """On loopback: refuses requests for any other name, so that no web page can reach the studio through a DNS name of
    its own that points here."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            host = Headers(scope=scope).get("host", "")
            name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
            if name.strip("[]").lower() not in LOOPBACK or _cross_origin(scope):
                words = "This studio answers on localhost only. Start it with --host to open it to others.\n"
                return await _refuse(scope, receive, send, PlainTextResponse(words, 400))
        await self.app(scope, receive, send)


class TokenMiddleware:
    """Beyond loopback: a cookie or `Authorization: Bearer` must carry the token; `?token=` sets the cookie once."""

    OPEN = frozenset({"/api/health", "/_stcore/health"})

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app = app
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] in self.OPEN:
            return await self.app(scope, receive, send)
        if self._has_token(scope) and not _cross_origin(scope):
            return await self.app(scope, receive, send)
        await _refuse(scope, receive, send, self._answer(scope))

    def _has_token(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        return self._same(cookie or headers.get("authorization", "").removeprefix("Bearer "))

    def _same(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())

    def _answer(self, scope: Scope) -> Response:
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        if not self._same(query.pop("token", "")):
            return _login_page(Headers(scope=scope))
        target = "/" + scope["path"].lstrip("/") + (f"?{urlencode(query)}" if query else "")
        answer = RedirectResponse(target, 303)
        answer.set_cookie(COOKIE, self.token, httponly=True, samesite="lax")
        return answer
