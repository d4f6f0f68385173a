"""Makes the examples of a file: the schema's own part, and what is the same for all (group, split, time, carried columns)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from backend.core.errors import Problem, StudioError
from backend.data.examples import Example
from backend.data.mapping import chat
from backend.data.mapping.compose import composer, join_template, names_columns
from backend.data.mapping.placement import split_of, time_of
from backend.data.mapping.plain import first_of_answers, plain
from backend.data.mapping.schemas import SCHEMAS
from backend.data.mapping.setup import Setup
from backend.data.mapping.values import Unusable, carried_text, is_total, value_of
from backend.data.plain_rows import PlainColumns
from backend.data.reading.model import Candidate, Reading, Roles
from backend.data.row_errors import Record, RowErrors

if TYPE_CHECKING:
    from backend.data.params import DatasetParams

_NOT_ONE_TEXT = ("multiple_choice", "turns", "preference", "kto", "openai_evals")
"""Schemas whose input columns do not become one text."""


class Mapper:
    """For one file. `columns`: those of the file; `template`: how its columns become the input, "" where one column does;
    `notes`: what was taken or left out without being an error. Raises StudioError when a column is not there or the user prompt
    names one that isn't."""

    def __init__(self, reading: Reading, params: DatasetParams, columns: list[str]) -> None:
        assert reading.taken is not None
        self.schema = reading.taken.schema_name
        self.roles = all_roles(reading.taken, params)
        self.notes = RowErrors(reading.file)
        self.last: Record | None = None
        _check_columns(self.roles, columns, reading.file)
        answer = self.roles.output if self.roles.output not in self.roles.input else ""
        template = _template(reading.taken, params, self.roles, columns)
        lists = {one.name for one in reading.columns if one.kind in ("list", "object")}
        compose = composer(template, self.roles.input, [*columns, *self.roles.input], answer, reading.file, lists)
        joined = len(self.roles.input) > 1 and self.schema not in _NOT_ONE_TEXT
        self.template = (join_template(self.roles.input) if joined else "") if template == "{input}" else template
        self.setup = Setup(
            self.schema,
            self.roles,
            compose,
            reading.source.label_names,
            self.notes,
            params.turns == "last",
            reading.source.format,
            reading.taken.template,
            reading.taken.first_choice,
        )
        self._make = SCHEMAS[self.schema](self.setup)
        self._answer = self.roles.output or "".join(self.roles.input[:1])
        self._carried = list(dict.fromkeys([*self.roles.carried, *params.keep_columns]))
        self._split = self.roles.split if params.split_by in ("auto", "column") else ""
        self._time = (params.split_column or self.roles.time) if params.split_by == "time" else ""
        self._month_first = reading.taken.month_first
        if params.split_by == "time" and self._time not in columns:
            raise StudioError("data.time_column", field="split_column")

    def plain_columns(self) -> PlainColumns | None:
        """Where the rows stand if they may be plain ones, None for any other schema."""
        roles, setup = self.roles, self.setup
        known = SCHEMAS[self.schema] in (plain, first_of_answers)  # these differ for lists alone
        if not known or len(roles.input) != 1 or not roles.output or self.template:
            return None
        named = roles.label_names or setup.names.get(roles.output) or roles.system or roles.history
        if named or roles.group or self._split or self._time:
            return None
        columns = PlainColumns(roles.input[0], roles.output, self._carried)
        return None if any("." in name for name in (columns.text, columns.answer, *columns.carried)) else columns

    def examples(
        self,
        records: Iterable[Record],
        row_errors: RowErrors,
        origin: str = "",
        each: Callable[[int], None] = lambda rows: None,
    ) -> Iterator[Example]:
        """Rows that can't be used go to `row_errors`; `each` is called with the number of rows read."""
        make = self._whole if self._has_more() else self._make
        if self.schema == "turns":
            records = chat.gathered(records, self.setup)
        for number, record in enumerate(records, 1):
            each(number)
            try:
                if record.values.get(self._answer) == self._answer and self._is_header(record.values):
                    raise Unusable("data.header_again")
                found = make(record)
            except Unusable as error:
                row_errors.add(error.code, record.place, error.found, **error.about)
                continue
            self.last = record
            for example in found:
                if example.output == example.input and example.input:
                    self.notes.add("data.echo", record.place)
                example.origin = origin
                yield example

    def finish(self) -> None:
        """Looks at the last row of a file, after all of them."""
        if self.last and is_total(self.last.values):
            self.notes.add("data.total_row", self.last.place)

    def _is_header(self, values: dict[str, Any]) -> bool:
        """Whether a row repeats the names of the columns, as in files that were put together."""
        filled = {name: value for name, value in values.items() if value not in (None, "")}
        return len(filled) > 1 and all(isinstance(text, str) and text.strip() == name for name, text in filled.items())

    def _has_more(self) -> bool:
        return bool(self.roles.group or self._split or self._time or self._carried)

    def _whole(self, record: Record) -> Iterable[Example]:
        found = self._make(record)
        values = record.values
        group = value_of(values, self.roles.group) if self.roles.group and self.schema != "turns" else None
        split = split_of(value_of(values, self._split), self._split) if self._split else ""
        time = time_of(value_of(values, self._time), self._time, self._month_first) if self._time else None
        fields = self._fields(values) if self._carried else None
        for example in found:
            if group is not None:
                example.group = carried_text(group)
            if split:
                example.split = split
            example.time = time
            if fields:
                example.fields = (example.fields or {}) | fields
        return found

    def _fields(self, values: dict[str, Any]) -> dict[str, str]:
        return {name: text for name in self._carried if (text := carried_text(value_of(values, name)))}


def all_roles(taken: Candidate, params: DatasetParams) -> Roles:
    """The roles of a candidate, with the columns that the person named."""
    roles = taken.roles
    return roles.model_copy(
        update={
            "input": list(dict.fromkeys([*roles.input, *params.input_columns])),
            "system": roles.system or params.system_column,
            "label_names": roles.label_names or params.label_names,
            "group": roles.group or params.group,
            "split": roles.split or (params.split_column if params.split_by != "time" else ""),
        }
    )


def _template(taken: Candidate, params: DatasetParams, roles: Roles, columns: list[str]) -> str:
    """The person's template where the user prompt names columns, else the reading's. Columns that the person named make the
    reading's template too small, so that they are joined."""
    if names_columns(params.user, columns):
        return params.user
    return "{input}" if len(roles.input) > len(taken.roles.input) else taken.template


def _check_columns(roles: Roles, columns: list[str], file: str) -> None:
    single = [name for name, value in roles if isinstance(value, str)]
    wanted = {name: getattr(roles, name) for name in single} | {"input_columns": [*roles.input, *roles.outputs]}
    tops = {name.partition(".")[0] for name in columns}
    problems = []
    for field, names in wanted.items():
        for name in [names] if isinstance(names, str) else names:
            if name and name not in columns and not ("." in name and name.partition(".")[0] in tops):
                args = {"file": file, "name": name, "columns": ", ".join(columns[:30])}
                problems.append(Problem(code="data.column_missing", field=_FIELDS.get(field, field), args=args))
    if problems:
        raise StudioError.of(problems)


_FIELDS = {
    "system": "system_column",
    "split": "split_column",
    "time": "split_column",
    **dict.fromkeys(("history", "rejected", "tools", "speaker", "desired")),
}
"""Role -> the parameter that names it, where that is called otherwise or there is none."""
