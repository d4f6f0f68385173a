"""Sentences about readings: what a file was taken for and why, what is left out, and what only a person can say."""

_FLAGS = "Name the columns yourself if that is wrong (--input, --output, --messages, --schema)."
NOTES = frozenset(
    f"reading.{name}"
    for name in (
        *("taken_by_name", "taken_by_values", "taken_by_person", "left_out", "carried", "split", "system"),
        *("label_names", "label_names_file", "group", "grouped", "direction", "preference", "choices_from_one"),
    )
)
_CHOOSE = "Choose one of these readings, on the page or by its flags."

MESSAGES: dict[str, tuple[str, str]] = {
    # why
    "reading.by_name": ("The columns {columns} have the usual names and fitting values.", _FLAGS),
    "reading.by_values": ("Judged by the values of {columns}; the names don't tell.", _FLAGS),
    "reading.by_person": ("You named {columns}.", "Leave the names empty and the studio looks for itself."),
    # what was taken
    "reading.taken_by_name": ("{file} is read as “{schema}”: {columns}, as the columns are called.", _FLAGS),
    "reading.taken_by_values": ("{file} is read as “{schema}”: {columns}, as their values show.", _FLAGS),
    "reading.taken_by_person": (
        "{file} is read as “{schema}”: {columns}, as you said.",
        "Change the names to read it otherwise.",
    ),
    "reading.left_out": (
        "Left out, though there is text in it: {columns}.",
        "Name one as a further input column to use it (--input, once for each).",
    ),
    "reading.carried": (
        "Kept with each row, and read by no model: {columns}.",
        "Name one as input or answer to use it otherwise (--input, --output).",
    ),
    "reading.split": (
        "{column} says which rows are for training, validation and test: it is used.",
        "Choose “Split by: random” to ignore it (--split-by random).",
    ),
    "reading.label_names": (
        "{names} names the labels that {column} numbers.",
        "Choose another column of names, if that is wrong (--label-names).",
    ),
    "reading.label_names_file": ("The file itself names the labels that {column} numbers: {names}.", ""),
    "reading.no_answers": (
        "No column holds an answer: the rows go to a teacher, or are read as raw text.",
        "Name the answer column if there is one (--output).",
    ),
    "reading.system": (
        "All rows share one system prompt: “{text}”.",
        "Write another one into “System prompt” to replace it.",
    ),
    "reading.group": (
        "Rows that belong together may share a value of {columns}.",
        "Name one as group column to keep such rows in one split (--group).",
    ),
    "reading.grouped": (
        "Rows that share {column} stay in the same split.",
        "Name another group column to divide otherwise (--group).",
    ),
    "reading.direction": (
        "Translated from {first} to {second}, in the order of the columns.",
        "Turn it around with --input {second} --output {first}.",
    ),
    "reading.preference": (
        "The answers in {chosen} are learned; those in {rejected} are kept for preference training.",
        "",
    ),
    "reading.many_labels": (
        "{column} holds {count} labels.",
        "Choose “Kind of answer: free text” if these are no fixed answers (--answer text).",
    ),
    "reading.one_label": (
        "{column} holds the same label in every row: only one class.",
        "Nothing can be learned from it; add rows of other classes.",
    ),
    "reading.odd_answer": (
        "{column}, which you named as answer, holds {found}.",
        "Choose another answer column if that is a mistake (--output).",
    ),
    "reading.odd_input": (
        "{column}, which you named as input, holds {found}.",
        "Choose another input column if that is a mistake (--input).",
    ),
    "reading.pictures_left_out": (
        "{columns} hold pictures or sound, which no model here reads.",
        "Only the columns that you named are used.",
    ),
    "reading.number_answer": (
        "{column} holds numbers: the model learns to write them, digit by digit.",
        "Put them into a few classes if near values mean the same.",
    ),
    "reading.day_first": (
        "The dates in {column} can be read in two ways: the day is taken to stand first.",
        "Write them as 2026-04-03 if the month stands first.",
    ),
    "reading.choices_from_one": ("The numbers in {column} count the choices from 1.", ""),
    # questions
    "reading.which_output": ("{file} has more than one column that could be the answer: {readings}.", _CHOOSE),
    "reading.which_input": ("{file} has more than one column that could be the input: {readings}.", _CHOOSE),
    "reading.which_schema": ("{file} can be read in more than one way: {readings}.", _CHOOSE),
    "reading.not_sure": (
        "{file} is probably this, but it isn't sure: {readings}.",
        "Say so by its flags, or name the columns.",
    ),
    "reading.nothing_fits": (
        "{file}: no columns look like examples (its columns: {columns}).",
        "Name the input and the answer (--input, --output), or the conversation (--messages).",
    ),
    "reading.pictures": (
        "{columns} in {file} hold pictures or sound, which no model here reads.",
        "Name the columns of text to leave them out (--input, --output), or use another file.",
    ),
    "reading.picture_parts": (
        "The messages in {columns} hold pictures, sound or files ({types}), which no model here reads.",
        "Take these rows out of {file}, or use another file.",
    ),
    "reading.spans": (
        "{columns} in {file} marks places inside texts, which can't be learned here.",
        "Give the rows a text or a label as answer, or name other columns (--output).",
    ),
    "reading.choice_numbers": (
        "{file}: the numbers in {column} may count the choices from 0 or from 1.",
        "Write the letter or the text of the right choice in their place.",
    ),
    "reading.schema_unknown": ("There is no schema “{name}”.", "Choose one of: {known}."),
    "reading.schema_not_there": (
        "{file} doesn't look like “{schema}”, which needs {needs} (its columns: {columns}).",
        "Name the columns (--input, --output, --messages), or choose another schema.",
    ),
    "reading.output_alone": (
        "{file}: no column but {column} holds a text that could be the input.",
        "Name the input column (--input). The columns are: {columns}.",
    ),
    # columns
    "reading.is_text": ("Free text.", ""),
    "reading.is_label": ("{distinct} different short values that repeat.", ""),
    "reading.is_number": ("Numbers.", ""),
    "reading.is_boolean": ("True or false.", ""),
    "reading.is_date": ("Dates or times.", ""),
    "reading.is_id": ("Codes or addresses that tell rows apart.", ""),
    "reading.is_row_number": ("Counts the rows.", ""),
    "reading.is_constant": ("The same value in every row.", ""),
    "reading.is_split": ("Says which split a row is for.", ""),
    "reading.is_messages": ("Lists of messages.", ""),
    "reading.is_list": ("Lists.", ""),
    "reading.is_object": ("Nested values.", ""),
    "reading.is_binary": ("Pictures, sound or other bytes.", ""),
    "reading.is_empty": ("Nothing in any row.", ""),
}
