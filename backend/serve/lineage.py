"""A model of the store with what it needs to be loaded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from backend.core.schemas import ArtifactView, Kind

if TYPE_CHECKING:
    from backend.db import Store


def with_bases(store: Store, ref: str) -> list[ArtifactView]:
    """The artifact by id or name, then the bases of an adapter. Raises StudioError when there is none."""
    views = [store.artifact(ref)]
    while base := views[-1].facts.get("base"):
        views.append(store.artifact(base))
    return views


def with_attached(store: Store, ref: str) -> list[ArtifactView]:
    """The same, then the adapters that are attached to the model, newest first."""
    views = with_bases(store, ref)
    found = [each for each in store.children(views[0].id) if _attached(each, views[0])]
    return views + sorted(found, key=lambda each: each.created, reverse=True)


def offered(views: Iterable[ArtifactView]) -> list[ArtifactView]:
    """Of what `with_attached` found: those that are served."""
    first, *others = views
    return [first, *(each for each in others if _attached(each, first))]


def _attached(view: ArtifactView, model: ArtifactView) -> bool:
    return view.kind is Kind.ONNX and view.facts.get("base") == model.id
