"""Who may in: nobody without the token beyond loopback, no other name on it, no upload from another site."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.browser_session import OpenBrowser, Start, wait_until_idle
from tests.studio.web_process import WebProcess

pytestmark = pytest.mark.e2e


def test_token_opens_the_studio_beyond_loopback(home: Path, open_browser: OpenBrowser, start: Start) -> None:
    web = start(WebProcess, home, host="0.0.0.0", SLMOPS_TOKEN="opensesame")
    browser_session = open_browser(web.url)
    assert (answer := browser_session.page.goto("/")) and answer.status == 401
    assert browser_session.page.goto("/?token=wrong").status == 401  # type: ignore[union-attr]
    browser_session.forgive()
    page = browser_session.page
    page.get_by_label("Enter the token").fill("opensesame")
    page.get_by_role("button", name="Open the studio").click()
    expect(page.get_by_role("heading", name="First project")).to_be_visible()
    wait_until_idle(page)
    page.goto("about:blank")  # a page that stays open may ask for one more script, and without the cookie be refused
    browser_session.context.clear_cookies()
    page.goto("/jobs?token=opensesame")
    expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()  # its words come by websocket
    assert "opensesame" not in page.url
    page.goto("/settings")
    wait_until_idle(page)
    closed = page.evaluate(SOCKET)
    assert closed == "open"
    assert not any("opensesame" in line for line in web.lines)


def test_websocket_without_the_token_is_refused(home: Path, open_browser: OpenBrowser, start: Start) -> None:
    web = start(WebProcess, home, host="0.0.0.0", SLMOPS_TOKEN="opensesame")
    browser_session = open_browser(web.url)
    browser_session.page.goto("/")
    assert browser_session.page.evaluate(SOCKET) == "refused"
    browser_session.forgive()


def test_loopback_knows_one_name_and_takes_uploads_from_its_pages_only(
    home: Path, open_browser: OpenBrowser, start: Start
) -> None:
    web = start(WebProcess, home)
    page = open_browser(web.url).go("/")
    assert page.evaluate(SOCKET) == "open"
    assert httpx.get(web.url, headers={"Host": "evil.example"}).status_code == 400
    upload = f"{web.url}/api/uploads/rows.csv"
    assert httpx.put(upload, content="a,b\n").status_code == 403
    from_elsewhere = {"Origin": "http://evil.example", "X-SLMOPS-Upload": "1"}
    assert httpx.put(upload, content="a,b\n", headers=from_elsewhere).status_code == 403
    assert httpx.put(upload, content="a,b\n", headers={"X-SLMOPS-Upload": "1"}).status_code == 201


SOCKET = """() => new Promise(done => {
  const socket = new WebSocket(`ws://${location.host}/_stcore/stream`, ["streamlit"]);
  socket.onopen = () => { socket.close(); done("open"); };
  socket.onerror = () => done("refused");
})"""
