"""Serving a model to other programs, for pages and command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.core.settings import Settings
from backend.serve.openai_api.snippets import curl, python
from backend.serve.schemas import ServeOptions, ServerView

if TYPE_CHECKING:
    from backend.serve.openai_api.server import Ready

__all__ = ["ServeOptions", "ServerView", "curl", "python", "serve"]


def serve(settings: Settings, options: ServeOptions, ready: Ready) -> None:
    """Serve in this process until SIGINT or SIGTERM. Raises StudioError when the model can't be served."""
    from backend.serve.openai_api import server

    server.serve(settings, options, ready)
