"""The way to the models that the host keeps in memory, for pages."""

from __future__ import annotations

from backend.inference.protocol import Sampling
from backend.serve.client import Piece, ServeClient, ServedModel

__all__ = ["Piece", "Sampling", "ServeClient", "ServedModel"]
