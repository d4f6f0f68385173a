"""Text that was decoded by the wrong encoding, and how it was (ftfy); characters that are lost for good."""

from __future__ import annotations

import re
from typing import NamedTuple

MAY_BE_DAMAGED = "[\u0080-\u009f\ufffd]|[ÂÃÅÄâãåäÐÑðïÎÏРСÐ][\u0080-\u00ffŒœŠšŸŽžƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]"
"""What nearly every damaged text holds: a lead byte of UTF-8 as Latin-1 or Windows-1252, then a trail byte."""
_SUSPECT = re.compile(MAY_BE_DAMAGED)


class Damage(NamedTuple):
    """`kind`: `wrong encoding` can be repaired, `lost characters` cannot."""

    start: int
    kind: str


def damage(text: str) -> Damage | None:
    """Where and how a text is damaged. Sure only: a repair changes it, or characters are replaced by U+FFFD."""
    match = _SUSPECT.search(text)
    if not match:
        return None
    if repaired(text) != text:
        return Damage(match.start(), "wrong encoding")
    lost = text.find("\ufffd")
    return Damage(lost, "lost characters") if lost >= 0 else None


def repaired(text: str) -> str:
    """The text in its right encoding; a text that is all right stays as it is, quotes and line ends too."""
    if text.isascii() or not _SUSPECT.search(text):
        return text
    import ftfy

    fixed: str = ftfy.fix_encoding(text)
    return fixed
