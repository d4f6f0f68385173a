"""The facade: the only door for pages, command line and Python users. `Studio.open()` is where everything begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backend.api.studio import MODEL_KINDS, Studio

__all__ = ["MODEL_KINDS", "Studio"]


def __getattr__(name: str) -> Any:
    """`Studio` comes when it is asked for: who needs another module of the facade alone doesn't wait for it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from backend.api import studio

    return getattr(studio, name)
