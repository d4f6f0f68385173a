"""Failures that are meant for people.

A `StudioError` is a code with arguments; its words live in `backend.core.messages`, so that page and command line can
show them in the user's language. Everything else that is raised is a bug and keeps its traceback in the log.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from backend.core.messages import MESSAGES, NOTES
from backend.core.messages.plurals import Plural
from backend.core.messages.words import ARGUMENTS, WORDS
from backend.core.units import number_text, quantity_text

Translate = Callable[[str], str]
"""From English to the user's language. A `Language` also knows its plurals and how it writes numbers."""
PLAIN = frozenset({"port", "status", "code", "pid", "seed"})
"""Numbers that are names: their digits are not grouped."""


@runtime_checkable
class Language(Protocol):
    """A language to translate into."""

    @property
    def locale(self) -> str:
        """Its code, such as `es`."""
        ...

    def __call__(self, text: str) -> str: ...

    def ngettext(self, one: str, several: str, count: int) -> str:
        """The form for that number."""
        ...


_LISTED = re.compile(r"( / |, | → | \()")


def untranslated(text: str) -> str:
    """The translation into English."""
    return text


def _argument(name: str, value: Any, translate: Translate) -> str:
    """As it is shown: numbers, our own words (also within a list) and other problems in the user's language; everything else as
    it came."""
    if isinstance(value, list) and value and all(isinstance(each, dict) and "code" in each for each in value):
        return " ".join(Problem.model_validate(each).fact(translate) for each in value)
    locale = translate.locale if isinstance(translate, Language) else "en"
    if isinstance(value, int | float) and not isinstance(value, bool) and name not in PLAIN:
        return number_text(value, locale)
    text = quantity_text(str(value), locale)
    if name not in ARGUMENTS:
        return text
    parts = [text] if text in WORDS else _LISTED.split(text)
    return "".join(translate(part) if part in WORDS else part for part in parts)


class Problem(BaseModel):
    """One thing that is wrong: a message code, its arguments, and where (`field` of a form, `stage` of a recipe)."""

    model_config = ConfigDict(frozen=True)

    code: str
    args: dict[str, Any] = {}
    field: str | None = None
    stage: str | None = None
    blocking: bool = True

    @property
    def is_note(self) -> bool:
        """Whether it only says what was taken; what is not blocking and no note is a warning."""
        return not self.blocking and self.code in NOTES

    def text(self, translate: Translate = untranslated) -> str:
        """Where it is, what is wrong and what to do, in one line."""
        where = ".".join(part for part in (self.stage, self.field) if part)
        return f"{where}: {self.sentence(translate)}" if where else self.sentence(translate)

    def sentence(self, translate: Translate = untranslated) -> str:
        """What is wrong and what to do, to be shown beside the field. `translate` maps English to the user's language.
        A code of another version, which may be stored with a job, is said as it is."""
        if self.code not in MESSAGES:
            return Problem(code="core.unexpected", args={"reason": self.code}).sentence(translate)
        return self._said(MESSAGES[self.code], translate)

    def fact(self, translate: Translate = untranslated) -> str:
        """What is so, without what could be done: for a place where that can be seen."""
        return self._said(MESSAGES[self.code][:1], translate) if self.code in MESSAGES else self.sentence(translate)

    def _said(self, parts: Sequence[str], translate: Translate) -> str:
        words = {"reason": "–"}  # what older versions stored with a job may have none
        words |= {name: _argument(name, value, translate) for name, value in self.args.items()}
        return " ".join(self._form(part, translate) for part in parts if part).format_map(words)

    def _form(self, part: str, translate: Translate) -> str:
        """A part of the sentence, translated; where it counts, in the form for the number of its argument."""
        if not isinstance(part, Plural):
            return translate(part)
        count = self.args.get(part.by)
        number = count if isinstance(count, int) else 2
        if isinstance(translate, Language):
            return translate.ngettext(part.one, str(part), number)
        return translate(part.one if number == 1 else str(part))


class StudioError(Exception):
    """A failure for people: `StudioError("data.empty", file="rows.csv")`. Raises KeyError for an unknown code."""

    def __init__(self, code: str, *, field: str | None = None, **args: Any) -> None:
        if code not in MESSAGES:
            raise KeyError(f"unknown message code {code!r}")
        self.problems = [Problem(code=code, args=args, field=field)]
        super().__init__(self.text())

    @classmethod
    def of(cls, problems: list[Problem]) -> StudioError:
        """One error that carries several problems at once."""
        error = cls.__new__(cls)
        error.problems = list(problems)
        Exception.__init__(error, error.text())
        return error

    @property
    def code(self) -> str:
        return self.problems[0].code

    def text(self, translate: Translate = untranslated) -> str:
        return "\n".join(problem.text(translate) for problem in self.problems)


class RankDone(Exception):
    """The training in which this process was a rank beside the first has ended: what follows is the first one's."""


class Cancelled(Exception):
    """Raised by `ctx.raise_if_cancelled()` inside a stage when somebody asked it to stop."""
