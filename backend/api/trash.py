"""The part of the facade that deletes, and brings back."""

from __future__ import annotations

from collections.abc import Collection

from backend.core.schemas import TrashView
from backend.core.settings import Settings
from backend.db import Store
from backend.files import trash
from backend.files.trash import MAX_DAYS, PROJECT, RUN

__all__ = ["MAX_DAYS", "PROJECT", "RUN", "Trash"]


class Trash:
    """Mixed into `backend.api.Studio`."""

    store: Store
    settings: Settings

    def delete(self, ref: str, with_descendants: bool = False) -> list[str]:
        """Move an artifact to the trash; returns the ids that went. Raises StudioError when something was made from it or a
        job uses it."""
        return trash.discard(self.store, ref, with_descendants)

    def delete_run(self, run_id: str) -> None:
        """Move a run with its logs and curves to the trash; what it made stays. Raises StudioError while it is at work."""
        trash.discard_run(self.store, run_id)

    def delete_all(self, refs: Collection[str]) -> list[str]:
        """Move several runs and artifacts, by their ids, to the trash, or none of them; evaluations and reports of them go
        along. Returns the ids. Raises StudioError as the others do."""
        return trash.discard_all(self.store, refs)

    def restore(self, refs: Collection[str]) -> list[str]:
        """Bring projects, runs and artifacts back from the trash, with what those were made from and the whole projects that
        they lie in; returns the ids. Raises StudioError."""
        return trash.restore(self.store, refs)

    def trash(self) -> list[TrashView]:
        """What it holds, the last deleted first."""
        return trash.contents(self.store, self.settings)

    def empty_trash(self, older_than_days: float = 0) -> int:
        """Delete for good what has lain there for so long; returns the bytes freed."""
        return trash.empty(self.store, self.settings, older_than_days)

    @property
    def trash_days(self) -> int:
        """How long the trash keeps things."""
        return trash.keep_days(self.store)

    def set_trash_days(self, days: int) -> None:
        """Raises StudioError for less than one day and for more than ten years."""
        trash.set_keep_days(self.store, days)
