"""The facade: the only door for pages, command line and Python users. `Studio.open()` is where everything begins."""

from backend.api.studio import MODEL_KINDS, Studio

__all__ = ["MODEL_KINDS", "Studio"]
