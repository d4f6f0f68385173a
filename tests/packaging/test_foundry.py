"""The runtime's process, with a stand-in for the SDK: what is heard of it, and that it never outlives who asked."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from backend.api.doctor import run_checks
from backend.core.errors import Cancelled, StudioError
from backend.packaging import foundry

PROMPTS = [[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "¿sí? 😀"}]] * 2
SDK = """
import os, time
from types import SimpleNamespace as N
__version__ = "9.9"
class Plain:
    def __init__(self, *args, **kw): self.said = []
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def set_options(self, options): pass
    def set_string_property(self, *_): pass
    def add_item(self, item): self.said.append(item)
class ChatSession(Plain):
    def process_request(self, request):
        made = Plain()
        text = "|".join(request.said) + "|" + ",".join(sorted(k for k in os.environ if "KEY" in k or "PROXY" in k))
        made.__class__ = type("Answer", (Plain,), {"__iter__": lambda s: iter([N(get_simple_text=lambda: text)])})
        made.get_usage = lambda: N(prompt_tokens=7, completion_tokens=3)
        return made
Request = ModelInfoBuilder = Configuration = SearchOptions = RequestOptions = Plain
CatalogType = N(LOCAL=1)
MessageItem = N(system=lambda t: "S:" + t, user=lambda t: "U:" + t)
def load():
    BEHAVE
catalog = N(register_model=lambda folder, id, about: N(load=load, unload=lambda: None))
FoundryLocalManager = N(initialize=lambda c: None, instance=N(get_catalog=lambda kind: catalog))
"""


def installed(folder: Path, behave: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python whose foundry_local_sdk is the stand-in."""
    (folder / "sdk").mkdir()
    (folder / "sdk" / "foundry_local_sdk.py").write_text(SDK.replace("BEHAVE", behave), encoding="utf-8")
    run = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); del sys.argv[0]; "
    run += "runpy.run_path(sys.argv[0], run_name='__main__')"
    python = folder / "python"
    python.write_text(
        f'#!/bin/sh\nshift\nexec {sys.executable} -I -c "{run}" {folder / "sdk"} "$@"\n', encoding="utf-8"
    )
    python.chmod(0o755)
    monkeypatch.setenv(foundry.PYTHON_VARIABLE, str(python))


def asked(folder: Path, tick: Any = lambda: None, log: Any = lambda text: None) -> list[dict[str, Any]]:
    return list(foundry.ask_foundry(folder / "model", "m:1", PROMPTS, 5, folder, tick, log))


@pytest.mark.proc
def test_every_answer_is_heard_and_no_secret_goes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "pass", monkeypatch)
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    first, *answers, last = asked(tmp_path)
    assert first["sdk"] == "9.9" and first["load_seconds"] >= 0 and last["peak_memory_bytes"] > 1_000_000
    assert [(each["prompt_tokens"], each["tokens"]) for each in answers] == [(7, 3)] * 2
    *said, seen = answers[0]["text"].split("|")
    assert said == ["S:Be brief.", "U:¿sí? 😀"] and seen == "ALL_PROXY,HTTPS_PROXY,HTTP_PROXY,NO_PROXY"


@pytest.mark.proc
def test_a_runtime_that_stops_is_an_error_with_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "raise RuntimeError('Empty chat template.')", monkeypatch)
    logged: list[str] = []
    with pytest.raises(StudioError) as caught:
        asked(tmp_path, log=logged.append)
    assert caught.value.code == "foundry.stopped" and "Empty chat template." in str(caught.value) and logged


@pytest.mark.proc
def test_a_cancel_ends_the_runtime_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "time.sleep(60)", monkeypatch)
    began = time.monotonic()

    def tick() -> None:
        if any("foundry_child" in " ".join(child.cmdline()) for child in psutil.Process().children(recursive=True)):
            raise Cancelled

    with pytest.raises(Cancelled):
        asked(tmp_path, tick)
    assert time.monotonic() - began < 30
    assert not [child for child in psutil.Process().children() if "foundry_child" in " ".join(child.cmdline())]


@pytest.mark.proc
def test_a_python_without_the_sdk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n', encoding="utf-8")
    bare.chmod(0o755)
    monkeypatch.setenv(foundry.PYTHON_VARIABLE, str(bare))
    with pytest.raises(StudioError) as caught:
        asked(tmp_path)
    assert caught.value.code == "foundry.sdk" and str(bare) in str(caught.value)


def test_nothing_is_started_where_nothing_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(foundry.PYTHON_VARIABLE, str(tmp_path / "nowhere"))
    assert foundry.foundry_python() is None
    with pytest.raises(StudioError) as caught:
        asked(tmp_path)
    assert caught.value.code == "foundry.missing" and "slmops-studio[foundry]" in str(caught.value)
    (row,) = [check.row() for check in run_checks() if check.what == "Foundry Local"]
    assert row["state"] == "absent" and "SLMOPS_FOUNDRY_PYTHON" in row["remedy"]
    assert os.environ[foundry.PYTHON_VARIABLE] in row["found"]
