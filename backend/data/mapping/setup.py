"""What the conversion of a file needs to know: the schema and the roles of its reading, and what the person chose."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from backend.data.dataset import Message
from backend.data.examples import Example
from backend.data.mapping.compose import Compose
from backend.data.mapping.labels import label_text, named
from backend.data.mapping.messages import pairs_of, told
from backend.data.mapping.values import Unusable, as_text, readable, value_of
from backend.data.reading.model import Roles
from backend.data.row_errors import Record, RowErrors

Values = dict[str, Any]
Make = Callable[[Record], Iterable[Example]]
"""The examples of one record. Raises Unusable."""
_CONTEXT_NAMES = ("context", "passage", "paragraph", "contexto", "pasaje", "párrafo", "article", "artículo", "document")


@dataclass(frozen=True)
class Setup:
    """`names`: column -> names of its numbers; `notes` counts what was taken or left out without being an error; `last_only`:
    of a conversation only its last answer is learned; `format`: of the file; `template`: the
    reading's own; `first_choice`: the number of the first choice of a question."""

    schema: str
    roles: Roles
    compose: Compose
    names: dict[str, list[str]]
    notes: RowErrors
    last_only: bool = False
    format: str = ""
    template: str = "{input}"
    first_choice: int = 0

    def answer(self) -> Callable[[Values], str | None]:
        """What gives the answer of a row in the output column."""
        column = self.roles.output
        if not column:
            return lambda values: None
        if self.roles.label_names or self.names.get(column):
            return named(column, self.names.get(column), self.roles.label_names)
        return lambda values: free_answer(values[column] if column in values else value_of(values, column), column)

    def asked(self, values: Values) -> str:
        """The input of a row. Raises Unusable where it is empty."""
        text = self.compose(values)
        if not text or text.isspace():
            raise Unusable("data.input_empty")
        return readable(text)

    def context(self, values: Values) -> list[Message]:
        """System prompt and earlier turns of a row that have columns of their own."""
        found: list[Message] = []
        if self.roles.system:
            text = told(value_of(values, self.roles.system), self.roles.system)
            if text.strip():
                found.append({"role": "system", "content": readable(text)})
        if self.roles.history:
            turns = pairs_of(value_of(values, self.roles.history))
            for number, turn in enumerate(turns):
                if turn.role != ("user", "assistant")[number % 2] or turn.empty:
                    reason = "empty message" if turn.empty else "message out of turn"
                    raise Unusable("data.chat_roles", f"{reason} ({number + 1})")
                found.append({"role": turn.role, "content": readable(turn.content)})
            if len(turns) % 2:
                raise Unusable("data.chat_roles", f"user message without an answer ({len(turns)})")
        return found

    def label(self, value: Any) -> str | None:
        """One label of the output column by name."""
        return label_text(value, self.roles.output, self.names.get(self.roles.output))

    def context_column(self) -> str:
        """The input column whose text several rows may share: by its name, else the first."""
        for name in self.roles.input:
            if name.casefold().rpartition(".")[2] in _CONTEXT_NAMES:
                return name
        return self.roles.input[0] if self.roles.input else ""


def free_answer(value: Any, column: str) -> str | None:
    """An answer as it is; an object becomes JSON, a list of one text that text. None where it is empty. Raises Unusable."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else as_text(value, column)
    return readable(text) if text and not text.isspace() else None
