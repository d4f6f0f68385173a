"""Several columns as one input, by a template with `{column}` placeholders, or by Jinja where braces are doubled.

A line whose columns are all empty is left out, and so is a block (blank lines divide blocks) without any filled column. Braces
are doubled to stand for themselves. Jinja runs in a sandbox, without missing names, and writes at most `MAX_CHARS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

from jinja2 import StrictUndefined
from jinja2.exceptions import SecurityError, TemplateError, UndefinedError
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from backend.core.errors import StudioError
from backend.data.mapping.values import Unusable, as_text, text_or_texts, value_of

MAX_CHARS = 1_000_000
INPUT = "input"
"""`{input}` stands for the input columns together where no column has that name."""
_PLACE = re.compile(r"\{\{|\}\}|\{([^{}\n]{1,200})\}")
_NAME = re.compile(r"\w[\w .-]*")
_JINJA = re.compile(r"\{%|\{\{")


class _Sandbox(ImmutableSandboxedEnvironment):
    """Without the operators that make huge values from small ones."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise SecurityError(f"{operator} is not allowed")
        return left * right


Values = dict[str, Any]
Compose = Callable[[Values], str]
"""Values of a record -> the text. Raises Unusable."""
_Part = str | tuple[str]


def composer(
    template: str, inputs: list[str], columns: list[str], answer: str, file: str, lists: Collection[str] = ()
) -> Compose:
    """What makes the input of a row. `inputs`: the columns behind `{input}`; `answer`: the column that no prompt may hold;
    `lists`: the columns whose values are lists of texts, which become one text.
    Raises StudioError for a placeholder that is no column and for broken Jinja."""
    if template == "{input}":
        return _joined(inputs, lists)
    if is_jinja(template, columns):
        return _jinja(template, inputs, columns, answer, file)
    names = placeholders(template, columns)
    _known(names, columns, answer, file)
    blocks = [[_parts(line, columns) for line in block.split("\n")] for block in template.split("\n\n")]
    together = _joined(inputs, lists)
    of = _reader(lists)

    def fill(values: Values) -> str:
        texts = {name: _input_text(values, name, columns, together, of) for name in names}
        return "\n\n".join(text for block in blocks if (text := _block(block, texts)) is not None)

    return fill


def placeholders(template: str, columns: Iterable[str]) -> list[str]:
    """The names in single braces that are columns or look like a column's name, each once."""
    known = {*columns, INPUT}
    found = (match[1] for match in _PLACE.finditer(template) if match[1])
    return list(dict.fromkeys(name for name in found if name in known or _NAME.fullmatch(name)))


def placeholders_or_jinja(template: str) -> bool:
    """False for a prompt that would be the same for every row."""
    return bool(placeholders(template, ()) or is_jinja(template, ()))


def is_jinja(template: str, columns: Iterable[str]) -> bool:
    """True where a template has `{%`, or doubled braces and no placeholder in single ones."""
    if "{%" in template:
        return True
    return bool(_JINJA.search(template)) and not placeholders(template, columns)


def names_columns(template: str, columns: list[str]) -> bool:
    """True where a prompt names columns, so that it makes the input; false for words around `{input}`."""
    if is_jinja(template, columns):
        return True
    return any(name != INPUT for name in placeholders(template, columns))


def join_template(inputs: list[str]) -> str:
    """How columns are joined where nobody said: one block each."""
    return "\n\n".join(f"{{{name}}}" for name in inputs)


def _reader(lists: Collection[str]) -> Callable[[Any, str], str]:
    """Value and column -> its text."""
    return lambda value, name: text_or_texts(value, name) if name in lists else as_text(value, name)


def _joined(inputs: list[str], lists: Collection[str] = ()) -> Compose:
    if len(inputs) == 1:
        name = inputs[0]
        one = text_or_texts if name in lists else as_text
        return lambda values: one(values[name] if name in values else value_of(values, name), name)
    of = _reader(lists)

    def join(values: Values) -> str:
        texts = [of(value_of(values, name), name) for name in inputs]
        return "\n\n".join(text for text in texts if text.strip())

    return join


def _known(names: Iterable[str], columns: list[str], answer: str, file: str) -> None:
    unknown = [name for name in names if name not in columns and name != INPUT]
    if unknown:
        args = {"file": file, "names": ", ".join(unknown), "columns": ", ".join(columns[:30])}
        raise StudioError("data.template_unknown", field="user", **args)
    if answer and answer in names:
        raise StudioError("data.template_answer", field="user", name=answer)


def _parts(line: str, columns: list[str]) -> list[_Part]:
    """Words as they are, placeholders as tuples of one name."""
    parts: list[_Part] = []
    at = 0
    for match in _PLACE.finditer(line):
        name = match[1]
        if name and name not in columns and name != INPUT:
            continue
        parts.append(line[at : match.start()])
        parts.append((name,) if name else match[0][0])
        at = match.end()
    parts.append(line[at:])
    return [part for part in parts if part]


def _block(lines: list[list[_Part]], texts: dict[str, str]) -> str | None:
    kept = []
    asked = filled = False
    for parts in lines:
        names = [part[0] for part in parts if isinstance(part, tuple)]
        some = any(texts[name].strip() for name in names)
        asked, filled = asked or bool(names), filled or some
        if some or not names:
            kept.append("".join(texts[part[0]] if isinstance(part, tuple) else part for part in parts))
    return None if asked and not filled else "\n".join(kept)


def _input_text(values: Values, name: str, columns: list[str], together: Compose, of: Callable[[Any, str], str]) -> str:
    if name == INPUT and INPUT not in columns:
        return together(values)
    return of(value_of(values, name), name)


def _jinja(template: str, inputs: list[str], columns: list[str], answer: str, file: str) -> Compose:
    environment = _Sandbox(undefined=StrictUndefined, keep_trailing_newline=True)
    try:
        names = find_undeclared_variables(environment.parse(template)) - {"row"}
        compiled = environment.from_string(template)
    except TemplateError as error:
        raise StudioError("data.template_syntax", field="user", reason=str(error)) from None
    top = {name.split(".")[0] for name in columns}
    _known(sorted(name for name in names if name not in top), columns, answer, file)
    if answer and answer in names:
        raise StudioError("data.template_answer", field="user", name=answer)
    together = _joined(inputs)

    def fill(values: Values) -> str:
        row = {name: value for name, value in values.items() if name != answer}
        given = {INPUT: together(values)} | {name: _plain(value) for name, value in row.items()}
        try:
            return _limited(compiled.generate(given | {"row": given}))
        except (
            TemplateError,
            UndefinedError,
            SecurityError,
            TypeError,
            ValueError,
            ArithmeticError,
            LookupError,
        ) as error:
            raise Unusable("data.template_failed", str(error)[:100]) from None

    return fill


def _plain(value: Any) -> Any:
    return "" if value is None else value


def _limited(pieces: Iterable[str]) -> str:
    found, length = [], 0
    for piece in pieces:
        length += len(piece)
        if length > MAX_CHARS:
            raise ValueError(f"> {MAX_CHARS:,}")
        found.append(piece)
    return "".join(found)
