"""How many answers in free text are right, in plain words: a score of words in common hides wrong facts."""

from __future__ import annotations

from backend.core.errors import StudioError
from backend.results.answers import CorrectCounts
from backend.results.run_result import RunResult
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import number
from studio.ui.shared.i18n import _


def correct_words(result: RunResult) -> list[str]:
    """The answers that are exactly right, and those with all numbers right; nothing where answers are labels."""
    counts = _counts(result)
    if counts is None:
        return []
    said = [_("Exactly right: {right} of {n} answers.").format(right=number(counts.right), n=number(counts.n))]
    if counts.with_numbers:
        words = _("All numbers right: {right} of {n} answers with numbers.")
        said.append(words.format(right=number(counts.numbers_right), n=number(counts.with_numbers)))
    return [" ".join(said)]


def often_wrong(result: RunResult) -> str:
    """A warning where under half of the answers are right, by their numbers where they have some; else empty."""
    counts = _counts(result)
    if counts is None:
        return ""
    if counts.with_numbers and 2 * counts.numbers_right < counts.with_numbers:
        return _("Numbers and facts are often wrong. Check answers before use.")
    if not counts.with_numbers and 2 * counts.right < counts.n:
        return _("Most answers differ from the expected ones. Check answers before use.")
    return ""


def _counts(result: RunResult) -> CorrectCounts | None:
    """None for labels, and where the answers are no longer kept."""
    best = result.best
    if best is None or "exact_match" not in best.metrics or "accuracy" in best.metrics:
        return None
    try:
        return api_cache.studio().answers(best.id).correct()
    except StudioError:
        return None
