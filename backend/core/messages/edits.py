"""Sentences about the editing of datasets, and about their export."""

MESSAGES: dict[str, tuple[str, str]] = {
    "edits.none": ("“{ref}” has no changes to save.", "Edit, delete, tag or add rows on the page Data first."),
    "edits.pending": (
        "“{ref}” is not made yet, so it can't have been edited.",
        "Run that stage first, edit its rows on the page Data, then run this one.",
    ),
    "edits.file_missing": ("The changes “{file}” can't be read.", "Save the new version again from the page Data."),
    "edits.file_line": (
        "Line {line} of “{file}” is no change to a row.",
        "Save the new version again from the page Data.",
    ),
    "edits.row_unknown": ("“{ref}” has no row “{row}” in its split {split}.", "Load the page again."),
    "edits.other_rows": (
        "None of the {count} changes is about a row of “{ref}”.",
        "They belong to another dataset: choose that one.",
    ),
    "edits.nothing_left": (
        "No training row of “{ref}” would be left.",
        "Undo some of the deletions, then save again.",
    ),
    "edits.empty_input": ("A row needs an input.", "Write one, or delete the row."),
    "edits.empty_output": ("A row needs an answer.", "Write one, or delete the row."),
    "edits.label_unknown": (
        "“{answer}” is none of the labels of “{ref}”.",
        "Choose one of the list, or add it to the labels.",
    ),
    "edits.split_unknown": ("“{ref}” has no rows in the split “{split}”.", "Choose one of: {splits}."),
    "edits.tools": (
        "“{ref}” has rows with tools, which {format} files can't hold.",
        "Export it as openai, sharegpt, jsonl, csv or parquet.",
    ),
    "edits.file_there": ("“{file}” is there already.", "Choose another name, or replace it with --force."),
    "edits.unwritable": ("“{file}” can't be written: {reason}.", "Choose a folder that you may write to."),
}
