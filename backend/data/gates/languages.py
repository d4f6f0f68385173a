"""Rows in another language than the rest. Short texts don't show theirs and are left aside."""

from __future__ import annotations

from array import array
from collections import Counter

from backend.data.dataset import Row
from backend.data.gates.base import Found, Gate, Hits, Options
from backend.data.language import LANGUAGES, language_of

_LEAST_LETTERS = 30
_SURE = 0.99
_OWN_SHARE = 0.1
"""A language with this share of the sure rows is one of the dataset's own."""
_LEAST_SURE_ROWS = 20
_CHARS = 600
_UNKNOWN = 255


class OtherLanguage:
    def __init__(self, gate: Gate, options: Options) -> None:
        self.gate, self.options = gate, options
        self._found = array("B")

    def see(self, split: str, row: Row, text: str) -> None:
        shown = row.input if self.options.template.answer == "label" else f"{row.input}\n{row.output or ''}"
        letters = sum(map(str.isalpha, shown[:_CHARS]))
        language = language_of(shown[:_CHARS], _SURE) if letters >= _LEAST_LETTERS else None
        self._found.append(_UNKNOWN if language is None else LANGUAGES.index(language))

    def found(self) -> Found | None:
        counts = Counter(code for code in self._found if code != _UNKNOWN)
        sure = sum(counts.values())
        if sure < _LEAST_SURE_ROWS:
            return None
        own = {code for code, count in counts.items() if count >= _OWN_SHARE * sure}
        hits, others = Hits(), Counter[str]()
        for number, code in enumerate(self._found):
            if code != _UNKNOWN and code not in own:
                split, row = self.options.look(number)
                others[LANGUAGES[code]] += 1
                hits.add(split, row.id, row.input, detail=LANGUAGES[code])
        shown = ", ".join(f"{language} ({count})" for language, count in others.most_common())
        own_names = ", ".join(sorted(LANGUAGES[code] for code in own))
        return self.gate.finding("gates.language", hits, len(self._found), {"languages": shown, "own": own_names})
