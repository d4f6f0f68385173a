"""The part of the facade that is about the hub. Each of these asks the network, because somebody asked for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backend.core.errors import StudioError
from backend.core.schemas import RunView
from backend.core.settings import Settings
from backend.models import hub
from backend.models.hub import HubDetails, HubEntry, RepoType
from backend.models.hub_catalogue import CatalogueEntry, catalogue
from backend.providers import keys
from backend.providers.hub_token import NAME, hub_token


class Hub:
    """Mixed into `backend.api.Studio`."""

    settings: Settings
    start_stage: Callable[..., RunView]

    def hub_search(self, text: str, kind: RepoType = "model", limit: int = 20) -> list[HubEntry]:
        """What matches, most downloaded first. Raises StudioError."""
        return hub.search(text, kind, limit, hub_token(self.settings.home))

    def hub_catalogue(self) -> tuple[CatalogueEntry, ...]:
        """Models to begin with, smallest first; asks no network."""
        return catalogue()

    def hub_forbidden(self) -> bool:
        """Whether the environment says to stay offline."""
        return hub.offline()

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

    def start_download(self, repo: str, project: str | None = None) -> RunView:
        """Begin to download a model into the project of that name. Raises StudioError, also for what the hub refuses."""
        return self.start_stage("download", self.hub_download(repo), project)

    def set_hub_token(self, token: str) -> None:
        """Keep the token in the keyring. Raises StudioError where there is none."""
        if problems := keys.check_key(token, "token"):
            raise StudioError.of(problems)
        keys.write(self.settings.home, NAME, token)

    def delete_hub_token(self) -> None:
        """Forget the token. Raises StudioError where there is no keyring."""
        keys.delete(self.settings.home, NAME)
