"""Which columns hold the input and the answer: by their names (English and Spanish), else by what is in them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from backend.core.errors import Problem, StudioError
from backend.data.reader import Source
from backend.data.row_errors import Record, RowErrors

# Earlier names win.
INPUT_NAMES = (
    "input text question prompt instruction utterance query sentence message request command mensaje pregunta texto frase "
    "consulta entrada comando instruccion instrucción peticion petición review comment description title subject content body "
    "premise source comentario descripcion descripción titulo título asunto"
)
OUTPUT_NAMES = (
    "output label intent answer response category class target completion reply sentiment topic tag summary gold labels "
    "respuesta etiqueta categoria categoría intencion intención clase salida sentimiento tema resumen destino translation code"
)
CHAT_NAMES = ("messages", "conversations", "conversation")
_SAMPLE_ROWS = 200


@dataclass(frozen=True)
class ColumnMapping:
    """Columns by role; `messages` replaces input and output, `output` is "" when the file has no answers."""

    input: str = ""
    output: str = ""
    details: str = ""
    group: str = ""
    messages: str = ""


@dataclass
class _ColumnProfile:
    """What the first rows say of a column."""

    values: list[str] = field(default_factory=list)

    @property
    def label_like(self) -> bool:
        distinct = set(self.values)
        short = max(map(len, self.values), default=99) <= 60
        return bool(self.values) and short and 2 <= len(distinct) <= max(2, len(self.values) // 3)

    @property
    def length(self) -> float:
        return sum(map(len, self.values)) / max(1, len(self.values))

    @property
    def identifier(self) -> bool:
        return bool(self.values) and all(value.isdigit() for value in self.values) and not self.label_like


def map_columns(source: Source, wanted: ColumnMapping) -> ColumnMapping:
    """Fill what `wanted` leaves open. Raises StudioError for a column that is not there, all at once, or when the answer's
    column can't be told."""
    missing = [
        Problem(
            code="data.column_missing",
            field=role,
            args={"file": source.path.name, "name": name, "columns": _names(source)},
        )
        for role in ("input", "output", "details", "group", "messages")
        if (name := getattr(wanted, role)) and name not in source.columns
    ]
    if missing:
        raise StudioError.of(missing)
    if wanted.messages:
        return wanted
    records = list(islice(source.records(RowErrors(source.path.name)), _SAMPLE_ROWS))
    if not wanted.output and (chat := _chat_column(source, wanted.input, records)):
        return ColumnMapping(messages=chat, group=wanted.group)
    return _fill(source, wanted, _profiles(source.columns, records))


def _fill(source: Source, wanted: ColumnMapping, profiles: dict[str, _ColumnProfile]) -> ColumnMapping:
    taken = {wanted.input, wanted.output, wanted.details, wanted.group} - {""}
    free = [name for name in source.columns if name not in taken]
    input_, output, details = wanted.input, wanted.output, wanted.details
    if not input_ and not details and {"instruction", "input"} <= {name.casefold() for name in free}:
        by_name = {name.casefold(): name for name in free}
        input_, details = by_name["instruction"], by_name["input"]
        free = [name for name in free if name not in (input_, details)]
    if not input_ and not output and {"q", "a"} <= {name.casefold() for name in free}:
        input_, output = (next(name for name in free if name.casefold() == letter) for letter in "qa")
    if not output:
        pool = [name for name in free if input_ or name != _by_name(free, INPUT_NAMES)]
        output = _by_name(pool, OUTPUT_NAMES) or next((name for name in pool if profiles[name].label_like), "")
        free = [name for name in free if name != output]
    if not input_:
        input_ = _by_name(free, INPUT_NAMES) or _longest_text_column(free, profiles)
        free = [name for name in free if name != input_]
    if not output and free:
        output = _longest_text_column(free, profiles)
        if not output:
            raise StudioError("data.output_unknown", field="output", file=source.path.name, columns=_names(source))
    if not input_:
        raise StudioError("data.input_unknown", field="input", file=source.path.name, columns=_names(source))
    return ColumnMapping(input=input_, output=output, details=details, group=wanted.group)


def _chat_column(source: Source, wanted: str, records: list[Record]) -> str:
    """The column that holds lists of messages: the wanted one, else one with a usual name; "" when there is none."""
    names = [wanted] if wanted else [name for name in source.columns if name.casefold() in CHAT_NAMES]
    for name in names:
        first = next((record.values[name] for record in records if record.values.get(name)), None)
        if isinstance(first, list) or (isinstance(first, str) and first.lstrip().startswith("[{")):
            return name
    return ""


def _by_name(columns: list[str], known: str) -> str:
    """The column that is called like one of the `known` words, earlier ones first; else the one that has it in its name."""
    names = known.split()
    words = {column: re.split(r"[\W_]+", column.casefold()) for column in columns}
    for name in names:
        for column in columns:
            if column.casefold() == name:
                return column
    for name in names:
        for column in columns:
            if name in words[column]:
                return column
    return ""


def _longest_text_column(columns: list[str], profiles: dict[str, _ColumnProfile]) -> str:
    texts = [name for name in columns if profiles[name].values and not profiles[name].identifier]
    return max(texts, key=lambda name: profiles[name].length, default="")


def _profiles(columns: list[str], records: list[Record]) -> dict[str, _ColumnProfile]:
    def text(value: Any) -> str:
        return value.strip() if isinstance(value, str) else "" if value is None else str(value)

    return {name: _ColumnProfile([found for r in records if (found := text(r.values.get(name)))]) for name in columns}


def _names(source: Source) -> str:
    return ", ".join(source.columns[:30])
