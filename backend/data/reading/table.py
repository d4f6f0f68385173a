"""The columns of a file as the schemas ask for them, and how a candidate is weighed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from backend.core.errors import Problem
from backend.data.reading import names
from backend.data.reading.column import ColumnProfile
from backend.data.reading.kinds import MAX_LABELS, ROWS_PER_LABEL
from backend.data.reading.model import Candidate, ColumnKind, Roles
from backend.data.sources.options import SourceFacts

ANSWER_KINDS: tuple[ColumnKind, ...] = ("text", "label", "boolean", "number")
_EXACT_ONLY: tuple[ColumnKind, ...] = ("id", "date", "constant")
_TEXT_ITSELF = ("text", "texto", "input", "entrada", "question", "pregunta", "prompt", "sentence", "utterance", "frase")
_UNUSED_NAMED, _UNUSED_USUAL, _UNUSED_TEXT, _UNUSED_LABEL, _UNUSED_CHAT = 0.15, 0.1, 0.05, 0.03, 0.3
_MOST_TAKEN_OFF = 0.4
_LABEL_PARTS = ("name", "id", "label", "text", "value", "number", "index", "score", "confidence")
_MEDLEY = {"text", "content", "choices", "messages", "role", "answerstart", "spans"}
_BY_PLACE = re.compile(r"column \d+( \d+)*")


@dataclass
class Table:
    """Profiles by column. `wanted`: the output that a person named, "" where nobody did."""

    columns: dict[str, ColumnProfile]
    facts: SourceFacts
    wanted: str = ""
    texts: list[str] = field(init=False)
    labels: list[str] = field(init=False)
    chats: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.texts = [name for name in self.columns if self.is_text(name)]
        self.labels = [name for name in self.columns if self.is_label(name) and not self.is_text(name)]
        self.chats = [name for name, found in self.columns.items() if found.kind == "messages"]

    def kind(self, name: str) -> ColumnKind:
        return self.columns[name].kind

    def is_text(self, name: str) -> bool:
        """Free text; also sentences that repeat, under the name of a question or an instruction."""
        return self.kind(name) == "text" or self._is_question(name) or self._is_coded(name)

    def _is_coded(self, name: str) -> bool:
        """Words and codes under the very name of a text, however often they occur."""
        found = self.columns[name]
        kinds = ("id", "row_number", "label") if found.mean_words < 2 else ("label", "constant", "id")
        letters = found.share("integer", "number", "boolean", "date") < 0.5
        return found.kind in kinds and letters and names.strength(name, _TEXT_ITSELF) == 1

    def _is_question(self, name: str) -> bool:
        found = self.columns[name]
        asked = names.QUESTION + names.PROMPT + names.CONTEXT + names.SYSTEM
        return found.kind in ("label", "constant") and found.mean_words >= 2 and names.strength(name, asked) == 1

    def is_label(self, name: str) -> bool:
        """One of a few words or numbers; numbers of many classes under the usual name of a label."""
        found = self.columns[name]
        if found.kind == "number" and names.strength(name, names.LABEL_FIRST) == 1:
            few = not found.capped and 2 <= found.distinct <= MAX_LABELS
            return few and found.share("integer") == 1 and found.filled >= ROWS_PER_LABEL * found.distinct
        return found.kind in ("label", "boolean") or (name in self.facts.label_names and found.kind == "number")

    def answer_object(self, name: str) -> str:
        """The object that is called like an answer and has `name` as one of several parts, "" where there is none: it is
        learned whole, as JSON. A label's own name, number and text are no such parts."""
        tops = (name[: dot.start()] for dot in re.finditer(r"\.", name))
        whole = next((top for top in tops if top in self.columns and self.kind(top) == "object"), name)
        keys = self.columns[whole].keys if whole in self.columns else {}
        parts = [key for key in keys if names.key(key) not in _LABEL_PARTS]
        called = names.strength(whole, names.ANSWER) == 1 and self.columns[whole].kind == "object"
        return whole if called and len(keys) > 1 and parts and not _MEDLEY & {names.key(key) for key in keys} else ""

    def unnamed(self, name: str) -> bool:
        """Whether the file has no name for the column, which is called by its place."""
        return _BY_PLACE.fullmatch(name) is not None

    def says_who(self, name: str) -> bool:
        """Whether the values say who speaks: user and assistant, customer and agent."""
        if names.strength(name, names.SPEAKER) < 0.85:
            return False
        values = {text.strip().casefold() for text in self.columns[name].texts}
        return 1 < len(values) <= 8 and len(values & names.SPEAKERS.keys()) >= 2

    def system(self) -> str:
        """The column with the system prompts, by its name."""
        kinds = ("text", "label", "constant")
        found = [
            name
            for name, one in self.columns.items()
            if one.kind in kinds or (one.kind == "object" and one.keys["parts"])
        ]
        return self.one(names.SYSTEM, found)

    def named(
        self, known: tuple[str, ...], least: float = 1.0, of: Sequence[str] | None = None
    ) -> list[tuple[float, str]]:
        """Columns with one of these names, the best first, earlier names first."""
        found = [
            (strength, name)
            for name in (self.columns if of is None else of)
            if (strength := names.strength(name, known)) >= least
        ]
        return sorted(found, key=lambda pair: (-pair[0], _place(pair[1], known)))

    def one(self, known: tuple[str, ...], of: Sequence[str] | None = None, least: float = 1.0) -> str:
        """The best column with one of these names, "" when there is none."""
        found = self.named(known, least, of)
        return found[0][1] if found else ""

    def answers(self, exact: bool = True) -> list[str]:
        """Columns whose values can be an answer; `exact`: also codes, dates and constants, which only a whole name makes so."""
        kinds = ANSWER_KINDS + (_EXACT_ONLY if exact else ())
        return [name for name, found in self.columns.items() if found.kind in kinds]

    def unused(self, roles: Roles) -> list[str]:
        """The columns that play no part."""
        used = set(used_columns(roles))
        return [name for name in self.columns if name not in used]

    def taken_off(self, roles: Roles, sure: bool = False) -> float:
        """What a candidate loses for columns that it leaves out. `sure`: its own columns have the usual names, so that a
        category beside them only sorts the rows."""
        total = 0.0
        for name in self.unused(roles):
            if names.aside(name) or self.answer_object(name) == roles.output != "":
                continue
            if name in self.chats:
                total += _UNUSED_CHAT
            elif name in self.texts:
                known = (
                    names.strength(name, names.INPUT + names.CHOICES + names.ANSWER + names.CONTEXT + names.SUMMARY)
                    == 1
                )
                total += _UNUSED_NAMED if known else _UNUSED_TEXT
            elif name in self.labels:
                first, usual = names.strength(name, names.LABEL_FIRST) == 1, names.strength(name, names.LABEL) == 1
                sorts = not usual or names.strength(name, names.MINOR) == 1
                sorts = sorts or (sure and names.strength(name, names.SORTING) == 1)
                total += _UNUSED_NAMED if first else _UNUSED_LABEL if sorts else _UNUSED_USUAL
            elif self.kind(name) in ("list", "object") and names.strength(name, names.CHOICES + names.CONTEXT) == 1:
                total += _UNUSED_NAMED
        return min(_MOST_TAKEN_OFF, total)

    def candidate(
        self, schema: str, task: str, roles: Roles, strengths: Sequence[float], template: str = "", less: float = 0.0
    ) -> Candidate:
        """A candidate whose confidence is the mean of `strengths` less what it leaves out."""
        mean = sum(strengths) / len(strengths)
        columns = ", ".join(shown(name) for name in used_columns(roles))
        code = "reading.by_name" if min(strengths) >= 0.85 else "reading.by_values"
        return Candidate(
            schema_name=schema,
            task=task,
            roles=roles,
            confidence=round(max(0.0, min(1.0, mean - self.taken_off(roles, mean == 1) - less)), 3),
            reason=Problem(code=code, args={"columns": columns}, blocking=False),
            template=template or template_of(roles.input),
            flags=flags_of(schema, roles),
        )


