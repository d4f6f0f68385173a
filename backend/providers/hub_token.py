"""The token for the hub: from HF_TOKEN, else from the keyring of the operating system. Never written anywhere else."""

from __future__ import annotations

import os
from pathlib import Path

from backend.providers import keys

NAME = "hub token"
"""Its entry in the keyring. The blank keeps it from every endpoint: their names have none."""


def hub_token(home: Path) -> str | None:
    """None where there is none. Raises StudioError when the keyring refuses."""
    said = os.environ.get("HF_TOKEN", "").strip()
    return said or (None if keys.unusable() else keys.read(home, NAME))
