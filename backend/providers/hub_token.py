"""The token for the hub: from HF_TOKEN, else from the keyring of the operating system. Never written anywhere else.

Who asks for it is about to ask the hub, so the way there is settled here, too.
"""

from __future__ import annotations

import os
from pathlib import Path

from backend.models.hub_client import use_client
from backend.providers import keys
from backend.providers.hub_network import hub_client

NAME = "hub token"
"""Its entry in the keyring. The blank keeps it from every endpoint: their names have none."""


def hub_token(home: Path) -> str | None:
    """None where there is none. From then on the hub is reached as endpoints are: by their proxies and certificates. Raises
    StudioError when the keyring refuses."""
    use_client(hub_client)
    said = os.environ.get("HF_TOKEN", "").strip()
    return said or (None if keys.unusable() else keys.read(home, NAME))
