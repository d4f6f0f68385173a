"""Replaces personal data and secrets by placeholders: the same value gets the same one in a whole dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from backend.data.dataset import Row
from backend.data.gates.personal import personal_data
from backend.data.gates.secrets import secrets

_ID_KINDS = frozenset({"dni", "cif", "nuss", "ssn", "nino", "nhs", "sin", "pps", "tfn", "medicare"})


class Place(Protocol):
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def key(self) -> str: ...


Finder = Callable[[str], Sequence[Place]]


def placeholder(kind: str) -> str:
    """The word of a placeholder: EMAIL, PHONE, IBAN, CARD, IP, ID for numbers of a person or company, SECRET."""
    if kind in ("email", "phone", "iban", "card", "ip"):
        return kind.upper()
    return "ID" if kind in _ID_KINDS else "SECRET"


def masked(text: str) -> str:
    """For showing: every value is named, not numbered. Twice: what was an e-mail in a connection string is gone then."""
    for find in (secrets, personal_data):
        text = _replaced(text, find(text), lambda place: f"[{placeholder(place.kind)}]")
    return text


class Masker:
    """Masks rows by placeholders such as [EMAIL_1]. What they stand for is kept in memory only, until the end."""

    def __init__(self, find: Finder) -> None:
        self.find = find
        self.counts: Counter[str] = Counter()
        self._numbers: dict[tuple[str, str], str] = {}
        self._of_kind: Counter[str] = Counter()

    def text(self, text: str) -> str:
        places = self.find(text)
        self.counts.update(place.kind for place in places)
        return _replaced(text, places, self._placeholder) if places else text

    def row(self, row: Row, answer: bool = True) -> Row:
        """The row without personal data anywhere; `answer` False leaves its label as it is."""
        changed: dict[str, Any] = {
            "input": self.text(row.input),
            "context": [self._value(message) for message in row.context],
            "fields": self._value(row.fields),
            "tool_calls": self._value(row.tool_calls),
            "rationale": self._value(row.rationale),
        }
        if answer:
            changed |= {name: self._value(getattr(row, name)) for name in ("output", "gold", "rejected")}
            changed["scores"] = [score.model_copy(update={"answer": self.text(score.answer)}) for score in row.scores]
        return row.model_copy(update=changed)

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self._value(item) for key, item in value.items()}
        return [self._value(item) for item in value] if isinstance(value, list) else value

    def _placeholder(self, place: Place) -> str:
        word = placeholder(place.kind)
        known = self._numbers.get((word, place.key))
        if known is None:
            self._of_kind[word] += 1
            known = self._numbers[word, place.key] = f"[{word}_{self._of_kind[word]}]"
        return known


def _replaced(text: str, places: Sequence[Place], name: Callable[[Place], str]) -> str:
    parts, at = [], 0
    for place in places:
        parts += [text[at : place.start], name(place)]
        at = place.end
    return "".join([*parts, text[at:]])
