"""The part of the facade that is about the hub. Each of these asks the network, because somebody asked for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, RunView
from backend.core.settings import Settings
from backend.db import Store
from backend.models import hub
from backend.models.gguf_terms import unrestricted
from backend.models.hub_catalogue import CatalogueEntry, catalogue
from backend.models.hub_client import offline
from backend.models.hub_datasets import chosen
from backend.models.hub_gguf import only_gguf
from backend.models.hub_push import Outgoing, outgoing
from backend.models.hub_views import HubDetails, HubEntry, RepoType
from backend.providers import keys
from backend.providers.hub_token import NAME, hub_token

__all__ = ["Hub", "HubDetails", "HubEntry", "Outgoing", "RepoType"]


class Hub:
    """Mixed into `backend.api.Studio`."""

    settings: Settings
    store: Store
    start_stage: Callable[..., RunView]

    def hub_asks_for_terms(self, known: HubDetails) -> bool:
        """Whether a GGUF file of this repository comes in only when somebody has accepted its license."""
        return not unrestricted(known.license)

    def hub_search(self, text: str, kind: RepoType = "model", limit: int = 20) -> list[HubEntry]:
        """What matches, most downloaded first. Raises StudioError."""
        return hub.search(text, kind, limit, hub_token(self.settings.home))

    def hub_catalogue(self) -> tuple[CatalogueEntry, ...]:
        """Models to begin with, smallest first; asks no network."""
        return catalogue()

    def hub_forbidden(self) -> bool:
        """Whether the environment says to stay offline."""
        return offline()

    def hub_details(self, repo: str, kind: RepoType = "model", revision: str = "") -> HubDetails:
        """License, size and files of one repository. Raises StudioError."""
        return hub.details(repo, kind, revision, hub_token(self.settings.home))

    def hub_card(self, repo: str, kind: RepoType = "model") -> str:
        """The text of its README.md. Raises StudioError."""
        return hub.card(repo, kind, hub_token(self.settings.home))

    def hub_card_or_none(self, repo: str, kind: RepoType = "model") -> str:
        """The same, "" where it has none."""
        try:
            return self.hub_card(repo, kind)
        except StudioError as error:
            if error.problems[0].code in ("hub.not_found", "hub.unreachable"):
                return ""
            raise

    def hub_download(
        self, repo: str, revision: str = "", name: str = "", file: str = "", accepted: bool = False
    ) -> dict[str, Any]:
        """The parameters of a download of this very commit, with its size for the estimate. `file`: one of its GGUF files,
        whose terms are `accepted`. Raises StudioError."""
        known = self.hub_details(repo, revision=revision)
        wanted = only_gguf(known, file) if file else known
        said = {"file": file, "accepted": accepted} if file else {}
        return {"repo": known.repo, "revision": known.commit, "size": wanted.bytes, "name": name, **said}

    def hub_data(
        self, repo: str, revision: str = "", config: str = "", splits: Sequence[str] = (), files: Sequence[str] = ()
    ) -> dict[str, Any]:
        """The same of a dataset: its files, or those of one configuration and of some splits. Raises StudioError."""
        known = self.hub_details(repo, "dataset", revision)
        wanted = hub.only(known, chosen(known, config, splits, files))
        said = {"config": config, "splits": list(splits), "files": list(files)}
        return {"repo": known.repo, "revision": known.commit, "size": wanted.bytes, **said}

    def start_data_download(self, params: dict[str, Any], project: str | None = None) -> RunView:
        """Begin to download a dataset with the parameters that `hub_data` gave. Raises StudioError."""
        return self.start_stage("download_data", params, project)

    def hub_source(self, params: dict[str, Any]) -> str:
        """The folder that the newest download with these parameters left; "" where it failed."""
        jobs = (job for run in self.store.runs(limit=20) for job in run.jobs if job.stage == "download_data")
        return str(next((job.result.get("source", "") for job in jobs if params.items() <= job.params.items()), ""))

    def start_download(
        self, repo: str, project: str | None = None, revision: str = "", file: str = "", accepted: bool = False
    ) -> RunView:
        """Begin to download a model, or one of its GGUF files, into the project of that name. Raises StudioError, also for what
        the hub refuses."""
        return self.start_stage("download", self.hub_download(repo, revision, file=file, accepted=accepted), project)

    def hub_outgoing(self, ref: str) -> Outgoing:
        """What a push of this model, adapter or dataset would send; asks no network. Raises StudioError."""
        view = self.store.artifact(ref)
        return outgoing(view, self._lineage(view))

    def hub_push(self, ref: str, repo: str, private: bool = True, update: bool = False) -> dict[str, Any]:
        """The parameters of a push, with its size. Raises StudioError; for want of a token, too."""
        if not hub_token(self.settings.home):
            raise StudioError("hub.token_missing")
        view = self.store.artifact(ref)
        size = self.hub_outgoing(view.id).bytes
        return {"artifact": view.id, "repo": repo, "private": private, "update": update, "size": size}

    def start_push(self, params: dict[str, Any], project: str | None = None) -> RunView:
        """Begin to push. Raises StudioError."""
        return self.start_stage("push", params, project)

    def _lineage(self, view: ArtifactView) -> list[ArtifactView]:
        found: dict[str, ArtifactView] = {}
        waiting = list(view.parents)
        while waiting:
            each = self.store.find_artifact(waiting.pop(0))
            if each and each.id not in found:
                found[each.id] = each
                waiting += each.parents
        return list(found.values())

    def set_hub_token(self, token: str) -> None:
        """Keep the token in the keyring. Raises StudioError where there is none."""
        if problems := keys.check_key(token, "token"):
            raise StudioError.of(problems)
        keys.write(self.settings.home, NAME, token)

    def delete_hub_token(self) -> None:
        """Forget the token. Raises StudioError where there is no keyring."""
        keys.delete(self.settings.home, NAME)
