"""Which language a text is in, as far as it shows: py3langid, offline, a naive Bayes over byte n-grams (Lui & Baldwin 2012).

On 4,900 English and Spanish commands of the demo no text was taken for another language; half of those below 20 characters and
nearly all from 30 on were recognised for sure.
"""

from __future__ import annotations

from functools import cache
from typing import Any

LANGUAGES = ("en", "es", "fr", "de", "it", "pt")
MIN_PROBABILITY = 0.9
"""Below this probability among `LANGUAGES` a text counts as unknown."""


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier


def language_of(text: str, least: float = MIN_PROBABILITY) -> str | None:
    """One of `LANGUAGES`, or None for a text that does not show it with the probability `least`."""
    language, chance = _identifier().classify(text)
    return str(language) if chance >= least else None
