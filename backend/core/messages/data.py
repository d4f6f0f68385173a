"""Sentences about data: files that can't be read, rows that can't be used, splits that can't be made."""

from backend.core.messages.plurals import plural

_SKIP = "Fix them, or set “Row errors” to “Skip” (--on-bad-row skip)."
_UTF8 = "Set “Encoding” (--encoding), or save the file as UTF-8."

MESSAGES: dict[str, tuple[str, str]] = {
    # files
    "data.missing": ("There is no file {file}.", "Check the path, or upload the file again."),
    "data.unreadable": ("{file} can't be opened: {reason}.", "Check its read permissions."),
    "data.demo_unknown": ("There is no demo “{name}”.", "Use demo:smart-home or a file path."),
    "data.extension": (
        "{file} has no table and an unknown extension.",
        "Supported: {known}. Rename or convert the file.",
    ),
    "data.binary": ("{file} is {found}, not a text table.", "Use a table, workbook, JSON or text file."),
    "data.empty": ("{file} is empty.", "Choose a file that has rows."),
    "data.header_only": ("{file} has no rows below its header.", "Add rows, or choose another file."),
    "data.json_large": (
        "{file} has no list of rows that can be read in chunks of {limit}.",
        "Save it as JSON Lines (one row per line) or Parquet; both allow any size.",
    ),
    "data.encoding_broken": ("{file}, row {row}: byte {byte} is not valid {encoding}.", _UTF8),
    # layout
    "data.quote": (
        "{file}, row {row}: unclosed quotation mark.",
        "Close it, double quotes inside cells, or treat them as plain characters (--quotes no).",
    ),
    "data.json": ("{file}, line {row}, column {column}: not valid JSON ({reason}).", "Fix the file at that position."),
    "data.json_not_list": (
        "{file} contains a single value ({found}), not a list of examples.",
        "Make it a list of objects: [{{…}}, {{…}}], or one object per line.",
    ),
    "data.json_no_list": (
        "{file} is one object (keys: {keys}); unclear which list has the examples.",
        "Set “Part of the file” (--records), or put the list under “data”.",
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
            "{file}: {count} row doesn't match the header's {expected} columns (row → columns: {places}).",
            "{file}: {count} rows don't match the header's {expected} columns (row → columns: {places}).",
        ),
        "Quote cells that contain the separator, or set “Row errors” to “Skip” (--on-bad-row skip).",
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
            "{file}: {count} row has no input (row {places}).", "{file}: {count} rows have no input (rows {places})."
        ),
        _SKIP,
    ),
    "data.not_text": (
        plural(
            "{file}: {count} row contains a list or object instead of text (row → what (column): {places}).",
            "{file}: {count} rows contain a list or object instead of text (row → what (column): {places}).",
        ),
        _SKIP,
    ),
    "data.characters": (
        plural(
            "{file}: {count} row contains NUL bytes or broken characters (row {places}).",
            "{file}: {count} rows contain NUL bytes or broken characters (rows {places}).",
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
            "{file}: in {count} row user and assistant don't take turns; row → reason (message): {places}.",
            "{file}: in {count} rows user and assistant don't take turns; row → reason (message): {places}.",
        ),
        _SKIP,
    ),
    "data.other_task": (
        "The answers of “{ref}” do not fit this task.",
        "Set “Task” (task) to “From the answers” (auto).",
    ),
    "data.no_rows": ("{file} has no usable rows.", "Fix the rows or choose other columns."),
    # settings and splits
    "data.user_template": (
        "The user prompt doesn't contain {{input}}.",
        "Add {{input}} where the input goes (“User prompt”, --user).",
    ),
    "data.fractions": (
        "Validation and test use {sum} of the rows.",
        "Leave more than 0.1 for training: lower “Validation share” or “Test share” (--validation, --test).",
    ),
    "data.more_classes_than_rows": (
        "{rows} labelled rows have {classes} distinct answers: under two examples each.",
        "Add rows, choose another “Answer column” (--output), or set “Answer type” to “Free text” (--answer text).",
    ),
    "data.fewer_rows_than_classes": (
        plural(
            "Fewer rows ({rows}) than classes ({classes}).",
            "Fewer rows ({rows}) than classes ({classes}).",
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
        "No rows left for {split}: {rows} rows are too few, or too many belong together.",
        "Raise its share or set it to 0 (--validation, --test), or choose another “Group column” (--group).",
    ),
    "data.given_split_empty": (
        "No row of the {split} file has an answer.",
        "Add answers, or don't use the file.",
    ),
    # warnings
    "data.no_answers": (
        "None of the {rows} rows has an answer: all stay unlabelled.",
        "Pre-train on them, let a teacher answer them, or choose the “Answer column” (--output).",
    ),
    "data.few_answers": (
        "{count} of {rows} rows have no answer: they stay unlabelled.",
        "Let a teacher answer them, or choose another “Answer column” (--output).",
    ),
    "data.few_distinct": (
        "{rows} rows contain only {distinct} distinct input–answer pairs.",
        "Expect overfitting. Variety helps more than volume.",
    ),
    "data.contradictions": (
        plural(
            "{count} input occurs with different labels (first in row {place}: {answers}).",
            "{count} inputs occur with different labels (first in row {place}: {answers}).",
        ),
        "Fix them: conflicting labels limit any model.",
    ),
    "data.several_answers": (
        plural(
            "{count} input occurs with different answers (first in row {place}: {answers}).",
            "{count} inputs occur with different answers (first in row {place}: {answers}).",
        ),
        "Fine for conversation; for facts, keep one answer.",
    ),
    "data.class_single": (
        plural("{count} class has a single row: {names}.", "{count} classes have a single row: {names}."),
        "Add rows, or merge them with other classes.",
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
        "The test can't measure them.",
    ),
}

ROW_ERRORS = frozenset(code for code, (_fact, remedy) in MESSAGES.items() if "--on-bad-row" in remedy)
"""What is wrong with some rows of a file, which may be skipped."""
