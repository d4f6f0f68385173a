"""Numbers inside sentences, as the reader's language writes them: the only place where an argument becomes figures."""

from __future__ import annotations

import re

GROUPED_FROM = 10_000
"""Shorter numbers have no mark between their digits, as CLDR asks for in Spanish and most style guides do in English."""
_QUANTITY = re.compile(r"(-?\d+\.\d+)(?= (?:B|kB|MB|GB|TB|USD|%|s)$)")


def number_text(value: float, locale: str) -> str:
    """With all its digits: `0.8` is "0.8" in English and "0,8" in Spanish, `1234567` "1,234,567" and "1.234.567"."""
    written = str(value)
    large = abs(value) >= GROUPED_FROM
    if not re.fullmatch(r"-?\d+(\.\d+)?", written) or (locale == "en" and not large):
        return written
    from babel.numbers import format_decimal

    whole, _point, decimals = written.partition(".")
    pattern = ("#,##0" if large else "0") + ("." + "0" * len(decimals) if decimals else "")
    return format_decimal(float(written) if decimals else int(whole), pattern, locale=locale)


def quantity_text(text: str, locale: str) -> str:
    """A figure with its unit (`1.4 GB`) as that language writes it; any other text as it is."""
    if locale == "en":
        return text
    return _QUANTITY.sub(lambda found: number_text(float(found[1]), locale), text)
