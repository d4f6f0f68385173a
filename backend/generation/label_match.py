"""Which label an answer means, whatever it is wrapped in: bold, quotes, JSON, "Label: x", other case or accents, an explanation
after it. Synonyms and labels within sentences are not guessed, and an answer with two labels means neither.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

_WORDS = (
    "label|answer|final answer|category|class|classification|intent|intention|sentiment|prediction|output|result|tag|topic"
    "|etiqueta|respuesta|respuesta final|categoria|clase|clasificacion|intencion|sentimiento|prediccion|resultado|tema"
)
_PREFIX = re.compile(rf"^(?:the |la |el )?(?:{_WORDS})\s*(?:is|es|sera)?\s*[:=]\s*")
_KEYS = frozenset(_WORDS.split("|"))
_FENCE = re.compile(r"^```[\w-]*\s*\n?(.*?)\n?```$", re.DOTALL)
_BEFORE, _AFTER = " *`\"'“”‘’«»„¡¿([{", " *`\"'“”‘’«».,;:!?…)]}"
"""What may stand around a label; not signs that make another one of it, as in -1, <3, C# and .NET."""
_BULLET = re.compile(r"^(?:[-–—•>]|#+)\s+")
_MAX_CHARS = 20_000
"""Of a longer answer no label is looked for."""


class Match(NamedTuple):
    """`label` None: no label, or `several` of them."""

    label: str | None
    several: bool = False


def match_label(answer: str, labels: Collection[str]) -> Match:
    """The one label that the answer gives. `labels`: all there are."""
    return _matcher(frozenset(labels)).match(answer)


def begins_another(label: str, labels: Collection[str]) -> bool:
    """Whether a cut answer that reads like `label` may be the beginning of another one."""
    return any(other != label and other.startswith(label) for other in labels)


@lru_cache(maxsize=64)
def _matcher(labels: frozenset[str]) -> _Matcher:
    return _Matcher(labels)


class _Matcher:
    def __init__(self, labels: frozenset[str]) -> None:
        self.labels = labels
        self._forms: dict[str, str | None] = {}
        for label in labels:
            form = _form(label)
            self._forms[form] = None if form in self._forms else label  # two that read alike: only the exact one counts
        longest_first = sorted((form for form in self._forms if form), key=len, reverse=True)
        self._any = (
            re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)") if longest_first else None
        )

    def match(self, answer: str) -> Match:
        answer = answer.strip()
        if answer in self.labels:
            return Match(answer)
        if len(answer) > _MAX_CHARS:
            return Match(None)
        named = dict.fromkeys(label for text in _readings(answer) if (label := self._whole(text)) is not None)
        if len(named) == 1:
            return Match(next(iter(named)))
        first, _, rest = answer.partition("\n")
        label = self._whole(first)
        if label is not None and rest and not named and self._mentioned(rest) <= {label}:
            return Match(label)
        return Match(None, len(named) > 1 or len(self._mentioned(answer)) > 1)

    def _whole(self, text: str) -> str | None:
        """The label that the whole of `text` is, without what is wrapped around it."""
        text = text.strip()
        if text in self.labels:
            return text
        form = _form(text)
        return self._forms.get(form) or self._forms.get(_form(_PREFIX.sub("", form)))

    def _mentioned(self, text: str) -> set[str]:
        """The labels that occur in it as whole words, a longer one before those within it."""
        found = self._any.findall(_folded(text)) if self._any else []
        return {label for form in found if (label := self._forms.get(form))}


def _readings(answer: str) -> Iterator[str]:
    """What may be the answer within an answer: the whole, what JSON holds, lines that name themselves an answer."""
    fenced = _FENCE.match(answer)
    inner = fenced[1].strip() if fenced else answer
    yield inner
    yield from _json_values(inner)
    for line in inner.splitlines() if "\n" in inner else ():
        plain = _form(line)
        if _PREFIX.match(plain):
            yield line


def _json_values(text: str) -> Iterator[str]:
    if not text.startswith(("{", "[", '"')):
        return
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(content, dict):
        told = [value for key, value in content.items() if _form(str(key)) in _KEYS]
        content = told or (list(content.values()) if len(content) == 1 else [])
    for value in content if isinstance(content, list) else [content]:
        if isinstance(value, list):
            yield from (one for one in value if isinstance(one, str))
        elif isinstance(value, str):
            yield value


def _form(text: str) -> str:
    """What two ways to write a label have in common: case, accents, spaces and what stands around it apart."""
    folded = _folded(text)
    return _BULLET.sub("", folded).lstrip(_BEFORE).rstrip(_AFTER) or folded


def _folded(text: str) -> str:
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join(plain.replace("**", " ").replace("_", " ").casefold().split())
