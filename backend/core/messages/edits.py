"""Sentences about the editing of datasets, and about their export."""

MESSAGES: dict[str, tuple[str, str]] = {
    "edits.none": ("“{ref}” has no changes to save.", "Edit, delete, tag or add rows on the Data page first."),
    "edits.pending": (
        "“{ref}” does not exist yet, so it has no edits.",
        "Run that stage first, edit its rows on the Data page, then run this one.",
    ),
    "edits.file_missing": ("The changes “{file}” can't be read.", "Save the new version again from the Data page."),
    "edits.file_line": (
        "Line {line} of “{file}” is not a row change.",
        "Save the new version again from the Data page.",
    ),
    "edits.row_unknown": ("“{ref}” has no row “{row}” in its split {split}.", "Reload the page."),
    "edits.other_rows": (
        "None of the {count} changes matches a row of “{ref}”.",
        "Choose the dataset they belong to.",
    ),
    "edits.nothing_left": (
        "No training row of “{ref}” would be left.",
        "Undo some of the deletions, then save again.",
    ),
    "edits.empty_input": ("A row needs an input.", "Add one, or delete the row."),
    "edits.held_out": (
        "“{ref}” has this input in its validation or test rows.",
        "Choose another dataset: training must not see those rows.",
    ),
    "edits.empty_output": ("A row needs an answer.", "Add one, or delete the row."),
    "edits.label_unknown": (
        "“{answer}” is not one of the labels of “{ref}”.",
        "Choose one from the list, or add it to the labels.",
    ),
    "edits.split_unknown": ("“{ref}” has no rows in the split “{split}”.", "Choose one of: {splits}."),
    "edits.tools": (
        "“{ref}” has rows with tools, not supported in {format} files.",
        "Export it as openai, sharegpt, jsonl, csv or parquet.",
    ),
    "edits.file_there": ("“{file}” already exists.", "Choose another name, or replace it with --force."),
    "edits.unwritable": ("“{file}” can't be written: {reason}.", "Choose a folder you can write to."),
}
