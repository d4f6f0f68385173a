"""The reading of a source file, made in a bounded child process and kept: a file that doesn't change is read once.

No process that serves people ever parses a file from outside; pages, command line and pre-flight checks ask here.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import tempfile
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

from backend.core.artifacts import write_json
from backend.core.errors import Problem, StudioError
from backend.core.limits import EXIT_MEMORY
from backend.core.programs import Programs, command
from backend.core.settings import Settings
from backend.core.units import human_bytes
from backend.data.inspect_source import Inspection, inspect
from backend.data.params import DatasetParams
from backend.data.prepare import is_demo
from backend.process.environment import bare_environment
from backend.process.guards import LockBusy, file_lock
from backend.process.program import Program

VERSION = 5
"""Raise it when the same file would be read otherwise: kept readings are then made again."""
MEMORY_BYTES = 2_000_000_000
"""Of the child's address space, beside a mapped file."""
SECONDS = 60
ANSWER_BYTES = 16_000_000
_WRITTEN_BYTES = 4_000_000_000
_SOURCES = ("source", "validation_source", "test_source")
_WITHOUT_EFFECT = {"name", "license"}
_MOST_FILES = 10_000
_MOST_KEPT = 400
_FAILURE_SECONDS = 30.0
"""A reading that died is not tried again sooner: a page asks at every change."""
_MOST_IN_MEMORY = 64

_OUT_OF_MEMORY = ("MemoryError", "bad_alloc", "memory allocation of")
"""What Python, C++ and Rust say where there is no more."""

_lock = threading.Lock()
_known: OrderedDict[str, Inspection] = OrderedDict()
_failed: dict[str, tuple[float, StudioError]] = {}
_at_work: dict[str, threading.Lock] = {}


def inspection(params: DatasetParams) -> Inspection:
    """The reading of these parameters' source, kept in the home of this process. Raises as `read_source`."""
    return read_source(params, Settings().cache)


def read_source(params: DatasetParams, cache: Path, rows: int = 5) -> Inspection:
    """Reading, `rows` first rows and forecast. The first time it takes the time of a child process, up to SECONDS; callers who
    ask the same meanwhile wait for the same child. Raises StudioError: the source can't be read, or its child died."""
    if gone := missing_files(params):
        raise StudioError.of(gone)
    key = _key(params, rows)
    with _lock:
        if key in _known:
            _known.move_to_end(key)
            return _known[key]
        mine = _at_work.setdefault(key, threading.Lock())
    with mine:
        return _remembered(key) or _remember(key, params, cache, rows)


def missing_files(params: DatasetParams) -> list[Problem]:
    """Files that are not there, at their fields."""
    return [
        Problem(code="data.missing", field=field, args={"file": name})
        for field in _SOURCES
        if (name := getattr(params, field)) and not name.startswith("demo:") and not Path(name).exists()
    ]


def source_bytes(params: DatasetParams) -> int:
    """Size of all files that are read."""
    return sum(size for _, size, _ in _stamps(params))


