"""Sentences about readings: what a file was taken for and why, what is left out, and what only a person can say."""

_FLAGS = "If wrong, set the columns (--input, --output, --messages, --schema)."
NOTES = frozenset(
    f"reading.{name}"
    for name in (
        *("taken_by_name", "taken_by_values", "taken_by_person", "left_out", "carried", "split", "system"),
        *("label_names", "label_names_file", "group", "grouped", "direction", "preference", "choices_from_one"),
    )
)
_CHOOSE = "Choose one on the page or with its options."

MESSAGES: dict[str, tuple[str, str]] = {
    # why
    "reading.by_name": ("Columns {columns} have typical names and values.", _FLAGS),
    "reading.by_values": ("Based on the values of {columns}, not their names.", _FLAGS),
    "reading.by_person": ("You set {columns}.", "Leave blank to detect columns automatically."),
    # what was taken
    "reading.taken_by_name": ("{file} is read as “{schema}”: {columns}, by column names.", _FLAGS),
    "reading.taken_by_values": ("{file} is read as “{schema}”: {columns}, by values.", _FLAGS),
    "reading.taken_by_person": (
        "{file} is read as “{schema}”: {columns}, as you set.",
        "Change the columns to read it differently.",
    ),
    "reading.left_out": (
        "Not used, although it contains text: {columns}.",
        "To use one, add it as an input column (--input, once per column).",
    ),
    "reading.carried": (
        "Kept with each row as metadata: {columns}.",
        "To use one, set it as input or answer (--input, --output).",
    ),
    "reading.split": (
        "{column} sets the split: training, validation and test.",
        "To ignore it, set “Split by” to “At random” (--split-by random).",
    ),
    "reading.label_names": (
        "{names} has the label names for {column}.",
        "If wrong, choose another column of names (--label-names).",
    ),
    "reading.label_names_file": ("Label names for {column} come from the file: {names}.", ""),
    "reading.no_answers": (
        "No answer column: a teacher can label the rows, or they are read as raw text.",
        "If there is an answer column, set it (--output).",
    ),
    "reading.system": (
        "All rows share one system prompt: “{text}”.",
        "To replace it, edit “System prompt”.",
    ),
    "reading.group": (
        "Related rows may share a value of {columns}.",
        "Set it as group column to keep them in one split (--group).",
    ),
    "reading.grouped": (
        "Rows that share {column} stay in the same split.",
        "To split differently, choose another group column (--group).",
    ),
    "reading.direction": (
        "Translated from {first} to {second}, in the order of the columns.",
        "Reverse with --input {second} --output {first}.",
    ),
    "reading.preference": (
        "The answers in {chosen} are learned; those in {rejected} are kept for preference training.",
        "",
    ),
    "reading.many_labels": (
        "{column} contains {count} labels.",
        "If answers are not fixed, set “Answer type” to “Free text” (--answer text).",
    ),
    "reading.one_label": (
        "{column} has the same label in every row: one class.",
        "Add rows of other classes.",
    ),
    "reading.odd_answer": (
        "The answer column {column} contains {found}.",
        "Choose another answer column if that is a mistake (--output).",
    ),
    "reading.odd_input": (
        "The input column {column} contains {found}.",
        "Choose another input column if that is a mistake (--input).",
    ),
    "reading.pictures_left_out": (
        "{columns} contain images or audio, which are not supported.",
        "Only the columns you set are used.",
    ),
    "reading.number_answer": (
        "{column} contains numbers; the model learns them digit by digit.",
        "If close values mean the same, group them into classes.",
    ),
    "reading.day_first": (
        "Dates in {column} are ambiguous; read as day first.",
        "If the month comes first, write them as 2026-04-03.",
    ),
    "reading.choices_from_one": ("Numbers in {column} count choices from 1.", ""),
    # questions
    "reading.which_output": ("{file} has several possible answer columns: {readings}.", _CHOOSE),
    "reading.which_input": ("{file} has several possible input columns: {readings}.", _CHOOSE),
    "reading.which_schema": ("{file} can be read in several ways: {readings}.", _CHOOSE),
    "reading.not_sure": (
        "{file} can probably be read as: {readings}.",
        "Confirm it with its options, or set the columns.",
    ),
    "reading.nothing_fits": (
        "{file}: no columns look like examples (its columns: {columns}).",
        "Set input and answer (--input, --output), or the conversation (--messages).",
    ),
    "reading.pictures": (
        "{columns} in {file} contain images or audio, which are not supported.",
        "Set the text columns only (--input, --output), or use another file.",
    ),
    "reading.picture_parts": (
        "Messages in {columns} contain images, audio or files ({types}), which are not supported.",
        "Remove these rows from {file}, or use another file.",
    ),
    "reading.spans": (
        "{columns} in {file} marks text spans, which are not supported.",
        "Choose a column of texts or labels as the answer (--output).",
    ),
    "reading.choice_numbers": (
        "{file}: the numbers in {column} may count the choices from 0 or from 1.",
        "Use the letter or text of the correct choice instead.",
    ),
    "reading.schema_unknown": ("There is no schema “{name}”.", "Choose one of: {known}."),
    "reading.schema_not_there": (
        "{file} doesn't look like “{schema}”, which needs {needs} (its columns: {columns}).",
        "Set the columns (--input, --output, --messages), or choose another schema.",
    ),
    "reading.output_alone": (
        "{file}: no input column besides {column}.",
        "Set the input column (--input): {columns}.",
    ),
    # columns
    "reading.is_text": ("Free text.", ""),
    "reading.is_label": ("{distinct} different short values that repeat.", ""),
    "reading.is_number": ("Numbers.", ""),
    "reading.is_boolean": ("True or false.", ""),
    "reading.is_date": ("Dates or times.", ""),
    "reading.is_id": ("Unique codes or addresses.", ""),
    "reading.is_row_number": ("Row numbers.", ""),
    "reading.is_constant": ("The same value in every row.", ""),
    "reading.is_split": ("The split of each row.", ""),
    "reading.is_messages": ("Lists of messages.", ""),
    "reading.is_list": ("Lists.", ""),
    "reading.is_object": ("Nested values.", ""),
    "reading.is_binary": ("Images, audio or other binary data.", ""),
    "reading.is_empty": ("Empty in every row.", ""),
}
