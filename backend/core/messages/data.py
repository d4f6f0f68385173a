"""Sentences about data: files that can't be read, rows that can't be used, splits that can't be made."""

from backend.core.messages.plurals import plural

_SKIP = "Correct them in the file, or set “Row errors” to “Skip and count them” (--on-bad-row skip)."
_UTF8 = "Name its encoding (“Encoding”, --encoding), or save it again as UTF-8."

MESSAGES: dict[str, tuple[str, str]] = {
    # files
    "data.missing": ("There is no file {file}.", "Check the path, or upload the file again."),
    "data.unreadable": ("{file} can't be opened: {reason}.", "Give this user the right to read it."),
    "data.demo_unknown": ("There is no demo “{name}”.", "Use demo:smart-home, or the path of a file."),
    "data.extension": (
        "{file} holds no table, and its extension isn't known here.",
        "Known ones: {known}; rename or convert the file.",
    ),
    "data.binary": ("{file} is not a table of text but {found}.", "Use a table, workbook, JSON or text file."),
    "data.empty": ("{file} is empty.", "Choose a file that has rows."),
    "data.header_only": ("{file} has no rows below its header.", "Add rows, or choose another file."),
    "data.json_large": (
        "{file} has no list of rows that can be read in parts of at most {limit}.",
        "Save it as JSON Lines (one row per line) or Parquet; these may be of any size.",
    ),
    "data.encoding_broken": ("{file}, row {row}: byte {byte} is not valid {encoding}.", _UTF8),
    # layout
    "data.quote": (
        "{file}, row {row}: a quotation mark opens here and doesn't close properly.",
        "Close it, double those inside the cell, or say that they are plain characters (--quotes no).",
    ),
    "data.json": ("{file}, line {row}, column {column}: not valid JSON ({reason}).", "Correct the file at that place."),
    "data.json_not_list": (
        "{file} holds a single value ({found}), not a list of examples.",
        "Make it a list of objects: [{{…}}, {{…}}], or one object per line.",
    ),
    "data.json_no_list": (
        "{file} is one object (keys: {keys}) and it isn't clear which list in it holds the examples.",
        "Name the list (“Part of the file”, --records), or put it under “data”.",
    ),
    "data.column_missing": ("{file} has no column “{name}”.", "Its columns are: {columns}."),
    "data.input_unknown": (
        "{file}: no column looks like the input.",
        "Choose the “Input column” (--input): {columns}.",
    ),
    "data.output_unknown": (
        "{file}: no column looks like the answer.",
        "Choose the “Answer column” (--output): {columns}.",
    ),
    # rows
    "data.ragged": (
        plural(
            "{file}: {count} row doesn't have {expected} columns like the header (row → columns: {places}).",
            "{file}: {count} rows don't have {expected} columns like the header (row → columns: {places}).",
        ),
        "Quote cells that contain the separator, or set “Row errors” to “Skip and count them” (--on-bad-row skip).",
    ),
    "data.encoding": (
        plural(
            "{file}: {count} row is not valid {encoding} (row {places}; first at byte {byte}).",
            "{file}: {count} rows are not valid {encoding} (row {places}; first at byte {byte}).",
        ),
        _UTF8,
    ),
    "data.json_line": (
        plural(
            "{file}: {count} line is not valid JSON (line → reason (column): {places}).",
            "{file}: {count} lines are not valid JSON (line → reason (column): {places}).",
        ),
        _SKIP,
    ),
    "data.json_item": (
        plural(
            "{file}: {count} row is not a JSON object (row → what: {places}).",
            "{file}: {count} rows are not JSON objects (row → what: {places}).",
        ),
        _SKIP,
    ),
    "data.input_empty": (
        plural(
            "{file}: {count} row has no input (row {places}).", "{file}: {count} rows have no input (row {places})."
        ),
        _SKIP,
    ),
    "data.not_text": (
        plural(
            "{file}: {count} row holds a list or object where text belongs (row → what (column): {places}).",
            "{file}: {count} rows hold a list or object where text belongs (row → what (column): {places}).",
        ),
        _SKIP,
    ),
    "data.characters": (
        plural(
            "{file}: {count} row holds NUL bytes or broken characters (row {places}).",
            "{file}: {count} rows hold NUL bytes or broken characters (row {places}).",
        ),
        _SKIP,
    ),
    "data.chat_shape": (
        plural(
            "{file}: in {count} row the messages are not a list of role and content (row → found: {places}).",
            "{file}: in {count} rows the messages are not a list of role and content (row → found: {places}).",
        ),
        _SKIP,
    ),
    "data.chat_roles": (
        plural(
            "{file}: in {count} row user and assistant don't take turns (row → message: role: {places}).",
            "{file}: in {count} rows user and assistant don't take turns (row → message: role: {places}).",
        ),
        _SKIP,
    ),
    "data.no_rows": ("{file} has no row that can be used.", "Correct the rows, or choose other columns."),
    # settings and splits
    "data.user_template": (
        "The user prompt doesn't contain {{input}}.",
        "Write {{input}} where the input belongs (“User prompt”, --user).",
    ),
    "data.fractions": (
        "Validation and test take {sum} of the rows.",
        "Leave more than 0.1 for training: lower “Validation share” or “Test share” (--validation, --test).",
    ),
    "data.more_classes_than_rows": (
        "{rows} answered rows have {classes} different answers: fewer than two examples of each.",
        "Add rows, choose another “Answer column” (--output), or set “Kind of answer” to “Free text” (--answer text).",
    ),
    "data.fewer_rows_than_classes": (
        plural(
            "{rows} row is fewer than the {classes} classes.",
            "{rows} rows are fewer than the {classes} classes.",
            "rows",
        ),
        "Allow at least one row per class (--max-rows, --labelled-rows).",
    ),
    "data.too_few_rows": (
        plural(
            "Only {rows} row has an answer; at least {least} are needed to train and to test.",
            "Only {rows} rows have an answer; at least {least} are needed to train and to test.",
            "rows",
        ),
        "Add rows, or bring your own “Validation file” and “Test file” (--validation-file, --test-file).",
    ),
    "data.split_empty": (
        "No row is left for {split}: the {rows} rows are too few, or too many of them belong together.",
        "Raise its share or set it to 0 (--validation, --test), or choose another “Group column” (--group).",
    ),
    "data.given_split_empty": (
        "No row of the {split} file has an answer.",
        "Fill in its answers, or leave the file out.",
    ),
    # warnings
    "data.no_answers": (
        "None of the {rows} rows has an answer: all go to the pool.",
        "Let a teacher answer them, or choose the “Answer column” (--output).",
    ),
    "data.few_answers": (
        "{count} of {rows} rows have no answer: they go to the pool.",
        "Let a teacher answer them, or choose another “Answer column” (--output).",
    ),
    "data.few_distinct": (
        "{rows} rows hold only {distinct} different pairs of input and answer.",
        "Expect the model to learn these by heart; more varied rows help more than more rows.",
    ),
    "data.contradictions": (
        plural(
            "{count} input occurs with different labels (first in row {place}: {answers}).",
            "{count} inputs occur with different labels (first in row {place}: {answers}).",
        ),
        "Decide which is right: such rows lower what any model can reach.",
    ),
    "data.several_answers": (
        plural(
            "{count} input occurs with different answers (first in row {place}: {answers}).",
            "{count} inputs occur with different answers (first in row {place}: {answers}).",
        ),
        "That is fine for conversation; for facts, keep one answer.",
    ),
    "data.class_single": (
        plural("{count} class has a single row: {names}.", "{count} classes have a single row: {names}."),
        "Add rows for them, or merge them with others.",
    ),
    "data.class_not_in_train": (
        plural(
            "{count} class is not in the training rows: {names}.",
            "{count} classes are not in the training rows: {names}.",
        ),
        "No model can learn them from this data.",
    ),
    "data.class_not_in_test": (
        plural("{count} class is not in the test rows: {names}.", "{count} classes are not in the test rows: {names}."),
        "The test can't tell how well they are learnt.",
    ),
}

ROW_ERRORS = frozenset(code for code, (_fact, remedy) in MESSAGES.items() if "--on-bad-row" in remedy)
"""What is wrong with some rows of a file, which may be skipped."""