def together(files: list[Path], home: Path) -> Path:
    """A folder below `home` that holds these files, hard links where possible. Raises StudioError for one that is missing."""
    problems = [Problem(code="data.missing", args={"file": str(file)}) for file in files if not file.is_file()]
    if problems:
        raise StudioError.of(problems)
    stats = [(os.path.realpath(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    folder = home / hashlib.sha256(json.dumps(stats).encode()).hexdigest()[:16]
    if folder.is_dir():
        return folder
    partial = Path(tempfile.mkdtemp(dir=_made(home)))
    for number, file in enumerate(files, 1):
        name = file.name if not (partial / file.name).exists() else f"{number}-{file.name}"
        try:
            os.link(os.path.realpath(file), partial / name)
        except OSError:  # another disk
            shutil.copy2(file, partial / name)
    partial.rename(folder)
    return folder


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def kept(params: DatasetParams, rows: int = 5) -> bool:
    """Whether `read_source` answers at once, from memory."""
    with _lock:
        return _key(params, rows) in _known


def _remembered(key: str) -> Inspection | None:
    with _lock:
        since, error = _failed.get(key, (0.0, None))
        if error and time.monotonic() - since < _FAILURE_SECONDS:
            raise StudioError.of(error.problems)
        return _known.get(key)


def _remember(key: str, params: DatasetParams, cache: Path, rows: int) -> Inspection:
    try:
        found = inspect(params, rows) if is_demo(params) else _on_disk(key, params, cache / "readings", rows)
    except StudioError as error:
        with _lock:
            _failed[key] = (time.monotonic(), error)
            while len(_failed) > _MOST_IN_MEMORY:
                _failed.pop(next(iter(_failed)))
        raise
    finally:
        with _lock:
            _at_work.pop(key, None)
    with _lock:
        _known[key] = found
        while len(_known) > _MOST_IN_MEMORY:
            _known.popitem(last=False)
        _failed.pop(key, None)
    return found


def _on_disk(key: str, params: DatasetParams, folder: Path, rows: int) -> Inspection:
    """From the cache, else from a child; one child at a time for a key, whatever process asks. Raises StudioError."""
    file = folder / f"{key}.json"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with file_lock(folder / f".{key[:2]}.lock", wait=2 * SECONDS):
            content = _read(file)
            if content is None:
                content = read_in_child(params, rows, folder)
                write_json(file, content)
                _tidy(folder)
    except LockBusy:
        raise StudioError("inspect.time", file=Path(params.source).name, seconds=2 * SECONDS) from None
    if "problems" in content:
        raise StudioError.of([Problem.model_validate(problem) for problem in content["problems"]])
    return Inspection.model_validate(content["inspection"])


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(file.read_text("utf-8"))
        if "inspection" in found:
            Inspection.model_validate(found["inspection"])
    except (OSError, ValueError):  # not there, or of another version
        return None
    os.utime(file)
    return found


def read_in_child(params: DatasetParams, rows: int, folder: Path) -> dict[str, Any]:
    """What the program answers, its files in a folder below `folder` that goes with it. Raises StudioError where it died."""
    name = Path(params.source).name
    limits = {
        "memory": MEMORY_BYTES + source_bytes(params),
        "cpu_seconds": SECONDS,
        "written": _WRITTEN_BYTES,
    }
    with tempfile.TemporaryDirectory(dir=folder, prefix=".child-") as work:
        asked, answer = Path(work, "question.json"), Path(work, "answer.json")
        write_json(asked, {"params": params.model_dump(mode="json"), "rows": rows, "limits": limits})
        env = bare_environment(TMPDIR=work, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MALLOC_ARENA_MAX="2")
        until = time.monotonic() + SECONDS
        with Program(command(Programs.READ_SOURCE, asked, answer), Path(work, "log"), env=env) as running:
            try:
                status = running.wait(lambda: _in_time(until))
            except TimeoutError:
                raise StudioError("inspect.time", file=name, seconds=SECONDS) from None
            if not answer.is_file():
                raise _death(status, running, name)
        if answer.stat().st_size > ANSWER_BYTES:
            raise StudioError("inspect.answer_large", file=name)
        found: dict[str, Any] = json.loads(answer.read_text("utf-8"))
    return found


def _in_time(until: float) -> None:
    if time.monotonic() > until:
        raise TimeoutError


def _death(status: int, program: Program, name: str) -> StudioError:
    """Why the child left no answer."""
    said = program.reason()
    log = "\n".join(program.lines())
    if status in (EXIT_MEMORY, -signal.SIGKILL) or any(word in log for word in _OUT_OF_MEMORY):
        return StudioError("inspect.memory", file=name, limit=human_bytes(MEMORY_BYTES))
    if status == -signal.SIGXCPU:
        return StudioError("inspect.time", file=name, seconds=SECONDS)
    return StudioError("inspect.stopped", file=name, reason=f"{said} ({status})")


def _key(params: DatasetParams, rows: int) -> str:
    told = params.model_dump(mode="json", exclude=_WITHOUT_EFFECT | set(_SOURCES))
    roots = [os.path.realpath(name) if name else "" for name in (getattr(params, field) for field in _SOURCES)]
    if is_demo(params):
        roots = [params.source]
    text = json.dumps([VERSION, rows, told, roots, _stamps(params)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _stamps(params: DatasetParams) -> list[tuple[str, int, int]]:
    """(real path, size, time of the last change) of every file that is read; of a folder, its first 10,000 files."""
    files: list[Path] = []
    for name in (getattr(params, field) for field in _SOURCES):
        if name and not name.startswith("demo:"):
            path = Path(name)
            inside = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
            files += inside[:_MOST_FILES]
    found = []
    for file in files:
        try:
            stat = file.stat()
        except OSError:
            continue
        found.append((os.path.realpath(file), stat.st_size, stat.st_mtime_ns))
    return found


def _tidy(folder: Path) -> None:
    """Keep the readings that were used last."""
    files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime)
    for file in files[:-_MOST_KEPT]:
        file.unlink(missing_ok=True)
