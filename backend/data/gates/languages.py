"""Rows in another language than the rest. Short texts don't show theirs and are left aside."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field

from backend.data.dataset import Row
from backend.data.gates.base import ByRow, Found, Gate, Hits, Options
from backend.data.language import LANGUAGES, language_of
from backend.data.near_duplicates import words

_LEAST_LETTERS = 30
_SURE = 0.99
_OWN_SHARE = 0.1
"""A language with this share of the sure rows is one of the dataset's own."""
_LEAST_SURE_ROWS = 20
_CHARS = 600
_UNKNOWN = 255
_LEARNED_ROWS = 2_000
_COMMON_WORDS = 150
_KNOWN_SHARE = 0.3


class OtherLanguage(ByRow):
    """The first rows are all identified (200 microseconds each). What follows is not when enough of its words are among the
    common ones of a language that was seen: a row in another language shares few of these."""

    def __init__(self, gate: Gate, options: Options) -> None:
        self.gate, self.options = gate, options
        self._found = array("B")
        self._learned = _CommonWords()

    def see(self, split: str, row: Row) -> None:
        shown = row.input if self.options.template.answer == "label" else f"{row.input}\n{row.output or ''}"
        letters = sum(map(str.isalpha, shown[:_CHARS]))
        self._found.append(self._language(shown[:_CHARS]) if letters >= _LEAST_LETTERS else _UNKNOWN)

    def _language(self, text: str) -> int:
        said = words(text)
        known = self._learned.language(said)
        if known is not None:
            return LANGUAGES.index(known)
        language = language_of(text, _SURE)
        if language is None:
            return _UNKNOWN
        self._learned.add(language, said)
        return LANGUAGES.index(language)

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


@dataclass
class _CommonWords:
    """The common words of the languages in the first rows."""

    rows: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    common: dict[str, str] = field(default_factory=dict)

    def add(self, language: str, said: list[str]) -> None:
        if self.rows < _LEARNED_ROWS:
            self.counts.setdefault(language, Counter()).update(set(said))
            self.rows += 1
            if self.rows == _LEARNED_ROWS:
                self._learn()

    def _learn(self) -> None:
        """Words that two of the languages have in common say nothing."""
        lists = {
            language: {word for word, _ in seen.most_common(_COMMON_WORDS)} for language, seen in self.counts.items()
        }
        totals = Counter(word for found in lists.values() for word in found)
        self.common = {word: language for language, found in lists.items() for word in found if totals[word] == 1}

    def language(self, said: list[str]) -> str | None:
        """None where it does not show."""
        hits = Counter(self.common[word] for word in said if word in self.common)
        if not hits:
            return None
        language, count = hits.most_common(1)[0]
        return language if count >= _KNOWN_SHARE * len(said) else None
