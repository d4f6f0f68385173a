"""What the service of each preset sends, replayed: the right thing comes of every reply, and docs/endpoints.md says so."""

from __future__ import annotations

from typing import Any

import pytest

from backend.core.endpoints import PRESETS, PresetName
from docs import endpoints
from tests.providers import replay

CASES = [(preset, name) for preset in PRESETS for name in replay.recorded(preset)]
ANYWHERE = {
    "redirect": "wire.redirect",
    "page of a proxy": "chat.endpoint_failed",
    "login page": "chat.endpoint_garbage",
    "long pause": "wire.wait_too_long",
    "pause": "waits 432",
    "half a character": "text",
    "streams only": "text",
    "never streams": "text",
    "huge reply": "wire.too_large",
    "cut connection": "chat.endpoint_broken",
    "connection reset": "chat.endpoint_broken",
    "nobody there": "chat.endpoint_unreachable",
    "silence": "chat.endpoint_silent",
    "bare 401": "chat.endpoint_key",
    "bare 403": "chat.endpoint_key",
    "bare 404": "chat.endpoint_not_found",
    "bare 429": "chat.endpoint_busy",
    "bare 500": "chat.endpoint_failed",
    "bare 503": "chat.endpoint_failed",
    "broken JSON": "chat.endpoint_garbage",
    "no answer in it": "chat.endpoint_garbage",
}


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for preset in PRESETS.values():
        if preset.key_env:
            monkeypatch.setenv(preset.key_env, replay.KEY)


@pytest.mark.parametrize(("preset", "name"), CASES)
def test_each_reply_of_a_service_becomes_the_right_thing(preset: PresetName, name: str) -> None:
    case: dict[str, Any] = replay.recorded(preset)[name]
    seen = replay.see(preset, case)
    assert seen.what == case["seen"], seen.text
    assert replay.KEY not in seen.text and "\n" not in seen.text
    assert case["source"].startswith("https://")


@pytest.mark.parametrize("preset", ["openai", "anthropic", "azure_foundry"])
@pytest.mark.parametrize("name", ANYWHERE)
def test_what_any_service_can_do_becomes_the_right_thing(preset: PresetName, name: str) -> None:
    seen = replay.see(preset, replay.ANYWHERE[name])
    may_be_empty = preset == "anthropic" and name == "no answer in it"  # its list of contents, as its reference says
    assert seen.what == ("empty" if may_be_empty else ANYWHERE[name]), seen.text
    if name in ("streams only", "never streams"):
        assert "Answer: “Positive”" in seen.text and "Log: " in seen.text


def test_the_page_says_what_the_client_does() -> None:
    assert endpoints.main(["--check"]) == 0
