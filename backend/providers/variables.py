"""Secrets that the user keeps in environment variables: keys of endpoints, the hub's token. They are read here only.

The process of a stage has none of them in its environment; its worker hands it those that its job needs on standard input, and
`tell` puts them here, where no program that the stage starts inherits them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

_told: dict[str, str] | None = None


def tell(secrets: Mapping[str, str]) -> None:
    """From now on these are all that there are, whatever the environment holds."""
    global _told
    _told = dict(secrets)


def is_told() -> bool:
    """Whether this is a process that was handed its secrets."""
    return _told is not None


def secret(name: str) -> str:
    """The value of a variable, "" where it is not set."""
    held: Mapping[str, str] = os.environ if _told is None else _told
    return held.get(name, "").strip() if name else ""
