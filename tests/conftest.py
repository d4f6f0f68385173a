"""No test touches the user's home or the network."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest
from sqlalchemy import Engine

from backend.core import machine
from backend.core.errors import Problem
from backend.core.schemas import ArtifactView
from backend.data.inspect_program import answer
from backend.db import store
from backend.db.database import migrate, open_engine
from backend.files import source_reading
from backend.jobs.context import MemoryContext
from backend.models import adapters, catalogue, conversation_edit, gguf_head, gguf_terms, recheck
from backend.models.weights import settled
from tests.helpers import build_tiny_model
from tests.onnx_models import build_onnx
from tests.providers import file_keyring

os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # never the keyring of who runs the tests
os.environ.setdefault("OLIVE_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """`-n auto`: one more than there are cores, for many tests wait for processes that they started."""
    return machine.cores() + 1 if config.option.numprocesses == "auto" else None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A file of a tier that `-m` leaves out is not even imported: torch alone takes seconds in every process."""
    if collection_path.suffix != ".py":
        return None
    marks = re.search(r"^pytestmark = (.+)$", collection_path.read_text("utf-8"), re.MULTILINE)
    tiers = re.findall(r"pytest\.mark\.(ml|proc|e2e|slow)\b", marks[1]) if marks else []
    left_out = re.findall(r"\bnot (\w+)", config.option.markexpr) if " or " not in config.option.markexpr else []
    return True if set(tiers) & set(left_out) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that no process is left alone with it in the end."""
    slow = [{item.path for item in items if item.get_closest_marker(name)} for name in ("ml", "e2e", "proc")]
    items.sort(key=lambda item: [item.path not in paths for paths in slow])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """SLMOPS_HOME in a temporary folder, hubs offline, no database or key of the user's."""
    folder = tmp_path / "home"
    monkeypatch.setenv("SLMOPS_HOME", str(folder))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    for name in ("SLMOPS_DB_URL", "SLMOPS_PROJECT", "SLMOPS_TOKEN", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    yield folder


@pytest.fixture
def keyring_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of a keyring that this process and those that it starts use."""
    before = keyring.get_keyring()
    file = tmp_path / "keyring" / "keys.json"
    file.parent.mkdir()
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", file_keyring.BACKEND)
    monkeypatch.setenv(file_keyring.FILE, str(file))
    keyring.set_keyring(file_keyring.FileKeyring())
    yield file
    keyring.set_keyring(before)


@pytest.fixture(scope="session", autouse=True)
def new_homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What hundreds of new homes would do again: all migrations (a copy of one migrated database does), and a measurement of
    the machine, which also differs with what else it does."""
    made = tmp_path_factory.mktemp("database") / "studio.sqlite"
    engine = open_engine(f"sqlite:///{made}")
    migrate(engine)
    engine.dispose()

    def copy_or_migrate(engine: Engine) -> None:
        file = Path(engine.url.database or "")
        if engine.dialect.name == "sqlite" and file.parent.is_dir() and not file.exists():
            shutil.copyfile(made, file)
        else:
            migrate(engine)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "migrate", copy_or_migrate)
        patch.setattr(machine, "measure_gflops", lambda: machine.REFERENCE_GFLOPS)
        yield


@pytest.fixture(autouse=True)
def files_read_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source, or the head of a GGUF file, is read in this process, not in a child: a fifth of a second for each of hundreds
    of files. Not in tests of processes, which are marked `proc`."""
    if not request.node.get_closest_marker("proc"):
        monkeypatch.setattr(source_reading, "read_in_child", lambda params, rows, _folder: answer(params, rows))
        monkeypatch.setattr(gguf_terms, "read_in_child", gguf_head.head)


@pytest.fixture(autouse=True)
def weights_checked_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where torch is loaded anyway an imported model is checked in this process, and not at all in tests without it. The
    child itself is started by tests of it, in the browser and of whole models."""
    if request.node.get_closest_marker("slow"):
        return
    if request.node.get_closest_marker("ml"):
        from backend.ml.inference.weight_check import checked

        def check(
            folder: Path, base: ArtifactView | None = None, _work: Path | None = None
        ) -> tuple[dict[str, Any], list[Problem]]:
            trial, found = checked(folder, base.path, base.name) if base else checked(folder)
            return trial, settled(found)

        def try_(folder: Path, base: ArtifactView | None, _work: Path) -> tuple[dict[str, Any], list[Problem]]:
            trial, found = checked(folder, base.path if base else None, base.name if base else "", weights=False)
            return trial, settled(found)

        for module in (catalogue, adapters, recheck):
            monkeypatch.setattr(module, "check_weights", check)
        monkeypatch.setattr(conversation_edit, "try_model", try_)
    else:
        for module in (catalogue, adapters, recheck):
            monkeypatch.setattr(module, "check_weights", lambda _folder, _base=None, _work=None: ({}, []))


@pytest.fixture
def ctx(tmp_path: Path) -> MemoryContext:
    return MemoryContext(tmp_path / "job")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny ONNX model that talks; beside it lies `model`, what it was made from."""
    return build_onnx(tmp_path_factory.mktemp("onnx"), hidden=256)
