"""How many answers in free text are right, in plain words: a score of words in common hides wrong facts."""

from __future__ import annotations

from backend.results.run_result import RunResult
from studio.ui.shared.formatting import number
from studio.ui.shared.i18n import _


def correct_words(result: RunResult) -> list[str]:
    """The answers that are exactly right, and those with all numbers right; nothing where answers are labels."""
    best = result.best
    if best is None or "exact_match" not in best.metrics or "accuracy" in best.metrics:
        return []
    found = best.metrics
    said = [_told(_("Exactly right: {right} of {n} answers."), found["exact_match"], best.n)]
    if "numbers_right" in found:
        words = _("All numbers right: {right} of {n} answers with numbers.")
        said.append(_told(words, found["numbers_right"], round(found["number_rows"])))
    return [" ".join(said)]


def _told(words: str, share: float, n: int) -> str:
    return words.format(right=number(round(share * n)), n=number(n))
