"""Sentences about the division into train, validation and test, and about the quick baseline."""

_OWN_TEST = "Name a group column, or a test file of your own."

MESSAGES: dict[str, tuple[str, str]] = {
    "split.near_not_checked": (
        "Near duplicates were not looked for: {rows} rows are too many for the import (limit {limit}).",
        "Check the dataset for leaks before you trust its test score.",
    ),
    "split.near_copies": (
        "{count} of {rows} test rows may have a near copy in training: so many rows are alike that they can't be kept apart.",
        _OWN_TEST,
    ),
    "split.contexts_shared": (
        "Rows that share a context are in several splits: they would tie {share} % of the rows together.",
        _OWN_TEST,
    ),
    "split.column_leaks": (
        "{count} training rows belong to rows of validation or test: {same} are the same, the others near copies, or they "
        "share a context or group.",
        "Correct the column, or set “Split by” to “At random”.",
    ),
    "split.no_time": (
        "{count} rows have no time that can be read: they count as the oldest.",
        "Correct the times in the file.",
    ),
    "split.later_training": (
        "{count} training rows are newer than the first test row, because a group holds old and new rows.",
        "Leave the group column empty if later rows of a group may be tested.",
    ),
}
