"""The token for the hub: from HF_TOKEN, else from the keyring of the operating system. Never written anywhere else.

Who asks for it is about to ask the hub, so the way there is settled here, too.
"""

from __future__ import annotations

from pathlib import Path

from backend.models.hub_client import use_client
from backend.providers import keys
from backend.providers.hub_network import hub_client
from backend.providers.variables import is_told, secret

VARIABLE = "HF_TOKEN"
NAME = "hub token"
"""Its entry in the keyring. The blank keeps it from every endpoint: their names have none."""


def hub_token(home: Path) -> str | None:
    """None where there is none; the process of a job has it from its worker. From then on the hub is reached as endpoints are:
    by their proxies and certificates. Raises StudioError when the keyring refuses."""
    use_client(hub_client)
    said = secret(VARIABLE)
    return said or (None if is_told() or keys.unusable() else keys.read(home, NAME))
