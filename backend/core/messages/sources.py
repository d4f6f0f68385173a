"""Sentences about source files of every format: what can't be read, and what was taken without being asked."""

from backend.core.messages.plurals import plural

_CHECK = "Check the first rows before continuing."
_RENAME = "Rename them in the file if needed."
_TABLE = "To split it differently, save it as a table."
NOTES = frozenset(
    f"data.{name}"
    for name in (
        *("members_split", "members_together", "columns_unnamed", "decimal_comma"),
        *("text_lines", "text_sections", "text_questions", "text_paragraphs"),
    )
)
_UNSAID = "Such messages are skipped."
_PATH = "Choose one in “Part of the file” (--records)."

MESSAGES: dict[str, tuple[str, str]] = {
    # files and archives
    "data.special": ("{file} is not a regular file.", "Choose a file or folder."),
    "data.folder_empty": ("The folder {file} is empty.", "Choose one with data files."),
    "data.encrypted": ("{file} is password-protected.", "Save it without a password."),
    "data.packed_damaged": ("{file} is damaged or incomplete.", "Compress it again, or use the file inside."),
    "data.packed_bomb": (
        "{file} unpacks to more than {ratio} times its size.",
        "If you trust it, unpack it and use the file inside.",
    ),
    "data.packed_large": ("{file} unpacks to more than {limit}.", "Use part of it, or free disk space."),
    "data.packed_deep": ("{file} has too many nested archives.", "Unpack it first."),
    "data.members_many": ("{file} contains {count} files; at most {limit} are read.", "Use fewer files."),
    "data.no_members": ("{file} contains no file with rows: {members}.", "Add a table, JSON or text file to it."),
    "data.members_several": ("{file} contains files with different columns: {members}.", _PATH),
    "data.members_left": (
        "{file}: read by split; skipped: {members}.",
        "To read one, choose it in “Part of the file”.",
    ),
    "data.members_split": (
        "{file}: {count} files read together, split by file name.",
        "The split is in column “{column}”.",
    ),
    "data.members_together": (
        "{file}: {count} files with the same columns are read together.",
        "Column “{column}” has each file's name.",
    ),
    "data.format_taken": ("{file} is actually {format} and read as such.", _CHECK),
    # encodings
    "data.encoding_unknown": (
        "There is no encoding “{name}”.",
        "Use one such as utf-8, cp1252 or utf-16 (--encoding).",
    ),
    "data.encoding_taken": (
        "{file} is not UTF-8; read as {encoding} (guessed).",
        "If letters look wrong, choose another encoding (--encoding).",
    ),
    # tables
    "data.line_long": ("{file} has a line of more than {limit}.", "Split it into rows, or save it as Parquet."),
    "data.delimiter": ("“{delimiter}” is not a valid delimiter.", "Use one character, or \\t for a tab (--delimiter)."),
    "data.quote_swallows": (
        "{file}, row {row}: an unclosed quotation mark swallows whole rows.",
        "Close it, or treat quotation marks as plain characters (--quotes no).",
    ),
    "data.quotes_literal": (
        "{file}: quotation marks are read as plain characters (first in row {row}).",
        "If they delimit cells, use --quotes yes.",
    ),
    "data.header_none": (
        "{file} has no header: the first row ({row}) is read as data.",
        "If it is a header, use --header yes.",
    ),
    "data.header_unsure": (
        "{file}: row {row} may be a header; read as one.",
        "If it is data, use --header no.",
    ),
    "data.header_later": ("{file}: header in row {row}; rows above are ignored.", _CHECK),
    "data.columns_twice": ("{file}: duplicate column names; later ones renamed to {names}.", _RENAME),
    "data.columns_unnamed": ("{file}: unnamed columns are called {names}.", _RENAME),
    "data.columns_empty": ("{file}: empty unnamed columns are ignored ({numbers}).", _CHECK),
    "data.decimal_comma": (
        "{file}: numbers with decimal commas in {names} are kept as text.",
        "Use a decimal point to read them as numbers.",
    ),
    # workbooks
    "data.workbook_damaged": ("{file} is not a readable workbook.", "Save it again as xlsx or CSV."),
    "data.sheets_several": (
        "{file} has several sheets with rows: {sheets}.",
        "Choose one in “Part of the file” (--records).",
    ),
    "data.sheet_taken": (
        "{file}: the sheet “{name}” is read; {sheets} contains no table.",
        "Choose another in “Part of the file” (--records).",
    ),
    "data.sheet_missing": ("{file} has no sheet “{name}”.", "Its sheets are: {sheets}."),
    # JSON, YAML, columns
    "data.records_several": ("{file} contains several lists of rows: {paths}.", _PATH),
    "data.records_taken": (
        "{file}: rows read from {paths}; ignored: {others}.",
        "Choose another list in “Part of the file” (--records).",
    ),
    "data.records_missing": ("{file} has no rows under “{path}”.", "Check the path, such as data.items."),
    "data.yaml": ("{file}, line {row}, column {column}: not valid YAML ({reason}).", "Fix the file at that position."),
    "data.yaml_large": ("{file} is a YAML file over {limit}, too large to read.", "Save it as JSON Lines."),
    "data.columnar_damaged": ("{file} is damaged or incomplete.", "Copy or export it again."),
    "data.columnar_row": (
        "{file} is damaged after row {row}.",
        "Copy or export it again.",
    ),
    # text
    "data.chat_who": (
        "{file} is a chat between {names}; it is unclear who answers.",
        "Set who answers in “Part of the file” (--records).",
    ),
    "data.chat_system": (
        plural(
            "{file}: {count} message is by the messenger itself (line {places}).",
            "{file}: {count} messages are by the messenger itself (lines {places}).",
        ),
        _UNSAID,
    ),
    "data.chat_unasked": (
        plural(
            "{file}: {count} message of {name} answers nobody (line {places}).",
            "{file}: {count} messages of {name} answer nobody (lines {places}).",
        ),
        _UNSAID,
    ),
    "data.text_lines": ("{file} is plain text: each line is a row.", _TABLE),
    "data.text_sections": ("{file} is text with headings: each section is a row.", _TABLE),
    "data.text_questions": ("{file} is text with questions and answers: each pair is a row.", _TABLE),
    "data.text_paragraphs": ("{file} is plain text: each paragraph is a row.", _TABLE),
}
