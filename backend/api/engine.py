"""A model in this very process, for the command line; pages ask the host of models instead."""

from __future__ import annotations

from backend.core.schemas import ArtifactView
from backend.inference.engine import Engine
from backend.inference.protocol import Lookup


def open_engine(model: ArtifactView, lookup: Lookup) -> Engine:
    """Load it; `lookup` finds the base of an adapter by id. Raises StudioError when it can't run here."""
    from backend.ml.inference import open

    return open.open_engine(model, lookup)
