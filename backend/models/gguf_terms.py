"""Under which terms a GGUF file stands. Its head is read in a bounded child, once: what was found is kept by path, size and
time of change, so that a page that is drawn again reads nothing."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

from backend.core.artifacts import write_json
from backend.core.errors import StudioError
from backend.core.programs import Programs, command
from backend.core.schemas import View
from backend.models.gguf_parts import COUNT, find_parts, stem, whole_head
from backend.models.probe import LICENSE_FILES
from backend.process.environment import bare_environment
from backend.process.program import Program

UNRESTRICTED_LICENSES = frozenset({"apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "cc0-1.0", "unlicense"})
"""Licenses that restrict no use of a model."""
GEMMA = "https://ai.google.dev/gemma/terms"
SECONDS = 30
_LIMITS = {"memory": 1_000_000_000, "cpu_seconds": SECONDS, "written": 1_000_000}
_BESIDE = (*LICENSE_FILES, "NOTICE", "NOTICE.md", "NOTICE.txt")
_SHOWN_CHARS = 100_000
_KEPT = 64

_heads: OrderedDict[tuple[str, int, int], dict[str, Any] | None] = OrderedDict()
_reading = threading.Lock()


def unrestricted(license_: str | None) -> bool:
    """Whether a license is known to restrict no use."""
    return (license_ or "").lower() in UNRESTRICTED_LICENSES


class Terms(View):
    """What a GGUF file says of its license; `link` and `text` (files that lie beside it) are where to read it. `ask`: somebody
    has to accept it first, because it restricts the use or nobody knows. `files`: all parts of a split model, else the file;
    `stem`: what they are called, without the number of a part."""

    name: str
    stem: str
    files: list[Path]
    architecture: str
    license: str | None
    link: str | None
    text: str
    ask: bool

    @property
    def title(self) -> str:
        return "Gemma Terms of Use" if self.link == GEMMA else self.license or ""


def terms(file: Path) -> Terms:
    """Of a file, or of the split model that it is a part of. Raises StudioError for a damaged file, and for parts that are not
    beside it or are not of one model."""
    about, files = _head(file), [file]
    if about is None:
        raise StudioError("gguf.damaged", file=file.name)
    if about[COUNT] > 1:
        files = find_parts(file, about[COUNT])
        about = whole_head(files, _head)
    architecture = about.get("general.architecture", "")
    named = about.get("general.license", "").strip()
    license_ = named or ("gemma" if architecture.startswith("gemma") else None)
    link = about.get("general.license.link")
    if license_ == "gemma" or architecture.startswith("gemma"):
        link = GEMMA
    return Terms(
        name=about.get("general.name") or stem(file.name),
        stem=stem(file.name) if files[1:] else file.stem,
        files=files,
        architecture=architecture,
        license=license_,
        link=link or None,
        text="\n\n".join(_begin(path) for name in _BESIDE if (path := file.parent / name).is_file()),
        ask=not unrestricted(license_),
    )


def _begin(file: Path) -> str:
    with file.open(encoding="utf-8", errors="replace") as stream:
        return stream.read(_SHOWN_CHARS)


def _head(file: Path) -> dict[str, Any] | None:
    """What a child read, also that it found nothing; kept. Raises StudioError for a file that is not there."""
    try:
        state = file.stat()
    except OSError:
        raise StudioError("gguf.damaged", file=file.name) from None
    key = (str(file.absolute()), state.st_size, state.st_mtime_ns)
    with _reading:  # of several sessions that draw the same page one reads
        if key not in _heads:
            _heads[key] = read_in_child(file)
            while len(_heads) > _KEPT:
                _heads.popitem(last=False)
        _heads.move_to_end(key)
        return _heads[key]


def read_in_child(file: Path) -> dict[str, Any] | None:
    """As `backend.models.gguf_head.head`; None also when the child took too much memory or time."""
    until = time.monotonic() + SECONDS
    with tempfile.TemporaryDirectory(prefix="gguf-") as work:
        asked, answer = Path(work, "question.json"), Path(work, "answer.json")
        write_json(asked, {"file": str(file.absolute()), "limits": _LIMITS})
        argv = command(Programs.GGUF_HEAD, asked, answer)
        with Program(argv, Path(work, "log"), env=bare_environment()) as running:
            for _ in running.poll(lambda: None):
                if time.monotonic() > until:
                    break
        return json.loads(answer.read_text("utf-8"))["head"] if answer.is_file() else None
