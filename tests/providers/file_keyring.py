"""A keyring in a JSON file, for tests: `PYTHON_KEYRING_BACKEND=tests.providers.file_keyring.FileKeyring` chooses it in every
process, and `TEST_KEYRING_FILE` says where it lies."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

BACKEND = "tests.providers.file_keyring.FileKeyring"
FILE = "TEST_KEYRING_FILE"


class FileKeyring(KeyringBackend):
    """While a file `locked` lies beside it, its owner has locked it."""

    priority = 1.0

    def get_password(self, service: str, username: str) -> str | None:
        return self._held().get(f"{service}\n{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._path().write_text(json.dumps({**self._held(), f"{service}\n{username}": password}), "utf-8")

    def delete_password(self, service: str, username: str) -> None:
        held = self._held()
        if held.pop(f"{service}\n{username}", None) is None:
            raise PasswordDeleteError("no such password")
        self._path().write_text(json.dumps(held), "utf-8")

    def _path(self) -> Path:
        return Path(os.environ[FILE])

    def _held(self) -> dict[str, str]:
        if self._path().with_name("locked").exists():
            raise KeyringLocked("locked")
        return json.loads(self._path().read_text("utf-8")) if self._path().exists() else {}
