"""What an endpoint has said it does not take, so that it is said once and not asked again: by address and model.

Names are those of parameters that can be left out or renamed, and two of this module: an endpoint that only streams, one that
never does. They are kept in a file, so that the next job begins with what the last one learned; testing an endpoint forgets
them first.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

ONLY_STREAMS, NEVER_STREAMS = "streams only", "never streams"
OPTIONAL = ("seed", "top_p", "temperature", "logprobs", "max_tokens", "stream_options", "response_format")
"""Parameters that a refusal may name: all but `max_tokens`, which is renamed, are left out."""
QUIRKS_FILE = "endpoints.json"
REFUSING_STATUS_CODES = (400, 403, 405, 415, 422, 501)
_SIGNS = re.compile(
    r"unsupported|(?:not|n.t) (?:yet )?(?:be )?(?:support|permit|allow|implement|accept|available)|unrecogni[sz]ed|unknown"
    r"|unexpected|extra_forbidden|extra inputs|cannot both|deprecated|no longer|not a valid (?:param|field|arg)"
    r"|invalid (?:param|field|arg)\w* name|only the default",
    re.IGNORECASE,
)
_ONLY_STREAMS = re.compile(
    r"(?:only|must|required?|please).{0,40}\bstream|stream.{0,30}(?:must be|has to be|should be).{0,12}true"
    r"|non-stream\w*.{0,40}not supported",
    re.IGNORECASE,
)
_NEVER_STREAMS = re.compile(
    r"\bstream\w*.{0,40}(?:not|n.t|un)\s*(?:yet )?(?:be )?(?:support|allow|permit|implement|available)"
    r"|(?:not|n.t) support.{0,20}stream|unsupported.{0,30}\bstream\b(?!_)|stream.{0,30}must be.{0,12}false",
    re.IGNORECASE,
)
_lock = threading.Lock()


class Quirks:
    """Of one endpoint and model; `file` None: for this process only."""

    def __init__(self, address: str, model: str, file: Path | None = None) -> None:
        self._key, self._file = f"{address} {model}", file
        self._names = set(_read(file).get(self._key, []))

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._names)

    def add(self, names: Collection[str]) -> list[str]:
        """Those that are new."""
        with _lock:
            new = sorted(set(names) - self._names)
            if new:
                self._names |= set(new)
                self._save()
        return new

    def forget(self) -> None:
        with _lock:
            if self._names:
                self._names = set()
                self._save()

    def _save(self) -> None:
        """Beside what other jobs learned meanwhile; a file that can't be written costs a question more next time."""
        if self._file is None:
            return
        held = {key: names for key, names in _read(self._file).items() if key != self._key}
        held |= {self._key: sorted(self._names)} if self._names else {}
        part = self._file.with_suffix(f".{os.getpid()}.part")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(held, indent=1), "utf-8")
            part.replace(self._file)
        except OSError:
            part.unlink(missing_ok=True)


def quirk_of(status: int, words: str, sent: dict[str, Any], known: Collection[str]) -> str | None:
    """The quirk that a refusal tells of a body that was `sent`; None when it tells of none, or of one that is known already.
    `words`: the body of the refusal."""
    if status not in REFUSING_STATUS_CODES:
        return None
    if sent.get("stream"):
        if NEVER_STREAMS not in known and _NEVER_STREAMS.search(words) and "stream_options" not in words:
            return NEVER_STREAMS
    elif ONLY_STREAMS not in known and _ONLY_STREAMS.search(words):
        return ONLY_STREAMS
    if not _SIGNS.search(words):
        return None
    named = [name for name in OPTIONAL if name in sent and name not in known and _named(name, words) is not None]
    if "top_p" in named and "temperature" in named and "both" in words:
        return "top_p"
    return min(named, key=lambda name: _named(name, words) or 0, default=None)


def _named(name: str, words: str) -> int | None:
    """Where a parameter stands in a text; None where it does not. `top_logprobs` stands for `logprobs`."""
    form = r"(?:top_)?logprobs" if name == "logprobs" else re.escape(name)
    found = re.search(rf"(?<![A-Za-z_]){form}(?![A-Za-z_])", words)
    return found.start() if found else None


def _read(file: Path | None) -> dict[str, list[str]]:
    try:
        held = json.loads(file.read_text("utf-8")) if file else {}
    except (OSError, ValueError):
        return {}
    sound = held.items() if isinstance(held, dict) else ()
    return {key: names for key, names in sound if isinstance(names, list) and all(isinstance(n, str) for n in names)}
