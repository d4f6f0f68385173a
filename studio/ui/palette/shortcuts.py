"""The letters that lead to pages: `g`, then one of these. The same in every language."""

from __future__ import annotations

from studio import nav
from studio.nav import NavPage

GO: dict[str, NavPage] = {
    "h": nav.HOME,
    "d": nav.DATA,
    "t": nav.TEACHER,
    "r": nav.REVIEW,
    "i": nav.DISTILL,
    "f": nav.FINETUNE,
    "q": nav.QUANTIZE,
    "p": nav.PLAYGROUND,
    "c": nav.COMPARE,
    "j": nav.JOBS,
    "m": nav.MODELS,
    "s": nav.SETTINGS,
    "e": nav.HELP,
}


def letter_of(page: NavPage) -> str:
    """Its letter, empty where it has none."""
    return next((letter for letter, row in GO.items() if row == page), "")
