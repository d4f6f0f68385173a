"""The part of the facade that says what a source is: its reading, made in a child process, and a stored dataset's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.core.errors import untranslated
from backend.core.messages.reading_words import DELIMITERS, ENCODINGS, SCHEMAS
from backend.core.settings import Settings
from backend.data.dataset import message_text
from backend.data.formats import by_name
from backend.data.reading.model import Candidate, ColumnReading, Reading
from backend.data.reading.stored import stored_notes, stored_reading, stored_warnings

if TYPE_CHECKING:
    from backend.core.schemas import ArtifactView
    from backend.data.inspect_source import Inspection
    from backend.data.params import DatasetParams
    from backend.data.preview import PreviewRow

_USUAL_ENCODINGS = ("UTF-8", "ASCII", "")
_PLAIN_TEXT = by_name("text").title
"""The only name of a format that has a translation; the others are names."""

__all__ = [
    "CHOSEN",
    "Candidate",
    "ColumnReading",
    "Inspection",
    "PreviewRow",
    "Reading",
    "Readings",
    "arrow",
    "choice",
    "found_words",
    "left_out",
    "message_text",
    "schema_titles",
    "schema_words",
    "stored_notes",
    "stored_reading",
    "stored_warnings",
    "used_columns",
]


class Readings:
    settings: Settings

    def inspect(self, params: dict[str, Any], rows: int = 5) -> Inspection:
        """What these parameters of the dataset stage would read: reading, first rows, forecast. Takes the time of a child
        process when the file has changed. Raises StudioError."""
        from backend.files.source_reading import read_source

        return read_source(_parsed(params), self.settings.cache, rows)

    def inspected(self, params: dict[str, Any], rows: int = 5) -> bool:
        """Whether `inspect` answers at once. Raises StudioError for parameters that can't be."""
        from backend.files.source_reading import kept

        return kept(_parsed(params), rows)

    def holds_model(self, path: Path) -> bool:
        """Whether a zip file has the parts of a model: its name list is looked at, nothing is unpacked."""
        from backend.models.archive import holds_model

        return path.suffix.lower() == ".zip" and holds_model(path)

    def together(self, files: list[Path]) -> Path:
        """A folder of the home in which these files lie as one source, as links where the disk allows. The same files as they
        are now give the same folder. Raises StudioError for one that is missing."""
        from backend.files.source_reading import together

        return together(files, self.settings.home / "imports")

    def stored_preview(self, view: ArtifactView, model: Path | None = None, rows: int = 3) -> list[PreviewRow]:
        """The first training rows of a dataset, with the chat template in the model's folder if one is given."""
        from backend.data.chat_template import Encoder
        from backend.data.preview import preview_folder

        return preview_folder(view.path, n=rows, encoder=Encoder(model) if model else None)


def choice(candidate: Candidate) -> dict[str, Any]:
    """The parameters that make a reading the one that is used."""
    roles = candidate.roles
    first, *more = roles.input or [""]
    taken = {
        "data_schema": candidate.schema_name,
        "input": first,
        "input_columns": more,
        "output": roles.output,
        "messages": roles.messages,
    }
    return {name: value for name, value in taken.items() if value}


CHOSEN = ("data_schema", "input", "details", "input_columns", "output", "messages", "system_column", "label_names")
"""The fields that say which reading is used: choosing one sets them all."""


def schema_titles() -> dict[str, str]:
    """All schemas that a file may be said to have: name -> title."""
    return SCHEMAS


def schema_words(name: str, translate: Callable[[str], str] = untranslated) -> str:
    return translate(SCHEMAS[name]) if name in SCHEMAS else name.replace("_", " ")


def found_words(
    reading: Reading,
    translate: Callable[[str], str] = untranslated,
    count_text: Callable[[float], str] = "{:,}".format,
) -> list[str]:
    """What was found of the file: `["CSV", "semicolons", "Windows-1252 (guessed)", "42 rows"]`. `count_text`: how the language
    writes a count."""
    facts = reading.source
    title = facts.title or facts.format.upper()
    parts = [translate(title) if title == _PLAIN_TEXT else title]
    if facts.container:
        parts.append(translate("in {container}").format(container=facts.container))
    if facts.sheet:
        parts.append(translate("sheet {name}").format(name=facts.sheet))
    if facts.delimiter:
        known = DELIMITERS.get(facts.delimiter)
        parts.append(translate(known) if known else translate("delimiter {mark}").format(mark=facts.delimiter))
    encoding = ENCODINGS.get(facts.encoding.lower().replace("_", "-"), facts.encoding)
    if not facts.encoding_sure:
        parts.append(translate("{encoding} (guessed)").format(encoding=encoding))
    elif encoding not in _USUAL_ENCODINGS:
        parts.append(encoding)
    if facts.header_line == 0 and facts.delimiter:
        parts.append(translate("no header"))
    elif facts.header_line > 1:
        parts.append(translate("header in line {line}").format(line=facts.header_line))
    if facts.decimal_comma:
        parts.append(translate("decimal commas"))
    if len(facts.members) > 1:
        parts.append(translate("{count} files").format(count=len(facts.members)))
    about = translate("about {count} rows, partly read" if reading.sampled else "{count} rows")
    if reading.taken and reading.taken.roles.messages and reading.taken.task == "conversation":
        about = translate("about {count} conversations, partly read" if reading.sampled else "{count} conversations")
    return [*(part for part in parts if part), about.format(count=count_text(reading.estimated or reading.rows))]


def arrow(candidate: Candidate) -> str:
    """Which columns become what: `Text + Title → Label`."""
    roles = candidate.roles
    left = [roles.messages] if roles.messages else roles.input
    right = [roles.output] if roles.output else roles.outputs
    sides = [" + ".join(side) for side in (left, right) if side]
    return " → ".join(sides)


def left_out(reading: Reading) -> list[str]:
    """The columns that nothing is made of; an own export is read back whole."""
    if reading.taken and reading.taken.schema_name == "own_export":
        return []
    used = used_columns(reading.taken) if reading.taken else set()
    return [column.name for column in reading.columns if column.role == "unused" and column.name not in used]


def used_columns(candidate: Candidate) -> set[str]:
    """The columns that have a part in a reading."""
    parts = candidate.roles.model_dump().values()
    return {name for part in parts for name in (part if isinstance(part, list) else [part]) if name}


def _parsed(params: dict[str, Any]) -> DatasetParams:
    from backend.data.params import DatasetParams
    from backend.stages import stage

    parsed = stage("dataset").parse(params)
    assert isinstance(parsed, DatasetParams)
    return parsed