def used_columns(roles: Roles) -> list[str]:
    """All columns that play a part in the example, in the order of the prompt; carried ones do not."""
    one = (roles.messages, roles.system, roles.history, roles.tools, roles.speaker)
    after = (roles.output, *roles.outputs, roles.rejected, roles.label_names, roles.desired)
    found = [*roles.input, *one, *after, roles.group, roles.split]
    return list(dict.fromkeys(name for name in found if name))


def template_of(columns: list[str]) -> str:
    """One column is the input as it is; several follow each other with an empty line between them."""
    return "{input}" if len(columns) < 2 else "\n\n".join(f"{{{name}}}" for name in columns)


def flags_of(schema: str, roles: Roles) -> str:
    """The command line's words for a candidate."""
    parts = [f"--schema {schema}"]
    parts += [f"--input {quoted(name)}" for name in roles.input]
    for flag, name in (("messages", roles.messages), ("output", roles.output)):
        parts += [f"--{flag} {quoted(name)}"] if name else []
    return " ".join(parts)


def quoted(name: str) -> str:
    return name if name.replace("_", "").replace(".", "").replace("-", "").isalnum() else f'"{name}"'


def shown(name: str) -> str:
    """A name as a sentence shows it: one without visible characters in quotation marks."""
    return name.strip() or f"“{name}”"


def _place(name: str, known: tuple[str, ...]) -> int:
    for word in (names.key(name), names.key(names.last_part(name)), *names.words(name)):
        if word in known:
            return known.index(word)
    return len(known)
