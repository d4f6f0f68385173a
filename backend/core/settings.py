"""Where the studio keeps its things, from the environment (`SLMOPS_HOME`, `SLMOPS_DB_URL`)."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_data_path
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from backend.core.errors import StudioError
from backend.core.paths import absolute
from backend.core.validation import value_problems

VARIABLES = {
    "SLMOPS_TOKEN": "The token that a browser on another machine needs. Without it one is made up and shown in the terminal.",
    "SLMOPS_SERVE_KEY": "The API key that `slmops serve` asks for, unless `--api-key-env` names another variable. Empty: none.",
    "SLMOPS_ASKED_OFFLINE": "Set by the worker for its jobs: whether you asked for offline work. Not for you to set.",
    "SLMOPS_CA_FILE": "A PEM file with your organization's certificates, for endpoints and hubs; added to the system's.",
    "SLMOPS_ENDPOINT_HOSTS": "Hosts that endpoints may have, separated by commas, such as `api.openai.com,*.internal`. Without "
    "it: any but metadata services.",
    "SLMOPS_FOUNDRY_PYTHON": "The Python that has foundry-local-sdk, where the studio's own has not.",
    "SLMOPS_EXTRA_VARIABLES": "More environment variables that stages and models get, separated by commas, such as "
    "`MY_DRIVER_HOME`. Without it: what Python, locale, devices, threads, their libraries and the studio read, and no secret.",
    "SLMOPS_DEBUG": "Set to anything, the command line shows the traceback of an error, like `slmops --debug`.",
}
"""Variables that are read where they are used: name -> what it is for."""


def _user_data() -> Path:
    try:
        return user_data_path("slmops-studio", appauthor=False)
    except RuntimeError as error:  # neither HOME nor an account
        raise StudioError("core.no_user_folder") from error


class Settings(BaseSettings):
    """What can be set, and the folders that follow from it. docs/reference/settings.md is made from this class."""

    model_config = SettingsConfigDict(env_prefix="SLMOPS_", env_ignore_empty=True, frozen=True)

    home: Path = Field(
        default_factory=_user_data,
        description="Folder for databases, artifacts, models and logs. Without it: the platform's place for user data.",
    )
    db_url: str | None = Field(
        default=None,
        description="A Postgres database, postgresql://…, in place of the two SQLite files in the home.",
    )
    max_upload_bytes: int = Field(default=8_000_000_000, description="Largest file that a browser may send, in bytes.")
    project: str | None = Field(
        default=None,
        description="The project that the command line works in, by its name or id. Without it: all; new things go into the "
        "oldest.",
    )
    chat_idle_seconds: int = Field(
        default=300, ge=0, description="Seconds of silence after which a model that chats is unloaded; 0: never."
    )

    processes: Annotated[int, Field(ge=1, le=64)] | Literal["auto"] = Field(
        default=1,
        description="Processes that share a fine-tuning or distillation (DDP), each on its own graphics card: a number, or "
        "`auto` for one on each card. Without cards a number shares the processor. The batch size stays that of all together.",
    )
    trackers: str = Field(
        default="",
        description="Where trainings report beside TensorBoard files, separated by commas: mlflow, trackio, wandb. Each stays "
        "on this machine, unless its own variables, named in SLMOPS_EXTRA_VARIABLES, say otherwise.",
    )

    def __init__(self, **given: Any) -> None:
        """Raises StudioError for a variable whose value can't be used."""
        try:
            super().__init__(**given)
        except ValidationError as error:
            found = value_problems(error)
            named = [each.model_copy(update={"field": f"SLMOPS_{each.field}".upper()}) for each in found]
            raise StudioError.of(named) from None

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        """Children start in another folder, and the store keeps paths."""
        return absolute(value)

    @cached_property
    def store_url(self) -> str:
        return self._url("studio.sqlite")

    @cached_property
    def queue_url(self) -> str:
        """The queue has a file of its own, so that a long studio transaction never holds its write lock."""
        return self._url("queue.sqlite")

    def shared_by(self, cards: int) -> int:
        """How many processes share a training on a machine with so many graphics cards: no more than those, where there are
        any."""
        if self.processes == "auto":
            return max(1, cards)
        return min(self.processes, cards) if cards else self.processes

    @property
    def artifacts(self) -> Path:
        return self.home / "artifacts"

    @property
    def jobs(self) -> Path:
        """One working folder per job: its partial output and its checkpoints."""
        return self.home / "jobs"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def tensorboard(self) -> Path:
        """The curves of trainings as TensorBoard reads them: a folder for each job."""
        return self.logs / "tensorboard"

    @property
    def cache(self) -> Path:
        """Teacher answers by content, Olive's cache: may be deleted at any time."""
        return self.home / "cache"

    @property
    def uploads(self) -> Path:
        """Files that came from a browser, one folder each."""
        return self.home / "uploads"

    @property
    def reviews(self) -> Path:
        """Decisions as they stood when a job began to apply them: a folder for each dataset."""
        return self.home / "reviews"

    @property
    def edits(self) -> Path:
        """Changes to datasets that are not a version yet, and those that a job writes into one: a folder for each dataset."""
        return self.home / "edits"

    @property
    def pairs(self) -> Path:
        """Preference pairs as the votes gave them when a job began to read them: a folder for each project."""
        return self.home / "pairs"

    @property
    def sqlite(self) -> bool:
        return self.store_url.startswith("sqlite")

    def _url(self, file: str) -> str:
        if not self.db_url:
            return f"sqlite:///{self.home / file}"
        if self.db_url.startswith(("postgresql://", "postgresql+psycopg://")):
            return self.db_url.replace("postgresql://", "postgresql+psycopg://", 1)
        raise StudioError("core.db_url", url=self.db_url.split("://")[0] + "://…", reason="unknown kind of database.")

    def prepare(self) -> Settings:
        """Make the folders. Raises StudioError when `home` can't be written."""
        try:
            for folder in (self.home, self.artifacts, self.jobs, self.logs, self.cache, self.uploads):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StudioError("core.home_unwritable", path=self.home, reason=f"{error.strerror}.") from error
        for folder in (self.home, self.logs):
            if not os.access(folder, os.W_OK | os.X_OK):
                raise StudioError("core.home_unwritable", path=folder, reason="it is read-only.")
        return self
