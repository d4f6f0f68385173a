"""The part of the facade that is about the hub. Each of these asks the network, because somebody asked for it."""

from __future__ import annotations

from typing import Any

from backend.core.errors import StudioError
from backend.core.settings import Settings
from backend.models import hub
from backend.models.hub import HubDetails, HubEntry, RepoType
from backend.providers import keys
from backend.providers.hub_token import NAME, hub_token


class Hub:
    """Mixed into `backend.api.Studio`."""

    settings: Settings

    def hub_search(self, text: str, kind: RepoType = "model", limit: int = 20) -> list[HubEntry]:
        """What matches, most downloaded first. Raises StudioError."""
        return hub.search(text, kind, limit, hub_token(self.settings.home))

    def hub_details(self, repo: str, kind: RepoType = "model", revision: str = "") -> HubDetails:
        """License, size and files of one repository. Raises StudioError."""
        return hub.details(repo, kind, revision, hub_token(self.settings.home))

    def hub_card(self, repo: str, kind: RepoType = "model") -> str:
        """The text of its README.md. Raises StudioError."""
        return hub.card(repo, kind, hub_token(self.settings.home))

    def hub_download(self, repo: str, revision: str = "", name: str = "") -> dict[str, Any]:
        """The parameters of a download of this very commit, with its size for the estimate. Raises StudioError."""
        known = self.hub_details(repo, revision=revision)
        return {"repo": known.repo, "revision": known.commit, "size": known.bytes, "name": name}

    def set_hub_token(self, token: str) -> None:
        """Keep the token in the keyring. Raises StudioError where there is none."""
        if problems := keys.check_key(token, "token"):
            raise StudioError.of(problems)
        keys.write(self.settings.home, NAME, token)

    def delete_hub_token(self) -> None:
        """Forget the token. Raises StudioError where there is no keyring."""
        keys.delete(self.settings.home, NAME)
