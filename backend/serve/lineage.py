"""A model of the store with what it needs to be loaded."""

from __future__ import annotations

from backend.schemas import ArtifactView, Kind
from backend.store import Store


def with_bases(store: Store, ref: str) -> list[ArtifactView]:
    """The artifact by id or name, then the bases of an adapter. Raises StudioError when there is none."""
    views = [store.artifact(ref)]
    while views[-1].kind is Kind.ADAPTER:
        views.append(store.artifact(views[-1].facts["base"]))
    return views
