"""Keys of endpoints that were typed: kept in the keyring of the operating system, under the home and the endpoint's name.

A key is in the memory of the process that needs it and in the keyring, nowhere else. The worker reads it and hands it to its
child on standard input. `keyring` chooses the backend (Keychain, Credential Locker, Secret Service, KWallet); a machine
without one has none, then the environment variable of the endpoint counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.core.errors import Problem, StudioError

MAX_CHARS = 4096
SHORTEST_MASKED = 8
"""Shorter keys are masked in the errors of their endpoint only: elsewhere they are ordinary words."""
MASK = "…"


def unusable() -> Problem | None:
    """Why keys can't be kept on this machine; None where they can."""
    import keyring
    from keyring.backends import fail, null

    if isinstance(keyring.get_keyring(), (fail.Keyring, null.Keyring)):
        return Problem(code="keys.no_keyring", blocking=False)
    return None


def check_key(key: str, field: str | None = None) -> list[Problem]:
    """What is wrong with a typed key; it is sent in a header, so it is one word of visible ASCII characters."""
    if not key.strip():
        return [Problem(code="value.missing", field=field)]
    if len(key) > MAX_CHARS or not all("!" <= letter <= "~" for letter in key.strip()):
        return [Problem(code="keys.characters", field=field)]
    return []


def write(home: Path, name: str, key: str) -> None:
    """Keep the key of an endpoint in place of the one before. Raises StudioError where there is no keyring or it refuses."""
    import keyring

    _require()
    with _readable(name):
        keyring.set_password(_service(home), name, key.strip())


def read(home: Path, name: str) -> str | None:
    """The kept key, None where there is none. Raises StudioError when the keyring refuses; may wait for its owner."""
    import keyring

    with _readable(name):
        return keyring.get_password(_service(home), name) or None


def delete(home: Path, name: str) -> None:
    """Forget a key; nothing happens where there is none. Raises StudioError when the keyring refuses."""
    import keyring
    from keyring.errors import PasswordDeleteError

    _require()
    with _readable(name):
        try:
            keyring.delete_password(_service(home), name)
        except PasswordDeleteError:  # also what some backends say when there is none
            if keyring.get_password(_service(home), name) is not None:
                raise


def masker(keys: Iterable[str]) -> Callable[[str], str]:
    """What replaces these keys in a text, also as a quoted text (JSON, Python) shows them."""
    forms = {
        form for key in keys if key for form in (key, json.dumps(key)[1:-1], repr(key)[1:-1], repr(key.encode())[2:-1])
    }
    ordered = sorted(forms, key=len, reverse=True)

    def mask(text: str) -> str:
        for form in ordered:
            text = text.replace(form, MASK)
        return text

    return mask


def masked(content: Any, mask: Callable[[str], str]) -> Any:
    """JSON content with every text in it masked."""
    if isinstance(content, str):
        return mask(content)
    if isinstance(content, dict):
        return {mask(key) if isinstance(key, str) else key: masked(value, mask) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [masked(value, mask) for value in content]
    return content


def _service(home: Path) -> str:
    return f"slmops-studio {home.resolve()}"


def _require() -> None:
    if problem := unusable():
        raise StudioError.of([problem])


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """A failure of the keyring as one for people; its own words may hold what they like, so they are not repeated."""
    from keyring.errors import KeyringError

    try:
        yield
    except KeyringError as error:
        raise StudioError("keys.refused_by_keyring", name=name, reason=type(error).__name__) from None
