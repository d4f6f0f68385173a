"""Sentences about source files of every format: what can't be read, and what was taken without being asked."""

_CHECK = "Check the first rows before you go on."
_RENAME = "Write other names into the file if you need them."
_TABLE = "Save it as a table if the rows should be others."
NOTES = frozenset(
    f"data.{name}"
    for name in (
        *("members_split", "members_together", "columns_unnamed", "decimal_comma"),
        *("text_lines", "text_sections", "text_questions", "text_paragraphs"),
    )
)
_PATH = "Name the one you mean as “Part of the file” (--records)."

MESSAGES: dict[str, tuple[str, str]] = {
    # files and archives
    "data.special": ("{file} is not a regular file.", "Name a file or a folder."),
    "data.folder_empty": ("The folder {file} is empty.", "Choose one with files that hold rows."),
    "data.encrypted": ("{file} is protected by a password.", "Save it without one."),
    "data.packed_damaged": ("{file} is damaged or cut off.", "Compress it again, or use the file inside."),
    "data.packed_bomb": (
        "{file} unpacks to more than {ratio} times its size.",
        "Unpack it yourself and use the file inside, if you trust it.",
    ),
    "data.packed_large": ("{file} unpacks to more than {limit}.", "Use a part of it, or free space on the disk."),
    "data.packed_deep": ("{file} is an archive in an archive in an archive.", "Unpack it first."),
    "data.members_many": ("{file} holds {count} files; at most {limit} are read.", "Use a part of them."),
    "data.no_members": ("{file} holds no file with rows: {members}.", "Put a table, JSON or text file into it."),
    "data.members_several": ("{file} holds files with different columns: {members}.", _PATH),
    "data.members_left": (
        "{file}: read by split; left out: {members}.",
        "Name a file as “Part of the file” to read it.",
    ),
    "data.members_split": (
        "{file}: {count} files are read together; their names tell the split.",
        "The column “{column}” holds it.",
    ),
    "data.members_together": (
        "{file}: {count} files with the same columns are read together.",
        "The column “{column}” holds the name of each.",
    ),
    "data.format_taken": ("{file} is really {format} and is read as that.", _CHECK),
    # encodings
    "data.encoding_unknown": (
        "There is no encoding “{name}”.",
        "Use one such as utf-8, cp1252 or utf-16 (--encoding).",
    ),
    "data.encoding_taken": (
        "{file} is not UTF-8; it is read as {encoding}, which is a guess.",
        "If letters look wrong, choose another encoding (--encoding).",
    ),
    # tables
    "data.line_long": ("{file} has a line of more than {limit}.", "Break it into rows, or save it as Parquet."),
    "data.delimiter": ("“{delimiter}” is no delimiter.", "Use one character, or \\t for a tab (--delimiter)."),
    "data.quote_swallows": (
        "{file}, row {row}: a quotation mark opens here and takes in whole rows.",
        "Close it, or say that quotation marks are plain characters (--quotes no).",
    ),
    "data.quotes_literal": (
        "{file}: quotation marks are read as plain characters (first in row {row}).",
        "If they hold cells together, say so (--quotes yes).",
    ),
    "data.header_none": (
        "{file} has no header: the first row ({row}) is read as a row.",
        "If it names the columns, say so (--header yes).",
    ),
    "data.header_unsure": (
        "{file}: it isn't clear whether row {row} is a header; it is read as one.",
        "If it is a row, say so (--header no).",
    ),
    "data.header_later": ("{file}: the header is in row {row}; what stands above is left out.", _CHECK),
    "data.columns_twice": ("{file}: column names occur twice; the later ones are now called {names}.", _RENAME),
    "data.columns_unnamed": ("{file}: columns without a name are called {names}.", _RENAME),
    "data.columns_empty": ("{file}: columns without name and values are left out ({numbers}).", _CHECK),
    "data.decimal_comma": (
        "{file}: numbers with a decimal comma in {names} are kept as they are written.",
        "Write a point if they should count as numbers.",
    ),
    # workbooks
    "data.workbook_damaged": ("{file} is not a workbook that can be read.", "Save it again as xlsx or CSV."),
    "data.sheets_several": (
        "{file} has several sheets with rows: {sheets}.",
        "Name one as “Part of the file” (--records).",
    ),
    "data.sheet_taken": (
        "{file}: the sheet “{name}” is read; {sheets} holds no table.",
        "Name another one as “Part of the file” (--records).",
    ),
    "data.sheet_missing": ("{file} has no sheet “{name}”.", "Its sheets are: {sheets}."),
    # JSON, YAML, columns
    "data.records_several": ("{file} holds several lists of rows: {paths}.", _PATH),
    "data.records_taken": (
        "{file}: the rows are read from {paths}; left out: {others}.",
        "Name another list as “Part of the file” (--records).",
    ),
    "data.records_missing": ("{file} has no rows under “{path}”.", "Check the path, such as data.items."),
    "data.yaml": ("{file}, line {row}, column {column}: not valid YAML ({reason}).", "Correct the file at that place."),
    "data.yaml_large": ("{file} is YAML of more than {limit}, which has to be read whole.", "Save it as JSON Lines."),
    "data.columnar_damaged": ("{file} is damaged or cut off.", "Copy it again from its origin, or write it again."),
    "data.columnar_row": (
        "{file} is damaged after row {row}.",
        "Copy it again from its origin, or write it again.",
    ),
    # text
    "data.chat_who": (
        "{file} is a chat of {names}, and it isn't clear who answers.",
        "Name the one who answers as “Part of the file” (--records).",
    ),
    "data.text_lines": ("{file} is plain text: each line is a row.", _TABLE),
    "data.text_sections": ("{file} is text with headings: each section is a row.", _TABLE),
    "data.text_questions": ("{file} is text with questions and answers: each pair is a row.", _TABLE),
    "data.text_paragraphs": ("{file} is plain text: each paragraph is a row.", _TABLE),
}
