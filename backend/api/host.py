"""The way to the models that the host keeps in memory, for pages."""

from __future__ import annotations

from backend.inference.constraint import Constraint
from backend.inference.protocol import Sampling
from backend.serve.client import Piece, ServeClient, ServedModel

__all__ = ["Constraint", "Piece", "Sampling", "ServeClient", "ServedModel"]
